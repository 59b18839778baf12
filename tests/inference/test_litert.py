"""How many pictures at a time changes the time, and nothing else."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pixsent_tf.inference import engine, litert
from pixsent_tf.inference.litert import LiteNetwork


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    crops = keras.Input((16, 16, 3))
    seen = keras.layers.Conv2D(8, 3, activation="relu")(crops)
    seen = keras.layers.GlobalAveragePooling2D()(seen)
    network = keras.Model(crops, keras.layers.Dense(5)(seen))
    path = tmp_path_factory.mktemp("lite") / "network.tflite"
    path.write_bytes(engine.convert(engine.Original.of(network)))
    return path


@pytest.fixture
def unmeasured(converted, tmp_path):
    path = tmp_path / converted.name
    path.write_bytes(converted.read_bytes())
    return path


def test_the_number_at_a_time_changes_no_bit(converted):
    crops = np.random.default_rng(0).integers(0, 256, (13, 16, 16, 3), "uint8")
    network = LiteNetwork(converted, 2)
    found = []
    for size in (1, 2, 4, 8, 13):
        network.size = size
        found.append(network(crops)[0])

    assert found[0].shape == (13, 5)
    assert all(np.array_equal(each, found[0]) for each in found)


def test_what_is_measured_fastest_is_remembered(unmeasured, monkeypatch):
    rates = {1: 5.0, 2: 9.0, 4: 30.0, 8: 20.0}
    seen = []

    def rate(network, crops):
        seen.append((network.size, crops.shape))
        return rates[network.size]

    monkeypatch.setattr(litert, "_rate", rate)
    assert LiteNetwork(unmeasured, 1).size == litert.USUAL

    litert.calibrate(unmeasured, 3, (16, 16, 3))

    assert LiteNetwork(unmeasured, 1).size == 4
    assert sorted(seen) == [(n, (3 * n, 16, 16, 3)) for n in (1, 2, 4, 8)]
    litert.calibrate(unmeasured, 3, (16, 16, 3))
    assert len(seen) == 4  # not measured again


def test_measuring_ends_when_its_time_is_over(unmeasured, monkeypatch):
    monkeypatch.setattr(litert, "SECONDS", 0.0)

    litert.calibrate(unmeasured, 1, (16, 16, 3))

    assert LiteNetwork(unmeasured, 1).size == litert.SIZES[0]


@pytest.mark.parametrize("left", ["", "many", "0", "-3", "1000000"])
def test_a_damaged_note_is_measured_again(unmeasured, left, monkeypatch):
    unmeasured.with_suffix(".size").write_text(left)
    assert LiteNetwork(unmeasured, 1).size == litert.USUAL
    monkeypatch.setattr(litert, "_rate", lambda network, crops: -network.size)

    litert.calibrate(unmeasured, 1, (16, 16, 3))

    assert LiteNetwork(unmeasured, 1).size == 1
