"""What a whole network sees is what the pipeline cuts: of this seed and epoch."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.augment import Augmentation
from pixsent_tf.data.canvases import Canvases, Examples, training_batches
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.training.views import DeviceAugmented, WholeViews
from tests.tiny_network import COUNT

VARIED = Augmentation(12, jitter=0.3, mixup=0.4)
INDICES = np.array([3, 17, 4, 0, 9, 20, 11])


@pytest.fixture
def canvases(pictures):
    return Canvases.read(pictures, Preprocessor(PreprocessConfig(16, 12)))


@pytest.fixture
def network():
    crops = keras.Input((12, 12, 3), name="crops")
    pooled = keras.layers.GlobalAveragePooling2D()(crops)
    return keras.Model(crops, keras.layers.Dense(2, name="logits")(pooled))


def examples() -> Examples:
    targets = np.random.default_rng(0).dirichlet([1, 1], COUNT).astype("float32")
    return Examples(INDICES, targets, np.arange(COUNT, dtype="float32"))


@pytest.mark.parametrize("on_device", [False, True])
def test_epochs_are_those_of_the_seed_from_the_first_to_the_last(
    canvases, network, on_device
):
    settings = {"batch_size": 3, "seed": 5, "epochs": 3, "first_epoch": 1}
    views = WholeViews.of(network, canvases, VARIED, on_device=on_device)

    found = list(views.of_epochs(examples(), **settings).as_numpy_iterator())

    expected = list(
        training_batches(
            canvases, examples(), VARIED, on_device=on_device, **settings
        ).as_numpy_iterator()
    )
    assert len(found) == 6  # two epochs of 3, 3 and 1 pictures
    flat = keras.tree.flatten(found)
    for one, other in zip(flat, keras.tree.flatten(expected), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_network_that_cuts_on_the_device_shares_the_layers_of_the_other(
    canvases, network
):
    plain = WholeViews.of(network, canvases, VARIED)
    cutting = WholeViews.of(network, canvases, VARIED, on_device=True)

    assert plain.trainee is network
    assert isinstance(cutting.trainee, DeviceAugmented)
    assert cutting.trainee.augmentation == VARIED
    for one, other in zip(cutting.trainee.weights, network.weights, strict=True):
        assert one is other


def test_centers_come_once_as_crops_also_for_a_network_that_cuts_by_itself(
    canvases, network
):
    views = WholeViews.of(network, canvases, VARIED, on_device=True)

    batches = list(views.of_centers(examples(), batch_size=4).as_numpy_iterator())

    crops = np.concatenate([crops for crops, _, _ in batches])
    positions = np.concatenate([weights for *_, weights in batches]).astype(int)
    assert sorted(positions) == sorted(INDICES)
    assert canvases.stored is not None
    centers = canvases.stored.numpy()[positions, 2:14, 2:14]
    np.testing.assert_array_equal(crops, centers)
