"""The model that ships is loaded as it was trained, also from a file in the cache."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pixsent_tf.errors import WeightsError
from pixsent_tf.inference import shipped
from tests.float32 import assert_close_float32, operations_of


def test_it_answers_as_the_head_does():
    model = shipped.load_model()
    with np.load(shipped.FOLDER / "head.npz") as saved:
        kernel, bias, temperature = (
            saved[name] for name in ("kernel", "bias", "temperature")
        )
    backbone_output = model.classifier.get_layer("logits").input
    backbone = keras.Model(model.classifier.input, backbone_output)
    crops = np.random.default_rng(0).integers(0, 256, (2, 288, 288, 3)).astype("uint8")
    logits = (backbone(crops).numpy() @ kernel + bias) / temperature
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    assert model.class_names == ("negative", "positive")
    assert_close_float32(
        model.model(crops), expected, operations=operations_of(model.model)
    )


def test_as_a_file_it_is_written_once_and_is_the_same_model(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXSENT_CACHE", str(tmp_path))
    first = shipped.model_file()
    written = first.stat().st_mtime_ns
    second = shipped.model_file()

    weights = [
        shipped.load_model(path).classifier.get_layer("logits").get_weights()
        for path in (None, first)
    ]
    assert second == first
    assert second.stat().st_mtime_ns == written
    for packed, loaded in zip(*weights, strict=True):
        np.testing.assert_array_equal(packed, loaded)


def test_a_path_means_that_model(tmp_path):
    with pytest.raises(WeightsError, match="does not exist; give a run folder"):
        shipped.load_model(tmp_path / "none.keras")
