"""The models that ship are loaded as they were trained, also from a cached file."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from other_nothing import write_other_nothing

from pixsent_tf.errors import WeightsError
from pixsent_tf.inference import light, shipped
from pixsent_tf.models.gate import ungated
from tests.float32 import assert_close_float32, operations_of


def test_it_answers_as_the_head_does_for_photographs_only():
    model = shipped.load_model()
    with np.load(light.FOLDER / "head.npz") as saved:
        kernel, bias, temperature, gate_kernel, gate_bias = (
            saved[name]
            for name in ("kernel", "bias", "temperature", "gate_kernel", "gate_bias")
        )
    backbone_output = model.classifier.get_layer("logits").input
    backbone = keras.Model(model.classifier.input, backbone_output)
    crops = np.random.default_rng(0).integers(0, 256, (2, 288, 288, 3)).astype("uint8")
    features = backbone(crops).numpy()
    logits = features @ kernel + bias
    expected = np.exp(logits / temperature)
    expected /= expected.sum(axis=1, keepdims=True)

    assert model.class_names == ("negative", "positive")
    operations = operations_of(model.model)
    plain = model.output(ungated(model.classifier)(crops))
    assert_close_float32(plain, expected, operations=operations)
    assert (features @ gate_kernel + gate_bias < 0).all()  # noise is no photograph
    assert model.model(crops).numpy().tolist() == [[0.5, 0.5]] * 2


@pytest.mark.journey
@pytest.mark.parametrize(
    "name", [shipped.QUICK, pytest.param(light.BEST, marks=pytest.mark.slow)]
)
def test_what_shows_nothing_is_answered_unsure(name, tmp_path):
    files = write_other_nothing(tmp_path, 200)  # drawn by other code: see there
    found = list(shipped.load_model(name).predict(files))

    unsure = [one.answer == "unsure" for one in found]
    assert np.mean(unsure) >= 0.95, [
        one.path for one in found if one.answer != "unsure"
    ]


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


def test_each_has_a_name_and_the_quick_one_is_the_default():
    quick, default = (
        shipped.load_model(name).classifier.get_layer("logits").get_weights()
        for name in ("shipped", None)
    )

    np.testing.assert_array_equal(quick[0], default[0])
    assert shipped.folder_of("shipped-best") == light.FOLDER / "best"


def test_a_path_means_that_model(tmp_path):
    with pytest.raises(WeightsError, match="does not exist; give a run folder"):
        shipped.load_model(tmp_path / "none.keras")
