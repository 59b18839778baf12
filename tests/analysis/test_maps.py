"""A map covers the picture, and tells the place that decides."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from pixsent_tf.analysis.maps import SMOOTH_SIDE, SentimentMapper
from pixsent_tf.config import PreprocessConfig
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models.gate import attach_gate
from pixsent_tf.models.joined import join
from pixsent_tf.models.output import RatingOutput
from pixsent_tf.models.zoo import attach_head
from tests.float32 import assert_close_float32

SQUASH = PreprocessConfig(canvas_size=40, crop_size=32)
# A bright spot in the top right of a wide picture.
PICTURE = np.zeros((60, 120, 3), dtype="uint8")
PICTURE[5:20, 95:115] = 250


def _brightness() -> keras.Model:
    crops = keras.Input((32, 32, 3), name="crops")
    x = layers.AveragePooling2D(4, name="pool")(crops)
    features = layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(crops, features, name="bright")


def _classifier(backbone: keras.Model) -> keras.Model:
    classifier = attach_head(backbone, num_classes=2)
    width = backbone.output.shape[-1]
    kernel = np.stack([np.zeros(width), np.full(width, 0.01)], axis=1)
    classifier.get_layer("logits").set_weights([kernel, np.array([1.0, 0.0])])
    return classifier


def _model(classifier, preprocess=SQUASH, temperature=1.0) -> SentimentModel:
    return SentimentModel.build(classifier, preprocess, ("bad", "good"), temperature)


@pytest.fixture(scope="module", params=["convolutional", "pooled"])
def mapper(request):
    backbone = _brightness()
    if request.param == "pooled":  # of one size only: its windows are stitched
        backbone = join({"bright": backbone})
    mapper = SentimentMapper(_model(_classifier(backbone)))
    assert mapper.kind == request.param
    return mapper


def test_the_peak_lies_on_the_spot(mapper):
    found = mapper.map(PICTURE)

    row, column = np.unravel_index(found.smooth[..., 1].argmax(), (SMOOTH_SIDE,) * 2)
    y, x = (row + 0.5) / SMOOTH_SIDE * 60, (column + 0.5) / SMOOTH_SIDE * 120
    assert 5 <= y < 20
    assert 95 <= x < 115


def test_places_are_probabilities(mapper):
    found = mapper.map(PICTURE)

    for probs in (found.cells, found.smooth, found.probs):
        sums = probs.sum(axis=-1)
        assert_close_float32(sums, np.ones_like(sums), operations=32)
    bias_alone = [1 / (1 + np.e), np.e / (1 + np.e)]
    assert_close_float32(found.smooth[-1, 0][::-1], bias_alone, operations=32 * 32)


def test_the_mean_logit_of_a_crop_is_its_prediction(mapper):
    crops = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")

    mean = mapper.crop_logits(crops).mean(axis=(1, 2))

    assert_close_float32(mean, mapper.model.classifier(crops), operations=32 * 32)


def test_the_temperature_softens_the_map():
    warm = SentimentMapper(_model(_classifier(_brightness()), temperature=4.0))

    found = warm.map(PICTURE)

    assert found.smooth[-1, 0, 0] == pytest.approx(1 / (1 + np.exp(-1 / 4)))


def test_a_model_of_center_squares_maps_the_center_square():
    cut = PreprocessConfig(canvas_size=40, crop_size=32, fit="crop")

    found = SentimentMapper(_model(_classifier(_brightness()), cut)).map(PICTURE)

    assert np.array_equal(found.image, PICTURE[:, 30:90])


def test_a_network_that_flattens_maps_the_papers_eight_by_eight_cells():
    crops = keras.Input((64, 64, 3), name="crops")
    x = layers.AveragePooling2D(32)(crops)
    features = layers.Flatten(name="features")(x)
    classifier = attach_head(keras.Model(crops, features), num_classes=2)
    mapper = SentimentMapper(_model(classifier, PreprocessConfig(80, 64, fit="crop")))

    assert mapper.side == 64 + 7 * 32
    assert mapper.map(PICTURE, scales=(1.0,)).cells.shape == (8, 8, 2)


def rated(low, high):
    backbone = _brightness()
    network = attach_head(backbone, num_classes=2)
    output = RatingOutput(("valence", "arousal"), (low, high), (1.0, 1.0))
    return SentimentMapper(SentimentModel.wrap(network, SQUASH, output))


def test_the_map_of_two_classes_goes_from_the_first_to_the_second(mapper):
    (facet,) = mapper.facets
    found = np.array([[[0.9, 0.1], [0.5, 0.5], [0.0, 1.0]]])

    assert (facet.name, facet.low, facet.high) == ("good", "bad", "good")
    np.testing.assert_allclose(facet.shade(found), [[0.1, 0.5, 1.0]])


def test_of_three_classes_each_is_without_color_where_all_are_alike():
    classifier = attach_head(_brightness(), num_classes=3)
    model = SentimentModel.build(classifier, SQUASH, ("joy", "fear", "awe"))

    facets = SentimentMapper(model).facets

    assert [(one.name, one.low, one.column) for one in facets] == [
        ("joy", "not joy", 0),
        ("fear", "not fear", 1),
        ("awe", "not awe", 2),
    ]
    found = np.array([[[1 / 3] * 3, [1.0, 0.0, 0.0]]])
    np.testing.assert_allclose(facets[0].shade(found), [[0.5, 1.0]])
    np.testing.assert_allclose(facets[2].shade(found), [[0.5, 0.0]])


def test_the_middle_of_a_scale_of_ratings_has_no_color():
    first, second = rated(1, 7).facets
    found = np.array([[[1.0, 7.0], [4.0, 2.5], [9.0, 4.0]]])

    assert (second.name, second.low, second.high) == ("arousal", "1", "7")
    np.testing.assert_allclose(first.shade(found), [[0, 0.5, 1]])
    np.testing.assert_allclose(second.shade(found), [[1, 0.25, 0.5]])


def test_a_map_says_of_the_whole_picture_what_the_model_says(mapper):
    found = mapper.map(PICTURE)

    canvas = mapper.model.preprocessor.to_canvas(PICTURE)
    expected = mapper.model.probs(canvas[None])[0]
    np.testing.assert_allclose(found.probs, expected, atol=1e-6)


def test_the_coarse_map_is_the_same_whatever_scales_are_averaged(mapper):
    one, other = (mapper.map(PICTURE, scales=scales) for scales in ((1.0,), (1.5, 2)))

    np.testing.assert_allclose(one.cells, other.cells, atol=1e-6)
    assert np.abs(one.smooth_logits - other.smooth_logits).max() > 1e-3
    both = mapper.map(PICTURE, scales=(1.0, 1.5, 2))
    mean = (one.smooth_logits + 2 * other.smooth_logits) / 3
    np.testing.assert_allclose(both.smooth_logits, mean, atol=1e-4)


def test_windows_of_an_even_picture_are_stitched_without_a_seam():
    mapper = SentimentMapper(_model(_classifier(join({"bright": _brightness()}))))
    even = np.full((80, 80, 3), 100, dtype="uint8")

    found = mapper.map(even)

    assert np.ptp(found.smooth_logits[..., 1]) < 1e-3
    assert found.smooth_logits[0, 0, 1] == pytest.approx(3 * 0.01 * 100, abs=1e-3)


def test_no_place_is_asked_whether_it_is_a_photograph():
    plain = _classifier(_brightness())
    # a score of -9 whatever there is: no picture passes this gate
    gated = attach_gate(_classifier(_brightness()), np.zeros((3, 1)), np.array([-9.0]))

    found, free = (
        SentimentMapper(_model(one)).map(PICTURE, scales=(1.0,))
        for one in (gated, plain)
    )

    assert found.probs.tolist() == [0.5, 0.5]
    np.testing.assert_allclose(found.smooth_logits, free.smooth_logits, rtol=1e-5)
    assert np.ptp(found.cells) > 0.1


def test_windows_overlap_their_neighbors_by_half_or_more(monkeypatch):
    mapper = SentimentMapper(_model(_classifier(join({"bright": _brightness()}))))
    seen: list[int] = []
    score = mapper.crop_logits

    def noting(windows):
        seen.append(len(windows))
        return score(windows)

    monkeypatch.setattr(mapper, "crop_logits", noting)
    mapper.map(PICTURE, scales=(1.0, 1.5, 2.0, 2.25))

    # of 32 pixels: 1, 2 (at 0, 16), 3 (0, 16, 32) and 4 (0 to 40) a side
    assert seen == [1, 4, 9, 16]


def test_windows_fade_into_each_other_in_their_places(monkeypatch):
    mapper = SentimentMapper(_model(_classifier(join({"bright": _brightness()}))))
    monkeypatch.setattr("pixsent_tf.analysis.maps.SMOOTH_SIDE", 12)

    def numbered(windows):
        """Each window of 8 x 8 cells says its number, in reading order."""
        numbers = np.arange(len(windows), dtype="float32")
        return np.broadcast_to(numbers[:, None, None, None], (len(windows), 8, 8, 2))

    monkeypatch.setattr(mapper, "crop_logits", numbered)
    found = mapper.map(PICTURE, scales=(1.5,)).smooth_logits

    # two windows a side, at cells 0 to 7 and 4 to 11; where they overlap the second
    # weighs 1, 2, 3, 4 and the first 4, 3, 2, 1
    second = np.array([0, 0, 0, 0, 0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1])
    by_hand = 2 * second[:, None] + second  # windows 0 and 1 above, 2 and 3 below
    np.testing.assert_allclose(found[..., 1], by_hand, atol=1e-5)
