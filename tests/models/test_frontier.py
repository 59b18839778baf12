"""A network is cut where training begins to change it, wherever that is."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pixsent_tf.models.frontier import cut

CROPS = np.random.default_rng(0).uniform(0, 255, (3, 8, 8, 3)).astype("float32")


def residual():
    """Two residual blocks between a stem and a head."""
    crops = keras.Input((8, 8, 3), name="crops")
    x = keras.layers.Conv2D(4, 1, name="stem")(crops)
    for number in (1, 2):
        wide = keras.layers.Conv2D(8, 3, padding="same", name=f"wide{number}")(x)
        narrow = keras.layers.Conv2D(4, 1, name=f"narrow{number}")(wide)
        x = keras.layers.Add(name=f"add{number}")([narrow, x])
    x = keras.layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(crops, keras.layers.Dense(2, name="logits")(x))


def frozen_up_to(network, last):
    is_frozen = True
    for layer in network.layers:
        layer.trainable = not is_frozen
        is_frozen = is_frozen and layer.name != last
    return network


def names(lower):
    return {tensor._keras_history.operation.name for tensor in lower.outputs}


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("stem", {"stem"}),
        ("wide1", {"wide1", "stem"}),  # the stem is added later
        ("narrow1", {"add1"}),
        ("wide2", {"wide2", "add1"}),
        ("add2", {"features"}),  # pooling has nothing to learn
    ],
)
def test_the_cut_lies_before_the_first_layer_that_changes(last, expected):
    lower, _ = cut(frozen_up_to(residual(), last))

    assert names(lower) == expected


@pytest.mark.parametrize("last", ["stem", "wide1", "narrow1", "wide2", "add2"])
def test_both_parts_in_a_row_are_the_network(last):
    network = frozen_up_to(residual(), last)
    expected = network(CROPS).numpy()

    lower, upper = cut(network)

    np.testing.assert_array_equal(upper(lower(CROPS)).numpy(), expected)


def test_the_parts_share_the_weights_of_the_network():
    network = frozen_up_to(residual(), "wide1")
    lower, upper = cut(network)

    assert {id(v) for v in upper.trainable_variables} == {
        id(v) for v in network.trainable_variables
    }
    assert lower.trainable_variables == []


def test_a_network_that_trains_from_the_pixels_is_not_cut():
    assert cut(residual()) is None


def test_pixels_that_are_only_scaled_are_not_worth_keeping():
    crops = keras.Input((8, 8, 3))
    scaled = keras.layers.Rescaling(1 / 128)(crops)

    assert cut(keras.Model(crops, keras.layers.Conv2D(2, 1)(scaled))) is None


def test_a_shortcut_from_the_pixels_to_what_trains_leaves_nothing_to_keep():
    crops = keras.Input((8, 8, 3))
    frozen = keras.layers.Conv2D(3, 1, name="frozen")
    frozen.trainable = False
    x = keras.layers.Conv2D(3, 1, name="trained")(frozen(crops))

    assert cut(keras.Model(crops, keras.layers.Add()([x, crops]))) is None


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Dropout(0.5, seed=0, name="changes"),
        keras.layers.BatchNormalization(center=False, scale=False, name="changes"),
        keras.layers.TimeDistributed(keras.layers.Dropout(0.5, seed=0), name="changes"),
    ],
)
def test_what_differs_from_step_to_step_is_not_frozen(layer):
    crops = keras.Input((8, 8, 3))
    stem = keras.layers.Conv2D(4, 1, name="stem", trainable=False)
    head = keras.layers.Conv2D(2, 1, name="head")
    network = keras.Model(crops, head(layer(stem(crops))))

    lower, _ = cut(network)

    assert names(lower) == {"stem"}


def test_normalization_that_keeps_its_statistics_is_frozen():
    crops = keras.Input((8, 8, 3))
    bn = keras.layers.BatchNormalization(name="bn", trainable=False)
    stem = keras.layers.Conv2D(4, 1, name="stem", trainable=False)
    head = keras.layers.Conv2D(2, 1, name="head")

    lower, _ = cut(keras.Model(crops, head(bn(stem(crops)))))

    assert names(lower) == {"bn"}


def joined():
    """Two networks side by side, the second within a model, and a head on both."""
    crops = keras.Input((8, 8, 3), name="crops")
    small = keras.layers.Rescaling(0.5, name="small")(crops)
    features = []
    for number, seen in enumerate([crops, small]):
        one = residual()
        inner = keras.Model(one.input, one.get_layer("features").output)
        inner.name = f"branch{number}"
        features.append(inner(seen))
    both = keras.layers.Concatenate(name="features")(features)
    return keras.Model(crops, keras.layers.Dense(2, name="logits")(both))


def test_a_model_inside_is_cut_too():
    network = joined()
    first, second = network.get_layer("branch0"), network.get_layer("branch1")
    first.trainable = False
    frozen_up_to(second, "wide2")
    expected = network(CROPS).numpy()

    lower, upper = cut(network)

    shapes = sorted(tuple(tensor.shape[1:]) for tensor in lower.outputs)
    assert shapes == [(4,), (8, 8, 4), (8, 8, 8)]
    np.testing.assert_allclose(upper(lower(CROPS)).numpy(), expected, rtol=1e-6)
    assert {id(v) for v in upper.trainable_variables} == {
        id(v) for v in network.trainable_variables
    }


def test_a_model_inside_that_trains_from_its_input_is_kept_from_there():
    network = joined()
    network.get_layer("branch0").trainable = False
    network.get_layer("branch1").trainable = True
    expected = network(CROPS).numpy()

    lower, upper = cut(network)

    assert names(lower) == {"branch0", "small"}
    np.testing.assert_allclose(upper(lower(CROPS)).numpy(), expected, rtol=1e-6)


def test_what_a_cut_network_learns_it_has_learnt():
    network = frozen_up_to(residual(), "wide1")
    lower, upper = cut(network)
    upper.get_layer("logits").bias.assign([3.0, 4.0])

    np.testing.assert_array_equal(upper(lower(CROPS)), network(CROPS))
