from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from pixsent_tf.errors import ExportError
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
