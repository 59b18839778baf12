"""A model of ratings as one of two classes."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.errors import ConfigError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.thresholds import at_threshold
from pixsent_tf.models import zoo
from pixsent_tf.models.output import RatingOutput

GEOMETRY = PreprocessConfig(10, 8)


@pytest.fixture
def rated():
    """Arousal is the mean of red, valence that of green, over 40."""
    crops = keras.Input((8, 8, 3), name="crops")
    pooled = keras.layers.GlobalAveragePooling2D()(crops)
    network = zoo.attach_head(keras.Model(crops, pooled), 2)
    kernel = np.array([[1, 0], [0, 1], [0, 0]], "float32") / 40
    network.get_layer(zoo.HEAD).set_weights([kernel, np.zeros(2, "float32")])
    output = RatingOutput(("arousal", "valence"), (1, 7), half_widths=(0.5, 1.5))
    return SentimentModel.wrap(network, GEOMETRY, output)


def canvases(*greens):
    pixels = np.zeros((len(greens), 10, 10, 3), dtype="uint8")
    pixels[..., 1] = np.array(greens)[:, None, None]
    return pixels


def test_ratings_stay_on_the_scale(rated):
    found = rated.probs(canvases(20, 120, 250))

    np.testing.assert_allclose(found[:, 1], [1, 3, 6.25], atol=1e-4)


def test_the_answer_is_positive_from_the_threshold_of_valence(rated):
    found = at_threshold(rated, 4.0).probs(canvases(120, 160, 200))[:, 1]

    # intervals of 1.5 hold nine tenths of a logistic curve of the scale 1.5 / ln 19
    expected = 1 / (1 + np.exp(-np.array([-1, 0, 1]) / (1.5 / np.log(19))))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_it_is_a_model_of_classes_in_every_way(rated, tmp_path):
    model = at_threshold(rated, 4.0)
    model.save(tmp_path / "model.keras")

    assert model.class_names == ("negative", "positive")
    assert SentimentModel.load(tmp_path / "model.keras").rating is None


def test_a_saved_model_of_ratings_knows_that_it_is_one(rated, tmp_path):
    rated.save(tmp_path / "model.keras")
    found = SentimentModel.load(tmp_path / "model.keras")

    assert found.rating.get_config() == rated.rating.get_config()
    assert found.class_names == ()


def test_classes_are_not_answered_by_ratings(rated):
    with pytest.raises(ConfigError, match="answers with ratings"):
        next(rated.predict(["a.jpg"]))
    with pytest.raises(ConfigError, match="answers with ratings"):
        rated.abstain_at(0.9)
    with pytest.raises(ConfigError, match=r"rates nothing; train one"):
        next(at_threshold(rated, 4.0).rate(["a.jpg"]))
    with pytest.raises(ConfigError, match=r"rates nothing; train one"):
        at_threshold(rated, 4.0).to_rated("a.jpg", np.array([4.0, 5.0]))


@pytest.mark.parametrize("threshold", [1.0, 7.0, 30])
def test_a_threshold_off_the_scale_is_refused(rated, threshold):
    with pytest.raises(ConfigError, match="is not between 1 and 7"):
        at_threshold(rated, threshold)


def test_a_model_of_classes_has_no_threshold(rated):
    with pytest.raises(ConfigError, match="this model answers with classes"):
        at_threshold(at_threshold(rated, 4.0), 4.0)
