"""A saved model takes pixels of any size and says what the classifier says."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pixsent_tf.config import ModelConfig, PreprocessConfig
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.inference.packaging import package
from pixsent_tf.models import zoo
from pixsent_tf.training.heads import classifier_from_head
from pixsent_tf.training.logistic import LinearHead

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


def test_a_head_on_its_backbone_scores_its_features(backbone):
    crops = IMAGES[:, :12, :12]

    logits = classifier_from_head(backbone, HEAD)(crops)

    features = backbone(crops).numpy()
    np.testing.assert_allclose(logits, features @ HEAD.kernel + HEAD.bias, atol=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_probabilities_are_the_softmax_of_the_cooled_logits(backbone, temperature):
    classifier = classifier_from_head(backbone, HEAD)

    model = package(classifier, PREPROCESS, ["bad", "good"], temperature)

    preprocessor = Preprocessor(PREPROCESS)
    logits = classifier(preprocessor.center_crop(preprocessor.to_canvas(IMAGES)))
    exponents = np.exp(logits.numpy().astype("float64") / temperature)
    expected = exponents / exponents.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model(IMAGES), expected, atol=1e-6)


def test_a_saved_model_is_the_same_after_loading(backbone, tmp_path):
    model = package(classifier_from_head(backbone, HEAD), PREPROCESS, ["bad", "good"])
    model.save(tmp_path / "model.keras")

    loaded = keras.models.load_model(tmp_path / "model.keras")

    np.testing.assert_allclose(loaded(IMAGES), model(IMAGES), atol=1e-7)
    assert loaded.get_layer("probs").class_names == ("bad", "good")


def test_a_model_in_training_mode_is_no_other_model(backbone):
    model = package(classifier_from_head(backbone, HEAD), PREPROCESS, ["bad", "good"])

    np.testing.assert_array_equal(
        model(IMAGES, training=True), model(IMAGES, training=False)
    )
