from __future__ import annotations

import json
import sys

import keras
import numpy as np
import pytest

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.errors import ExportError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models.zoo import attach_head
from pixsent_tf.serving import onnx
from pixsent_tf.serving.scorecard import probs_of
from pixsent_tf.serving.scored_export import export_file
from tests.float32 import assert_close_float32
from tests.serving.conftest import OPERATIONS


def test_a_missing_converter_is_named_with_its_remedy(tiny_model, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)

    with pytest.raises(
        ExportError, match=r"tf2onnx .* pip install 'pixsent-tf\[onnx\]'"
    ):
        onnx.convert(tiny_model)


def test_a_missing_runtime_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    with pytest.raises(ExportError, match="onnxruntime is not installed"):
        onnx.open_runtime("any.onnx")


def test_the_file_answers_what_keras_answers(tiny_run, tiny_model, tmp_path):
    pytest.importorskip("tf2onnx")
    pytest.importorskip("onnxruntime")
    canvases = np.random.default_rng(0).integers(0, 256, (5, 20, 20, 3), dtype="uint8")

    made = export_file(tiny_run, tmp_path / "tiny.onnx", "onnx")

    probs = probs_of(onnx.open_runtime(made.path), canvases[:, 2:18, 2:18])
    expected = tiny_model.model(canvases, training=False)
    assert_close_float32(probs, expected, operations=OPERATIONS)
    description = json.loads((tmp_path / "tiny.json").read_text())
    assert description["input"]["shape"] == ["B", 16, 16, 3]


def test_what_transformers_are_made_of_becomes_what_onnx_has():
    """A GELU by erfc, and a tensor that is no weight."""
    crops = keras.Input((16, 16, 3), name="crops")
    maps = keras.layers.Conv2D(4, 8, strides=8, activation="gelu")(crops / 255.0)
    features = keras.layers.GlobalAveragePooling2D()(Numbered()(maps))
    model = SentimentModel.build(
        attach_head(keras.Model(crops, features), 2, stddev=1.0),
        PreprocessConfig(16, 16),
        ("negative", "positive"),
    )
    noise = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype="uint8")

    content = onnx.convert(model)

    session = pytest.importorskip("onnxruntime").InferenceSession(content)
    assert [one.name for one in session.get_inputs()] == ["crops"]
    probs = session.run(["probs"], {"crops": noise})[0]
    expected = model.output(model.classifier(noise.astype("float32"))).numpy()
    np.testing.assert_allclose(probs, expected, atol=1e-5)
    assert np.ptp(expected[:, 0]) > 1e-4


class Numbered(keras.layers.Layer):
    """Adds a row of a table, whose number is a plain tensor."""

    def build(self, _):
        self.table = self.add_weight(shape=(3, 4), initializer="ones")
        self.number = keras.ops.convert_to_tensor([2], "int32")

    def call(self, maps):
        return maps + keras.ops.take(self.table, self.number, axis=0)
