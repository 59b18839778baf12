"""Which network is looked into, and how it is known again."""

from __future__ import annotations

import keras
import pytest

from pixsent_tf.analysis.networks import Network, open_network
from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import ConfigError


@pytest.fixture
def network():
    crops = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(2, 3, name="conv1")(crops)
    x = keras.layers.ReLU(name="relu1")(x)
    x = keras.layers.GlobalAveragePooling2D(name="features")(x)
    model = keras.Model(crops, keras.layers.Dense(2, name="fc8")(x))
    return Network(model, Preprocessor(PreprocessConfig(10, 8)))


def test_stages_are_the_layers_with_a_public_name_in_their_order(network):
    assert network.stages == ("conv1", "features", "fc8")


def test_other_weights_are_another_network(network):
    before = network.digest
    assert network.digest == before
    layer = network.model.get_layer("conv1")
    layer.set_weights([layer.get_weights()[0] + 1e-6, layer.get_weights()[1]])

    assert network.digest != before


def test_a_model_or_a_backbone_is_named_not_both():
    with pytest.raises(ConfigError, match="either --model RUN or --backbone NAME"):
        open_network("runs/mine", "efficientnet_lite0")
    with pytest.raises(ConfigError, match="either --model RUN or --backbone NAME"):
        open_network(None, None)
