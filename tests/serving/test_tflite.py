from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.errors import ExportError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.serving import tflite
from pixsent_tf.serving.scorecard import probs_of
from tests.float32 import assert_close_float32, rounding
from tests.serving.conftest import OPERATIONS


@pytest.fixture(scope="module")
def model(tiny_model):
    return tiny_model


@pytest.fixture(scope="module")
def crops():
    generator = np.random.default_rng(0)
    levels = generator.integers(0, 256, (12, 1, 1, 3))
    noise = generator.integers(-20, 20, (12, 16, 16, 3))
    return (levels + noise).clip(0, 255).astype("uint8")


@pytest.fixture(scope="module")
def files(model, crops, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tflite")
    return {
        name: tflite.write_tflite(
            tflite.convert(model, name, crops), model, folder / f"{name}.tflite"
        )
        for name in tflite.QUANTIZATIONS
    }


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("none", rounding(operations=OPERATIONS, scale=1)),
        *(("float16", 0.01), ("dynamic", 0.05), ("int8", 0.05)),
    ],
)
def test_each_file_answers_nearly_what_keras_answers(
    files, model, crops, name, tolerance
):
    probs = probs_of(tflite.open_runtime(files[name]), crops)

    logits = model.classifier(crops.astype("float32")).numpy() / 1.5
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probs, expected, atol=tolerance)
    assert expected[:, 1].std() > 0.1


@pytest.mark.parametrize("name", tflite.QUANTIZATIONS)
def test_input_and_output_are_the_same_whatever_the_numbers_inside(files, name):
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(files[name])).get_signature_runner("serving_default")

    crops, probs = runner.get_input_details(), runner.get_output_details()
    assert (crops["crops"]["dtype"], probs["probs"]["dtype"]) == (np.uint8, np.float32)
    assert crops["crops"]["shape"].tolist() == [1, 16, 16, 3]


def test_the_int8_file_reads_pixels_as_they_are(files):
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(files["int8"])).get_signature_runner("serving_default")

    scale, zero = runner.get_input_details()["crops"]["quantization"]
    assert (scale, zero) == (1.0, 0)


def test_the_int8_file_computes_in_integers(files):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(files["int8"]))

    kinds = {
        tensor["name"]: tensor["dtype"] for tensor in interpreter.get_tensor_details()
    }
    floats = [name for name, kind in kinds.items() if kind == np.float32]
    assert len(floats) == 1  # the answer


@pytest.mark.filterwarnings("ignore:(?s).*Interpreter is deprecated")
def test_tensorflows_own_interpreter_reads_it_too(files, crops):
    interpreter = tf.lite.Interpreter(str(files["none"]))
    runner = interpreter.get_signature_runner("serving_default")

    probs = runner(crops=crops[:1])["probs"]

    expected = tflite.open_runtime(files["none"])(crops[:1])
    assert_close_float32(probs, expected, operations=OPERATIONS)


def test_the_names_of_the_classes_are_inside(files):
    assert tflite.read_class_names(files["float16"]) == ("negative", "positive")


def test_int8_without_pictures_is_refused(model):
    with pytest.raises(ExportError, match="int8 needs pictures"):
        tflite.convert(model, "int8")


def test_an_unknown_quantization_is_refused(model):
    with pytest.raises(ExportError, match="No quantization 'int4'"):
        tflite.convert(model, "int4")


def test_a_model_in_half_precision_is_refused():
    crops = keras.Input((16, 16, 3), name="crops")
    pooled = keras.layers.GlobalAveragePooling2D(dtype="mixed_float16", name="half")
    half = keras.Model(crops, keras.layers.Dense(2)(pooled(crops)), name="classifier")
    model = SentimentModel.build(half, PreprocessConfig(16, 16), ("bad", "good"))

    with pytest.raises(ExportError, match="'half' computes in float16"):
        tflite.convert(model)


def test_an_operation_that_tflite_lacks_is_named():
    crops = keras.Input((16, 16, 3), name="crops")
    resized = keras.layers.Lambda(
        lambda x: tf.image.resize(x, [8, 8], antialias=True), output_shape=(8, 8, 3)
    )(crops)
    pooled = keras.layers.GlobalAveragePooling2D()(resized)
    resizing = keras.Model(crops, keras.layers.Dense(2)(pooled), name="classifier")
    model = SentimentModel.build(resizing, PreprocessConfig(16, 16), ("bad", "good"))

    with pytest.raises(ExportError, match="it has no operation ScaleAndTranslate"):
        tflite.convert(model)


def test_answers_do_not_depend_on_threads(files, crops):
    one, two = (tflite.open_runtime(files["none"], n)(crops[:1]) for n in (1, 2))

    assert_close_float32(one, two, operations=OPERATIONS)


def test_the_file_normalizes_by_what_training_left_and_drops_nothing(crops, tmp_path):
    inputs = keras.Input((16, 16, 3))
    normal = keras.layers.BatchNormalization()
    pooled = keras.layers.GlobalAveragePooling2D()(normal(inputs))
    logits = keras.layers.Dense(2, name="logits")(keras.layers.Dropout(0.9)(pooled))
    moments = ([10.0, 90, 200], [900.0, 2500, 1600])
    normal.set_weights([np.ones(3), np.zeros(3), *map(np.array, moments)])
    model = SentimentModel.build(
        keras.Model(inputs, logits), PreprocessConfig(20, 16), ("a", "b")
    )

    path = tflite.write_tflite(tflite.convert(model), model, tmp_path / "m.tflite")

    # epsilon: Keras' 0.001
    means = (crops - [10, 90, 200]) / np.sqrt([900.001, 2500.001, 1600.001])
    kernel, bias = model.classifier.get_layer("logits").get_weights()
    logits = means.mean(axis=(1, 2)) @ kernel + bias
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = probs_of(tflite.open_runtime(path), crops)
    np.testing.assert_allclose(found, expected, atol=1e-5)
