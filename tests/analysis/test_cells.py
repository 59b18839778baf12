"""The mean of the cells is the prediction, whatever the network."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from pixsent_tf.analysis import cells
from pixsent_tf.analysis.cells import build_cell_scorer
from pixsent_tf.errors import ConfigError
from pixsent_tf.models.joined import join
from pixsent_tf.models.seeding import seeded
from pixsent_tf.models.zoo import attach_head
from tests.float32 import assert_close_float32, operations_of

CROPS = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")


def _backbone(side: int = 32, channels: int = 5, seed: int = 0) -> keras.Model:
    crops = keras.Input((side, side, 3), name="crops")
    x = layers.Rescaling(1 / 255, name="normalize")(crops)
    with seeded(seed):
        conv = layers.Conv2D(
            channels, 3, 4, padding="same", activation="relu", name="conv"
        )
    x = conv(x)
    features = layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(crops, features, name=f"net{side}")


def _classifier(backbone: keras.Model) -> keras.Model:
    return attach_head(backbone, num_classes=3, stddev=1.0)


def _joined(**more) -> keras.Model:
    return join({"a": _backbone(), "b": _backbone(16, 4, seed=1)}, **more)


NETWORKS = {
    "convolutional": lambda: _classifier(_backbone()),
    "pooled-joined": lambda: _classifier(_joined()),
    "pooled-mirror": lambda: _classifier(join({"a": _backbone()}, mirror=True)),
    "pooled-mirror-joined": lambda: _classifier(_joined(mirror=True)),
    "pooled-texture": lambda: _classifier(_joined(texture_layers=("conv", "conv"))),
    "pooled-mirror-texture": lambda: _classifier(
        _joined(texture_layers=("conv", "conv"), mirror=True)
    ),
    "grad-cam": lambda: _two_layer_head(),
}


def _two_layer_head() -> keras.Model:
    backbone = _backbone()
    x = layers.GlobalMaxPooling2D()(backbone.get_layer("conv").output)
    hidden = layers.Dense(6, activation="relu", name="hidden")(x)
    return keras.Model(backbone.input, layers.Dense(3, name="logits")(hidden))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_mean_of_the_cells_is_the_prediction(name):
    classifier = NETWORKS[name]()

    scorer = build_cell_scorer(classifier)

    mean = scorer.score(CROPS).numpy().mean(axis=(1, 2))
    assert name.startswith(scorer.kind)
    operations = operations_of(classifier) + CROPS[0].size
    assert_close_float32(mean, classifier(CROPS), operations=operations)


def test_a_cell_of_a_mirrored_network_lies_where_it_looks():
    # the network answers with the brightness of each cell, 8 x 8 of 4 pixels
    crops = keras.Input((32, 32, 3), name="crops")
    x = layers.AveragePooling2D(4)(crops)
    features = layers.GlobalAveragePooling2D(name="features")(x)
    bright = keras.Model(crops, features, name="bright")
    classifier = _classifier(join({"bright": bright}, mirror=True))
    classifier.get_layer("logits").set_weights([np.ones((3, 3)), np.zeros(3)])
    image = np.zeros((1, 32, 32, 3), dtype="float32")
    image[0, 4:8, 24:28] = 90

    cells = build_cell_scorer(classifier).score(image).numpy()[0, ..., 0]

    # the other half of the average sees it at the same place, mirrored back
    assert np.argwhere(cells).tolist() == [[1, 6]]
    assert cells[1, 6] == pytest.approx(3 * 90)


def test_texture_lies_where_the_detail_is():
    # one branch that shows brightness; only the deviation counts
    crops = keras.Input((32, 32, 3), name="crops")
    x = layers.AveragePooling2D(4, name="pool")(crops)
    features = layers.GlobalAveragePooling2D(name="features")(x)
    bright = keras.Model(crops, features, name="bright")
    for mirror in (False, True):
        backbone = join({"bright": bright}, mirror=mirror, texture_layers=("pool",))
        classifier = _classifier(backbone)
        kernel = np.zeros((9, 3))  # 3 of unit length, 3 means, 3 deviations
        kernel[6:] = 1
        classifier.get_layer("logits").set_weights([kernel, np.zeros(3)])
        image = np.full((1, 32, 32, 3), 50, dtype="float32")
        image[0, 4:8, 24:28] = 200

        cells = build_cell_scorer(classifier).score(image).numpy()[0, ..., 0]

        assert np.unravel_index(cells.argmax(), cells.shape) == (1, 6)
        deviation = np.sqrt(1 / 64 * 63 / 64) * 150  # of one cell in 64
        assert cells.mean() == pytest.approx(3 * deviation, rel=1e-4)


def test_grad_cam_of_a_linear_head_is_the_convolutional_form():
    classifier = _classifier(_backbone())
    exact = build_cell_scorer(classifier).score(CROPS).numpy()

    from pixsent_tf.analysis.cells import _grad_cam

    found = _grad_cam(classifier)(CROPS)
    assert_close_float32(found, exact, operations=operations_of(classifier))


def test_a_network_without_a_map_is_refused():
    inputs = keras.Input((4,), name="crops")
    classifier = keras.Model(inputs, layers.Dense(2)(inputs), name="flat")

    with pytest.raises(ConfigError, match="flat has no layer with a height"):
        build_cell_scorer(classifier)


@pytest.mark.parametrize("side", [5, 8])
def test_a_map_that_is_brought_to_another_grid_keeps_its_mean(side):
    maps = np.random.default_rng(0).normal(size=(2, 3, 3, 4)).astype("float32")

    found = cells._resize(maps, side).numpy()

    assert found.shape == (2, side, side, 4)
    np.testing.assert_allclose(found.mean((1, 2)), maps.mean((1, 2)), atol=1e-6)
