"""How far units see, by hand and by gradients; what excites them most."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from pixsent_tf.analysis.units import (
    ReceptiveField,
    receptive_field,
    top_images,
    tsne,
)
from pixsent_tf.errors import ConfigError
from pixsent_tf.models.caffenet import build_caffenet


@pytest.mark.parametrize(
    ("layer", "size", "stride"),
    [  # by hand: size + (kernel - 1) * stride, layer after layer
        *[("conv1", 11, 4), ("pool1", 19, 8), ("conv2", 51, 8), ("pool2", 67, 16)],
        *[
            ("conv3", 99, 16),
            ("conv4", 131, 16),
            ("conv5", 163, 16),
            ("pool5", 195, 32),
        ],
    ],
)
def test_caffenet_sees_as_far_as_the_arithmetic_says(layer, size, stride):
    field = receptive_field(build_caffenet(227), layer)

    assert (field.size, field.stride) == (size, stride)


def _network() -> keras.Model:
    images = keras.Input((32, 32, 1))
    x = layers.Conv2D(1, 3, 2, padding="same", name="a")(images)
    y = layers.Conv2D(1, 5, padding="same", name="b")(x)
    x = layers.Add(name="sum")([x, y])
    x = layers.AveragePooling2D(2, name="pool")(x)
    model = keras.Model(images, layers.AveragePooling2D(2, name="mean")(x))
    for layer in model.layers:
        layer.set_weights([np.ones_like(w) for w in layer.get_weights()])
    return model


@pytest.mark.parametrize("layer", ["a", "b", "sum", "mean"])
def test_no_gradient_comes_from_outside_the_field_and_some_from_its_corners(layer):
    model = _network()
    output = model.get_layer(layer).output
    cell = output.shape[1] // 2
    images = tf.ones([1, 32, 32, 1])
    with tf.GradientTape() as tape:
        tape.watch(images)
        value = keras.Model(model.input, output)(images)[0, cell, cell, 0]
    rows, columns = np.nonzero(tape.gradient(value, images)[0, ..., 0])

    left, top, right, bottom = receptive_field(model, layer).box(cell, cell)

    assert (rows.min(), rows.max() + 1) == (top, bottom)
    assert (columns.min(), columns.max() + 1) == (left, right)


def test_a_layer_without_a_map_sees_everything():
    with pytest.raises(ConfigError, match="fc6 has no height and width"):
        receptive_field(build_caffenet(227), "fc6")


def test_an_unknown_layer_is_refused():
    with pytest.raises(ConfigError, match="has no layer 'conv9'"):
        receptive_field(_network(), "conv9")


def test_the_pictures_that_excite_a_unit_and_where():
    activations = np.zeros((4, 3, 5, 2))
    activations[2, 1, 4, 1] = 9
    activations[0, 2, 0, 1] = 5
    activations[3, 0, 0, 0] = 99  # another unit

    assert top_images(activations, 1, count=2) == [(2, 9.0, (1, 4)), (0, 5.0, (2, 0))]


def test_features_without_a_map_have_no_place():
    assert top_images(np.array([[1.0], [3.0], [2.0]]), 0, count=2) == [
        (1, 3.0, None),
        (2, 2.0, None),
    ]


def test_alike_pictures_lie_side_by_side():
    generator = np.random.default_rng(0)
    groups = np.repeat([0, 1], 20)
    features = generator.normal(size=(40, 8)) + groups[:, None] * 20

    plane = tsne(features)

    centers = [plane[groups == g].mean(axis=0) for g in (0, 1)]
    nearest = np.argmin([np.linalg.norm(plane - c, axis=1) for c in centers], axis=0)
    assert np.array_equal(nearest, groups)


def test_three_pictures_make_no_layout():
    with pytest.raises(ConfigError, match="3 pictures make no layout"):
        tsne(np.zeros((3, 2)))


def test_padding_moves_a_field_up_by_what_is_added_on_top():
    images = keras.Input((20, 20, 1))
    padded = layers.ZeroPadding2D(((3, 1), (2, 4)))(images)
    x = layers.Conv2D(1, 5, 2, name="seen")(padded)

    field = receptive_field(keras.Model(images, x), "seen")

    assert (field.size, field.stride, field.start) == (5, 2, -3)


def test_rows_count_downward_and_columns_to_the_right():
    field = ReceptiveField(size=5, stride=4, start=-2)

    # row 3 begins at -2 + 12, column 1 at -2 + 4
    assert field.box(3, 1) == (2, 10, 7, 15)


def test_padding_between_layers_counts_in_the_steps_before_it():
    images = keras.Input((32, 32, 1))
    x = layers.Conv2D(1, 3, strides=4, name="a")(images)  # 0 to 2, then every 4
    x = layers.ZeroPadding2D(2, name="padded")(x)
    model = keras.Model(images, layers.Conv2D(1, 3, name="b")(x))

    # two cells of padding are 8 pixels; three cells of 3 pixels, 4 apart, are 11
    assert receptive_field(model, "padded") == ReceptiveField(3, 4, -8)
    assert receptive_field(model, "b") == ReceptiveField(11, 4, -8)


def test_the_cell_of_a_wide_map_is_told_by_row_and_column():
    activations = np.zeros((3, 2, 5, 4))
    activations[0, 1, 3, 2], activations[2, 0, 4, 2] = 7, 9
    activations[1, :, :, 2] = 1  # a mean of 1, above that of the others

    assert top_images(activations, 2, count=3) == [
        (2, 9.0, (0, 4)),
        (0, 7.0, (1, 3)),
        (1, 1.0, (0, 0)),
    ]


def test_as_few_as_four_pictures_are_laid_out():
    places = tsne(np.array([[0.0, 0], [0, 1], [50, 0], [50, 1]]))

    apart = np.linalg.norm(places[:, None] - places, axis=2)
    assert (places.shape, places.dtype) == ((4, 2), np.float32)
    assert apart[0].argsort()[1] == 1  # the nearest of the first is the second
    assert apart[3].argsort()[1] == 2
