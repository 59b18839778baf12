"""A trained model is saved and loaded whole, and answers for pictures in order."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import ModelConfig, PreprocessConfig, Recipe, to_json
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import ConfigError, RunError, WeightsError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.prediction import Prediction, find_positive
from pixsent_tf.models import zoo
from pixsent_tf.models.output import RatingOutput
from pixsent_tf.training.heads import classifier_from_head
from pixsent_tf.training.logistic import LinearHead
from tests.float32 import assert_close_float32
from tests.heard import Heard
from tests.serving.conftest import OPERATIONS, images, tiny_model

__all__ = ["images", "tiny_model"]

PREPROCESS = PreprocessConfig(canvas_size=16, crop_size=12)
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 40, 30, 3), dtype="uint8")
HEAD = LinearHead(
    kernel=np.random.default_rng(1).normal(size=(6, 2)).astype("float32"),
    bias=np.array([0.5, -0.5], dtype="float32"),
    inverse_penalty=1.0,
    history=(),
)


@pytest.fixture
def backbone():
    return zoo.build_backbone(ModelConfig(backbone="tiny", weights=None))


@pytest.fixture
def files(images, tmp_path):
    """Seven pictures; the third and the last file are none."""
    paths = [tmp_path / f"{number}.png" for number in range(9)]
    good = iter(images)
    for number, path in enumerate(paths):
        if number in (2, 8):
            path.write_bytes(b"<html>")
        else:
            Image.fromarray(next(good)).save(path)
    return [str(path) for path in paths]


def test_answers_come_in_order_and_broken_files_have_theirs(tiny_model, files):
    heard = Heard()
    found = list(tiny_model.predict(files, batch_size=2, progress=heard))

    assert [one.path for one in found] == files
    assert [one.probs is None for one in found] == [i in (2, 8) for i in range(9)]
    assert found[2].error.reason == found[8].error.reason == "not_an_image"
    assert found[2].answer is found[2].prob_positive is None
    assert heard.steps == [(9, "predicting")]
    assert sum(heard.counts) == 9


def test_the_center_is_what_the_model_itself_says(tiny_model, files, images):
    found = [one for one in tiny_model.predict(files) if one.probs is not None]

    for one, image in zip(found, images, strict=True):
        expected = tiny_model.model(image[None], training=False).numpy()[0]
        assert_close_float32(one.probs, expected, operations=OPERATIONS)


def test_ten_crops_are_the_mean_over_corners_center_and_their_mirrors(
    tiny_model, files, images
):
    found = next(iter(tiny_model.predict(files, view="ten_crop")))
    canvas = np.asarray(tiny_model.preprocessor.to_canvas(images[0]))  # 20 x 20
    crops = [
        canvas[top : top + 16, left : left + 16]
        for top, left in [(0, 0), (0, 4), (4, 0), (4, 4), (2, 2)]
    ]
    crops += [crop[:, ::-1] for crop in crops]
    logits = tiny_model.classifier(np.stack(crops), training=False).numpy() / 1.5
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    mean = probs.mean(axis=0)
    assert_close_float32(found.probs, mean, operations=OPERATIONS)
    assert_close_float32(found.center_probs, probs[4], operations=OPERATIONS)


def test_an_answer_below_the_threshold_is_unsure():
    probs = np.array([0.3, 0.7], dtype="float32")
    names = ("negative", "positive")

    sure = Prediction("a", probs, class_names=names, threshold=0.7)
    unsure = Prediction("a", probs, class_names=names, threshold=0.71)

    assert (sure.answer, unsure.answer) == ("positive", "unsure")
    assert unsure.prob_positive == pytest.approx(0.7)


def test_a_model_that_knows_no_held_out_pictures_cannot_abstain(tiny_model):
    with pytest.raises(ConfigError, match="without inner predictions"):
        tiny_model.abstain_at(0.95)


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "model.keras").write_bytes(b"PK")

    with pytest.raises(WeightsError, match="is no model of this package"):
        SentimentModel.load(tmp_path / "model.keras")


def test_a_head_on_its_backbone_scores_its_features(backbone):
    crops = IMAGES[:, :12, :12]

    logits = classifier_from_head(backbone, HEAD)(crops)

    features = backbone(crops).numpy()
    expected = features @ HEAD.kernel + HEAD.bias
    assert_close_float32(logits, expected, operations=OPERATIONS)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_probabilities_are_the_softmax_of_the_cooled_logits(backbone, temperature):
    classifier = classifier_from_head(backbone, HEAD)

    model = SentimentModel.build(classifier, PREPROCESS, ["bad", "good"], temperature)

    preprocessor = Preprocessor(PREPROCESS)
    logits = classifier(preprocessor.center_crop(preprocessor.to_canvas(IMAGES)))
    exponents = np.exp(logits.numpy().astype("float64") / temperature)
    expected = exponents / exponents.sum(axis=1, keepdims=True)
    assert_close_float32(model.model(IMAGES), expected, operations=OPERATIONS)


def test_a_saved_model_is_the_same_after_loading(backbone, tmp_path):
    model = SentimentModel.build(
        classifier_from_head(backbone, HEAD), PREPROCESS, ["bad", "good"]
    )
    model.save(tmp_path / "model.keras")

    loaded = SentimentModel.load(tmp_path / "model.keras")

    expected = model.model(IMAGES)
    assert_close_float32(loaded.model(IMAGES), expected, operations=OPERATIONS)
    assert loaded.class_names == ("bad", "good")
    assert list(tmp_path.iterdir()) == [tmp_path / "model.keras"]


def test_a_model_in_training_mode_is_no_other_model(backbone):
    model = SentimentModel.build(
        classifier_from_head(backbone, HEAD), PREPROCESS, ["bad", "good"]
    )

    np.testing.assert_array_equal(
        model.model(IMAGES, training=True), model.model(IMAGES, training=False)
    )


def test_a_run_brings_its_recipe(tiny_model, tmp_path):
    (tmp_path / "recipe.json").write_text(to_json(Recipe(name="mine", seed=3)))
    tiny_model.save(tmp_path / "model.keras")

    assert SentimentModel.load(tmp_path).recipe == Recipe(name="mine", seed=3)
    assert SentimentModel.load(tmp_path / "model.keras").recipe is None


def test_a_run_without_a_model_is_refused(tmp_path):
    (tmp_path / "recipe.json").write_text(to_json(Recipe()))

    with pytest.raises(WeightsError, match=r"model\.keras does not exist"):
        SentimentModel.load(tmp_path)


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunError, match="no run folder"):
        SentimentModel.load(tmp_path)


def test_a_model_without_preprocessing_is_refused(tmp_path):
    plain = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)], name="plain")
    plain.save(tmp_path / "plain.keras")

    with pytest.raises(WeightsError, match=r"'plain' is no model .* has 0 preproc"):
        SentimentModel.load(tmp_path / "plain.keras")


def test_probabilities_of_canvases_are_the_mean_over_the_views(tiny_model):
    canvases = np.random.default_rng(0).integers(0, 256, (3, 20, 20, 3), dtype="uint8")

    each = tiny_model.view_probs(canvases, "ten_crop").numpy()

    assert each.shape == (3, 10, 2)
    ten_crop, center = (
        tiny_model.probs(canvases, "ten_crop"),
        tiny_model.probs(canvases),
    )
    assert_close_float32(ten_crop, each.mean(axis=1), operations=OPERATIONS)
    assert_close_float32(center, each[:, 4], operations=OPERATIONS)


@pytest.mark.parametrize(
    ("names", "index"),
    [(("Positive", "calm"), 0), (("sad", "happy"), 1), (("awe", "glad"), None)],
)
def test_the_positive_class_is_found_however_it_is_spelled(names, index):
    found = Prediction("a", np.array([0.25, 0.75]), class_names=names)

    assert find_positive(names) == index
    assert found.prob_positive == (None if index is None else found.probs[index])


@pytest.fixture
def broken():
    """A model with one weight that is no number."""
    crops = keras.Input((4, 4, 3), name="crops")
    pooled = keras.layers.GlobalAveragePooling2D()(crops)
    classifier = keras.Model(crops, keras.layers.Dense(2, name="logits")(pooled))
    kernel, bias = classifier.get_weights()
    kernel[1, 0] = np.nan
    classifier.set_weights([kernel, bias])
    return SentimentModel.build(
        classifier, PreprocessConfig(6, 4), ("negative", "positive")
    )


def test_weights_that_are_not_finite_are_neither_saved_nor_loaded(broken, tmp_path):
    path = tmp_path / "model.keras"
    with pytest.raises(WeightsError, match="not finite, first logits/kernel; train"):
        broken.save(path)
    assert not path.exists()
    broken.model.save(path)  # as another program would

    with pytest.raises(WeightsError, match=r"model\.keras holds weights that are not"):
        SentimentModel.load(path)


def test_an_answer_that_is_not_finite_is_refused(broken, files):
    with pytest.raises(
        WeightsError, match=r"answers .*0\.png with numbers that are no"
    ):
        list(broken.predict(files[:1]))


def test_ten_crops_of_a_picture_count_as_ten_in_a_batch(tiny_model, files):
    heard = Heard()
    found = tiny_model.predict(files, view="ten_crop", batch_size=39, progress=heard)

    assert len(list(found)) == 9
    # seven pictures, and at the end the two files that are none
    assert heard.counts == [3, 3, 1, 2]


@pytest.mark.parametrize("view", ["center", "ten_crop"])
def test_ratings_of_a_second_head_come_with_the_classes(
    tiny_model, files, images, view
):
    features = tiny_model.classifier.get_layer(zoo.HEAD).input
    head = keras.layers.Dense(3, name=zoo.HEAD)
    rater = keras.Model(tiny_model.classifier.input, head(features))
    head.set_weights(
        [np.random.default_rng(2).normal(size=(8, 3)) * 9, np.array([4.0, 2.0, 9.0])]
    )
    output = RatingOutput(["valence", "arousal", "awe"], (1, 7), [1.0, 0.25, 2.0])
    second = SentimentModel.wrap(rater, tiny_model.preprocessor.config, output)

    found = list(tiny_model.predict(files, view=view, batch_size=20, second=second))

    assert [one.rated is None for one in found] == [i in (2, 8) for i in range(9)]
    rated = [one.rated for one in found if one.rated is not None]
    for one, image in zip(rated, images, strict=True):
        canvas = tiny_model.preprocessor.to_canvas(image)[None]
        each = second.view_probs(canvas, view).numpy()[0]  # [views, 3]
        assert len(each) == (10 if view == "ten_crop" else 1)
        mean = each.mean(axis=0)
        np.testing.assert_allclose(one.ratings, mean, rtol=1e-4)
        np.testing.assert_allclose(
            one.low, np.subtract(mean, [1, 0.25, 2]).clip(1), rtol=1e-4
        )
        np.testing.assert_allclose(
            one.high, np.add(mean, [1, 0.25, 2]).clip(max=7), rtol=1e-4
        )
        assert one.targets == ("valence", "arousal", "awe")
    assert np.ptp([one.ratings for one in rated], axis=0).min() > 0.05


def test_answers_are_unsure_below_the_threshold_of_the_precision_asked_for(
    tiny_model, files
):
    held_out = [(0.9, True), (0.8, True), (0.7, False), (0.6, True), (0.55, False)]
    model = SentimentModel.build(
        tiny_model.classifier,
        tiny_model.preprocessor.config,
        tiny_model.class_names,
        held_out=held_out,
    )

    # 2 of 2, 3 of 4 and 3 of 5 are right
    for precision, threshold, coverage in (
        (1, 0.8, 0.4),
        (0.7, 0.6, 0.8),
        (0.6, 0.55, 1),
    ):
        chosen = model.abstain_at(precision)
        assert (chosen.threshold, chosen.coverage) == (threshold, coverage)
        assert model.threshold == threshold
    model.abstain_at(1)
    found = [one for one in model.predict(files) if one.probs is not None]
    assert {one.threshold for one in found} == {0.8}
