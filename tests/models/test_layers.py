"""Expected values by hand, by loops in NumPy, and by Keras' own layers."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from pixsent_tf.models.layers import (
    CaffeInput,
    CeilMaxPooling2D,
    GroupedConv2D,
    LocalResponseNormalization,
)
from tests.float32 import assert_close_float32

NUMBERED = np.arange(36, dtype="float32").reshape(1, 6, 6, 1)  # in reading order


def random(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


def test_red_pixel_becomes_blue_green_red_minus_mean():
    red = np.array([[[[255, 0, 0]]]], "uint8")
    bgr = CaffeInput()(red).numpy().ravel()
    expected = [-104.00699, -116.66877, 255 - 122.67891]
    assert_close_float32(bgr, expected, operations=1)


def test_last_window_hangs_over_the_edge_as_in_caffe():
    # Of 6 cells, windows of 3 in steps of 2 cover 0-2, 2-4 and 4-5.
    pooled = CeilMaxPooling2D(3, 2)(NUMBERED).numpy()
    assert pooled[0, :, :, 0].tolist() == [[14, 16, 17], [26, 28, 29], [32, 34, 35]]


def test_overhang_does_not_count_as_zero():
    pooled = CeilMaxPooling2D(3, 2)(NUMBERED - 100).numpy()
    assert pooled[0, -1, -1, 0] == -65


def test_exact_windows_pool_as_keras_does():
    maps = random(2, 13, 7, 3)
    ours = CeilMaxPooling2D(3, 2)(maps)
    np.testing.assert_array_equal(ours, keras.layers.MaxPooling2D(3, 2)(maps))


@pytest.mark.parametrize("sides", [(6, 6), (6, 7), (7, 7), (2, 3)])
def test_pooling_of_unknown_sides_gives_the_same(sides):
    maps = random(1, *sides, 2)
    layer = CeilMaxPooling2D(3, 2)
    unknown = tf.TensorSpec([None, None, None, 2], "float32")
    traced = tf.function(layer, input_signature=[unknown])
    np.testing.assert_array_equal(traced(maps), layer(maps))
    assert layer(maps).shape == layer.compute_output_shape(maps.shape)


def test_windows_with_gaps_are_refused():
    with pytest.raises(ValueError, match="strides=3 leaves gaps"):
        CeilMaxPooling2D(2, 3)


def normalized_by_loops(maps, size, alpha, beta, bias):
    out = np.empty_like(maps)
    for channel in range(maps.shape[-1]):
        first = max(0, channel - size // 2)
        near = maps[..., first : channel + size // 2 + 1]
        energy = (near.astype("float64") ** 2).sum(axis=-1)
        out[..., channel] = maps[..., channel] / (bias + alpha / size * energy) ** beta
    return out


@pytest.mark.parametrize(
    "settings",
    [
        {"size": 5, "alpha": 1e-4, "beta": 0.75, "bias": 1.0},
        {"size": 3, "alpha": 0.5, "beta": 0.6, "bias": 2.0},
    ],
)
def test_response_is_divided_by_the_energy_of_its_neighbors(settings):
    maps = 100 * random(2, 3, 4, 7)
    ours = LocalResponseNormalization(**settings)(maps)
    np.testing.assert_allclose(ours, normalized_by_loops(maps, **settings), rtol=1e-5)


def test_normalization_has_the_gradient_of_tensorflows_own():
    maps = tf.constant(100 * random(1, 3, 3, 8))
    weights = random(1, 3, 3, 8)
    gradients = []
    for normalize in (
        LocalResponseNormalization(),
        lambda x: tf.nn.local_response_normalization(x, 2, 1.0, 2e-5, 0.75),
    ):
        with tf.GradientTape() as tape:
            tape.watch(maps)
            loss = tf.reduce_sum(normalize(maps) * weights)
        gradients.append(tape.gradient(loss, maps))
    assert_close_float32(*gradients, operations=5 * 5)


def test_large_responses_survive_half_precision():
    layer = LocalResponseNormalization(dtype="mixed_float16")
    response = layer(np.full((1, 1, 1, 5), 2000.0, "float32")).numpy()
    assert response.dtype == np.float16
    middle = 2000 / (1 + 1e-4 / 5 * 5 * 2000**2) ** 0.75
    assert response[0, 0, 0, 2] == pytest.approx(middle, rel=1e-3)


def test_even_size_is_refused():
    with pytest.raises(ValueError, match="size=4 has no middle"):
        LocalResponseNormalization(4)


def test_groups_see_only_their_own_channels():
    maps = random(2, 5, 5, 4)
    grouped = GroupedConv2D(6, 3, groups=2, padding="same")
    grouped.build(maps.shape)
    kernel, bias = random(3, 3, 2, 6), random(6)
    grouped.set_weights([kernel, bias])
    for group in range(2):
        single = keras.layers.Conv2D(3, 3, padding="same")
        single.build((2, 5, 5, 2))
        half = slice(3 * group, 3 * group + 3)
        single.set_weights([kernel[..., half], bias[half]])
        expected = single(maps[..., 2 * group : 2 * group + 2])
        assert_close_float32(grouped(maps)[..., half], expected, operations=3 * 3 * 2)


@pytest.mark.parametrize(
    "layer",
    [
        CaffeInput(mean=(1.0, 2.0, 3.0)),
        CeilMaxPooling2D(2, 1),
        LocalResponseNormalization(3, alpha=0.1, beta=0.5, bias=2.0),
        GroupedConv2D(4, 3, groups=1, kernel_initializer="ones"),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layer_survives_its_description(layer):
    maps = random(1, 5, 5, 3)
    described = keras.saving.serialize_keras_object(layer)
    rebuilt = keras.saving.deserialize_keras_object(described, safe_mode=True)
    np.testing.assert_array_equal(rebuilt(maps), layer(maps))


@pytest.mark.parametrize("sides", [(6, 7), (7, 6), (8, 5)])
def test_each_side_hangs_over_by_itself(sides):
    maps = random(1, *sides, 2)

    pooled = CeilMaxPooling2D(3, 2)(maps).numpy()

    height, width = (-(-(side - 3) // 2) + 1 for side in sides)
    by_hand = [
        [
            maps[0, 2 * y : 2 * y + 3, 2 * x : 2 * x + 3].max(axis=(0, 1))
            for x in range(width)
        ]
        for y in range(height)
    ]
    np.testing.assert_array_equal(pooled[0], by_hand)
