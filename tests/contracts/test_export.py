"""Every backbone goes out into the world, and answers there what it answers here."""

from __future__ import annotations

import base64

import keras
import numpy as np
import pytest
import tensorflow as tf

from pixsent_tf.config import ModelConfig, PreprocessConfig
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models.caffenet import build_caffenet
from pixsent_tf.models.efficientnet_lite import LITE_VARIANTS
from pixsent_tf.models.gate import attach_gate
from pixsent_tf.models.zoo import BACKBONES, attach_head, build_backbone, preprocess_of
from pixsent_tf.serving import scorecard, tflite
from pixsent_tf.serving.saved_model import export_saved_model
from pixsent_tf.serving.serve_check import draw_probes, predict_files, run_c_api
from tests.float32 import assert_close_float32, operations_of
from tests.tiny_network import build_tiny


def from_zoo(name, **settings):
    config = ModelConfig(backbone=name, weights=None, **settings)
    backbone = build_backbone(config)
    enliven(backbone)
    return backbone, preprocess_of(config)


def narrow(order):
    """The paper's layers, all of them, at an eighth of their width."""
    backbone = build_caffenet(67, order=order, width=0.125)
    enliven(backbone)
    return backbone, PreprocessConfig(72, 67, fit="crop")


def enliven(backbone):
    """Draw weights that keep the signal: from the usual start it fades to 1e-12."""
    initializer = keras.initializers.HeNormal(seed=0)
    for layer in backbone.layers:
        if isinstance(layer, keras.Model):
            enliven(layer)
        elif hasattr(layer, "kernel"):
            kernel = initializer(layer.kernel.shape)
            if isinstance(layer, keras.layers.DepthwiseConv2D):
                kernel *= kernel.shape[2] ** 0.5  # each channel sees itself only
            layer.kernel.assign(kernel)


FAMILY = {
    "lite0": lambda: from_zoo("efficientnet_lite0@64"),
    "caffenet": lambda: narrow("caffenet"),
    "alexnet": lambda: narrow("alexnet"),
    "joined": lambda: from_zoo(
        "efficientnet_lite0@64+efficientnet_lite1@64", mirror=True
    ),
    "lite0 as published": lambda: from_zoo("efficientnet_lite0"),
    "caffenet as published": lambda: from_zoo("caffenet"),
    "application": lambda: from_zoo("keras:MobileNetV2"),
}
JOURNEYS = {"lite0", "caffenet"}


def test_every_kind_of_backbone_is_one_of_them():
    # The variants of Lite are one function with other widths and depths.
    kinds = {name for name in BACKBONES if name not in LITE_VARIANTS}

    assert kinds <= {name.split()[0] for name in FAMILY}
    assert "lite0" in FAMILY


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            name, marks=pytest.mark.journey if name in JOURNEYS else pytest.mark.slow
        )
        for name in FAMILY
    ],
)
def model(request):
    backbone, preprocess = FAMILY[request.param]()
    classifier = attach_head(backbone, 2, stddev=1.0)
    # Random features may have any mean and scale; the answers shall be about one half.
    logits = classifier(preprocessed_noise(preprocess), training=False).numpy()
    head = classifier.get_layer("logits")
    spread = logits.std(axis=0).mean()
    head.kernel.assign(head.kernel / spread)
    head.bias.assign(-logits.mean(axis=0) / spread)
    return SentimentModel.build(
        classifier, preprocess, ("negative", "positive"), temperature=1.5
    )


def preprocessed_noise(preprocess):
    side = preprocess.crop_size
    generator = np.random.default_rng(0)
    levels = generator.integers(0, 256, (4, 1, 1, 3))
    noise = generator.integers(-30, 30, (4, side, side, 3))
    return (levels + noise).clip(0, 255).astype("uint8")


@pytest.fixture(scope="module")
def files():
    return draw_probes()


@pytest.fixture(scope="module")
def expected(model, files):
    return predict_files(model, files)


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    return export_saved_model(model, tmp_path_factory.mktemp("export"))


def test_the_saved_model_answers_as_keras(model, exported, files, expected):
    serve = tf.saved_model.load(str(exported)).signatures["serving_default"]

    answer = serve(image_bytes=tf.constant(files))

    operations = operations_of(model.model)
    assert_close_float32(answer["probs"], expected, operations=operations)


def test_a_process_without_python_packages_answers_as_keras(
    model, exported, files, expected
):
    request = [base64.b64encode(content).decode() for content in files]

    answer = run_c_api(exported, "serving_default", request)

    operations = operations_of(model.model)
    assert_close_float32(answer["probs"], expected, operations=operations)


@pytest.mark.parametrize(
    ("bias", "answers"),
    [(1.0, True), pytest.param(-1.0, False, marks=pytest.mark.journey)],
)
def test_a_gate_goes_out_with_the_network(bias, answers, tmp_path):
    backbone, preprocess = build_tiny(None, None, 3), PreprocessConfig(16, 12)
    classifier = attach_head(backbone, 2, stddev=1.0)
    width = backbone.output.shape[-1]
    gated = attach_gate(classifier, np.zeros((width, 1)), np.array([bias]))
    names = ("negative", "positive")
    plain, model = (
        SentimentModel.build(one, preprocess, names) for one in (classifier, gated)
    )
    files, crops = draw_probes(), preprocessed_noise(preprocess)
    path = export_saved_model(model, tmp_path)
    serve = tf.saved_model.load(str(path)).signatures["serving_default"]
    lite = tflite.write_tflite(tflite.convert(model), model, tmp_path / "m")

    served = serve(image_bytes=tf.constant(files))
    probs = scorecard.probs_of(tflite.open_runtime(lite, 2), crops)

    if answers:
        operations = operations_of(model.model)
        expected = predict_files(plain, files)
        assert_close_float32(served["probs"], expected, operations=operations)
        assert_close_float32(
            probs, scorecard.keras_probs(plain, crops), operations=operations
        )
    else:
        assert set(served["answer"].numpy()) == {b"unsure"}
        assert set(np.ravel(served["probs"])) == set(np.ravel(probs)) == {0.5}


def test_litert_answers_as_keras(model, tmp_path):
    crops = preprocessed_noise(model.preprocessor.config)
    path = tflite.write_tflite(tflite.convert(model), model, tmp_path / "m")

    probs = scorecard.probs_of(tflite.open_runtime(path, 2), crops)

    expected = scorecard.keras_probs(model, crops)
    operations = operations_of(model.model)
    assert_close_float32(probs, expected, operations=operations)
    assert expected[:, 1].std() > 0.01


def test_all_of_it_converts_to_integers(model, tmp_path):
    crops = preprocessed_noise(model.preprocessor.config)
    content = tflite.convert(model, "int8", crops)
    path = tflite.write_tflite(content, model, tmp_path / "m")

    probs = scorecard.probs_of(tflite.open_runtime(path, 2), crops)

    # How near it comes is for trained weights to show; random ones have no margin.
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=0.01)
    assert len(content) < 2.5 * model.classifier.count_params()
