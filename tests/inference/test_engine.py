"""LiteRT says what TensorFlow says, or TensorFlow says it."""

from __future__ import annotations

import logging
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from pixsent_tf.config import ModelConfig
from pixsent_tf.errors import ConfigError
from pixsent_tf.inference import engine, litert
from pixsent_tf.inference.litert import LiteNetwork
from pixsent_tf.models import zoo
from tests.tiny_network import build_tiny

ENOUGH = engine.FEWEST


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    """An empty cache, and nothing asked for."""
    monkeypatch.setenv("PIXSENT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PIXSENT_ENGINE", raising=False)
    return tmp_path / "cache" / "engines"


@pytest.fixture
def crops():
    return np.random.default_rng(1).integers(0, 256, (11, 12, 12, 3)).astype("uint8")


def kept(folder):
    return sorted(path.suffix for path in folder.glob("*"))


@pytest.mark.parametrize("count", [1, 2, 4, 11])
def test_litert_gives_the_features_of_tensorflow(own_cache, crops, count):
    network = build_tiny(None, None, 3)

    found = engine.forward(network, ENOUGH)(crops[:count])

    assert kept(own_cache) == [".tflite"]
    expected = network(crops[:count].astype("float32"), training=False).numpy()
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.journey
def test_joined_networks_run_on_litert_reduced_crops_mirrors_and_textures_included(
    own_cache,
):
    crops = np.random.default_rng(1).integers(0, 256, (3, 48, 48, 3)).astype("uint8")
    name = "efficientnet_lite0@48+efficientnet_lite0@32"
    network = zoo.build_backbone(ModelConfig(name, mirror=True, texture=True))

    found = engine.forward(network, ENOUGH)(crops)

    assert kept(own_cache) == [".tflite"]
    expected = network(crops.astype("float32"), training=False).numpy()
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def test_named_outputs_keep_their_names(crops):
    network = build_tiny(None, None, 3)
    layers = {name: network.get_layer(name).output for name in ("relu1", "conv2")}
    both = keras.Model(network.input, layers)

    found = engine.forward(both, ENOUGH)(tf.constant(crops))

    expected = both(crops.astype("float32"), training=False)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, atol=1e-5)


def test_a_few_pictures_are_not_worth_a_conversion(own_cache, crops):
    network = build_tiny(None, None, 3)

    look = engine.forward(network, ENOUGH - 1)

    assert kept(own_cache) == []
    assert tf.is_tensor(look(crops))


def test_a_network_that_was_converted_serves_a_single_picture_too(own_cache, crops):
    engine.forward(build_tiny(None, None, 3), ENOUGH)

    assert isinstance(engine.forward(build_tiny(None, None, 3), 1)(crops), np.ndarray)
    assert kept(own_cache) == [".tflite"]


def test_a_network_that_does_not_convert_is_computed_by_tensorflow(
    own_cache, crops, caplog
):
    inputs = keras.Input((12, 12, 3))
    network = keras.Model(inputs, Inverted()(inputs))

    with caplog.at_level(logging.INFO, logger="pixsent_tf"):
        found = engine.forward(network, ENOUGH)(crops)

    assert found.numpy().shape == (11, 3, 3)
    assert "MatrixInverse" in caplog.text
    assert kept(own_cache) == [".txt"], "so that it is not tried again"
    assert tf.is_tensor(engine.forward(network, ENOUGH)(crops))


def test_numbers_that_differ_are_noticed_before_they_are_used(
    own_cache, crops, monkeypatch
):
    wrong = engine.convert(engine.Original.of(build_tiny(None, None, 4)))
    monkeypatch.setattr(engine, "convert", lambda original: wrong)
    network = build_tiny(None, None, 3)

    found = engine.forward(network, ENOUGH)(crops)

    assert kept(own_cache) == [".txt"]
    expected = network(crops.astype("float32"), training=False).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_litert_is_refused_where_it_is_asked_for_and_cannot_be(monkeypatch):
    monkeypatch.setenv("PIXSENT_ENGINE", "litert")
    inputs = keras.Input((12, 12, 3))
    network = keras.Model(inputs, Inverted()(inputs))

    with pytest.raises(ConfigError, match="LiteRT cannot compute this network: "):
        engine.forward(network, 1)


def test_tensorflow_computes_where_it_is_asked_for(own_cache, monkeypatch, crops):
    monkeypatch.setenv("PIXSENT_ENGINE", "tensorflow")

    assert tf.is_tensor(engine.forward(build_tiny(None, None, 3), ENOUGH)(crops))
    assert kept(own_cache) == []
    assert engine.explain() == "tensorflow: it is asked for"


def test_a_cache_that_cannot_be_written_to_costs_only_the_speed(
    monkeypatch, tmp_path, crops
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PIXSENT_CACHE", str(tmp_path / "file"))

    assert tf.is_tensor(engine.forward(build_tiny(None, None, 3), ENOUGH)(crops))


def test_the_digest_goes_by_numbers_not_by_names(tmp_path):
    network = build_tiny(None, None, 3)
    head = keras.layers.Dense(2, name="logits")(network.output)
    keras.Model(network.input, head).save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras", compile=False)
    loaded.trainable = False
    trunk = keras.Model(loaded.input, loaded.get_layer("logits").input)

    assert engine.digest(trunk) == engine.digest(network)
    assert engine.digest(trunk) == engine.digest(build_tiny(None, None, 3))


@pytest.mark.parametrize("change", ["weights", "stride", "output"])
def test_the_digest_of_another_network_is_another(change):
    network = other = build_tiny(None, None, 3)
    if change == "weights":
        other = build_tiny(None, None, 3)
        kernel, *rest = other.get_layer("conv1").get_weights()
        kernel[0, 0, 0, 0] += 1e-6
        other.get_layer("conv1").set_weights([kernel, *rest])
    if change == "stride":
        config = network.get_config()
        (conv,) = (one for one in config["layers"] if one["name"] == "conv1")
        conv["config"]["strides"] = (1, 1)
        other = keras.Model.from_config(config)
        other.set_weights(network.get_weights())
    if change == "output":
        other = keras.Model(network.input, network.get_layer("relu1").output)
        network = keras.Model(network.input, network.get_layer("conv1_bn").output)

    assert engine.digest(other) != engine.digest(network)


def test_a_converted_network_needs_no_tensorflow(own_cache, crops):
    network = build_tiny(None, None, 3)
    engine.forward(network, ENOUGH)
    (path,) = own_cache.glob("*.tflite")
    code = (
        "import sys, numpy, pathlib\n"
        "from pixsent_tf.inference.litert import LiteNetwork\n"
        "network = LiteNetwork(pathlib.Path(sys.argv[1]), 1)\n"
        "network(numpy.zeros((1, 12, 12, 3), 'uint8'))\n"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code, str(path)]).returncode == 0
    assert LiteNetwork(path, 1)(crops)[0].shape == (11, 6)


def test_for_thousands_of_pictures_it_is_measured_how_many_at_a_time(own_cache):
    network = build_tiny(None, None, 3)

    engine.forward(network, engine.MANY - 1)
    assert not list(own_cache.glob("*.size"))

    engine.forward(network, engine.MANY)
    (path,) = own_cache.glob("*.size")
    assert int(path.read_text()) in litert.SIZES


class Inverted(keras.layers.Layer):
    """What LiteRT has no operation for."""

    def call(self, images):
        x = tf.transpose(images, [0, 3, 1, 2])[:, :, :3, :3]
        return tf.reduce_sum(tf.linalg.inv(x + 300.0 * tf.eye(3)), axis=1)
