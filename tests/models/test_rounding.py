"""Sums in two orders stay as near as is said, and a wrong term does not."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pixsent_tf.models.rounding import operations_of, rounding


def in_order(terms: np.ndarray) -> np.ndarray:
    """Add one after the other in float32, [R, N] -> [R]."""
    return np.cumsum(terms, axis=1, dtype="float32")[:, -1]


@pytest.mark.parametrize("count", [10, 1000, 20_000])
def test_two_orders_of_a_sum_differ_by_no_more(count):
    terms = np.random.default_rng(0).normal(size=(200, count)).astype("float32")
    scale = float(np.abs(np.cumsum(terms, axis=1)).max())

    difference = np.abs(in_order(terms) - in_order(terms[:, ::-1])).max()

    allowed = rounding(operations=count, scale=scale)
    assert 0 < difference <= allowed
    # A product in half the digits, as of TensorFloat-32, is no rounding of float32.
    cut = (terms.view("uint32") & 0xFFFFE000).view("float32")
    assert np.abs(in_order(cut) - in_order(terms)).max() > allowed


def test_the_operations_of_a_network_are_those_counted_by_hand():
    crops = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="conv")(crops)  # 3 x 3 x 3, a bias
    x = keras.layers.DepthwiseConv2D(5, name="depthwise")(x)  # 5 x 5, a bias
    x = keras.layers.BatchNormalization()(x)  # four vectors
    inner = keras.Model(crops, keras.layers.GlobalAveragePooling2D()(x))
    outer = keras.Input((8, 8, 3))
    model = keras.Model(outer, keras.layers.Dense(2)(inner(outer)))  # 4, a bias

    assert operations_of(model) == 27 + 1 + 25 + 1 + 4 + 4 + 1
