"""Parameter counts are the paper's; outputs are compared with NumPy and with crops."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pixsent_tf.config.networks import SURGERIES, Surgery, read_surgery
from pixsent_tf.errors import ConfigError
from pixsent_tf.models.caffenet import build_caffenet
from pixsent_tf.models.efficientnet_lite import build_efficientnet_lite
from pixsent_tf.models.surgery import (
    ablate,
    features,
    to_fully_convolutional,
)
from tests.float32 import assert_close_float32, operations_of

PIXELS = np.random.default_rng(0).uniform(0, 255, (2, 67, 67, 3)).astype("float32")


def redrawn(model):
    """Weights as the paper draws them leave every unit above zero: no ReLU shows."""
    generator = np.random.default_rng(0)
    for layer in model.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            scale = np.sqrt(2 / np.prod(kernel.shape[:-1]))
            drawn = scale * generator.standard_normal(kernel.shape)
            layer.set_weights([drawn, generator.standard_normal(bias.shape)])
    return model


@pytest.fixture(scope="module")
def narrow():
    return redrawn(build_caffenet(67, 2, width=0.125))


@pytest.fixture(scope="module")
def full():
    return build_caffenet(num_classes=1000)


def run(model, pixels=PIXELS):
    return keras.ops.convert_to_numpy(model(pixels, training=False))


def dense(model, name, vectors):
    kernel, bias = model.get_layer(name).get_weights()
    return vectors @ kernel + bias


def activation(model, layer):
    return features(model, [layer])(PIXELS, training=False)[layer].numpy()


def test_features_come_by_name_after_the_relu(narrow):
    named = features(narrow, layers=("conv5", "fc7"))(PIXELS, training=False)
    assert set(named) == {"conv5", "fc7"}
    assert named["conv5"].shape == (2, 3, 3, 32)
    assert named["fc7"].numpy().min() == 0
    fc7 = named["fc7"].numpy()
    assert_close_float32(
        dense(narrow, "fc8", fc7), run(narrow), operations=fc7.shape[1]
    )


def test_unknown_layer_is_refused_with_those_there_are(narrow):
    with pytest.raises(ConfigError, match=r"no layer 'fc5'; .*it has .*'fc6'"):
        features(narrow, ["fc5"])


def test_ablations_save_what_the_paper_says(full):
    two = build_caffenet(num_classes=2)
    assert two.count_params() == 56_876_418
    saved = {
        name: two.count_params() - ablate(full, read_surgery(name)).count_params()
        for name in ("fc7-2", "fc6-2")
    }
    assert saved == {"fc7-2": 16_781_312, "fc6-2": 54_523_904}


def test_a_new_layer_is_drawn_small_and_unbiased(full):
    kernel, bias = ablate(full, Surgery("fc8", 400)).get_layer("fc8-400").get_weights()

    assert kernel.std() == pytest.approx(0.01, rel=0.02)
    assert not bias.any()


@pytest.mark.parametrize("name", [name for name in SURGERIES if "+" not in name])
def test_ablated_network_has_the_units_of_its_name(full, name):
    units = int(name.split("-")[1])

    assert ablate(full, read_surgery(name)).output.shape == (None, units)


def test_raw_ablation_keeps_weights_and_loses_the_relu(narrow):
    raw = ablate(narrow, Surgery("fc7", 512))
    fc6 = activation(narrow, "fc6")
    expected = dense(narrow, "fc7", fc6)
    fc7 = activation(narrow, "fc7")
    assert_close_float32(run(raw), expected, operations=fc6.shape[1])
    assert_close_float32(fc7, expected.clip(0), operations=fc6.shape[1])


def test_fresh_ablation_reads_the_layer_below(narrow):
    cut = ablate(narrow, Surgery("fc7", 2))
    assert [la.name for la in cut.layers[-3:]] == ["fc6", "drop6", "fc7-2"]
    fc6 = activation(narrow, "fc6")
    expected = dense(cut, "fc7-2", fc6)
    assert_close_float32(run(cut), expected, operations=fc6.shape[1])


def test_only_dense_layers_are_ablated(narrow):
    with pytest.raises(ConfigError, match="conv5 is not dense"):
        ablate(narrow, Surgery("conv5", 2))


def test_one_cell_equals_the_classifier():
    model = redrawn(build_caffenet(131, 2, width=0.125))  # pool5 is 3x3: order counts
    pixels = (
        np.random.default_rng(1).uniform(0, 255, (2, 131, 131, 3)).astype("float32")
    )
    cells = run(to_fully_convolutional(model), pixels)
    assert cells.shape == (2, 1, 1, 2)
    expected = run(model, pixels)
    assert np.abs(expected).max() > 1
    assert_close_float32(cells[:, 0, 0], expected, operations=operations_of(model))


def test_converted_network_does_not_share_weights(narrow):
    converted = to_fully_convolutional(narrow)
    before = run(narrow)
    converted.get_layer("conv1").kernel.assign(
        converted.get_layer("conv1").kernel * 0.0
    )
    np.testing.assert_array_equal(run(narrow), before)


def test_without_padding_every_cell_equals_its_crop():
    images = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(4, 3, activation="relu", name="conv1")(images)
    maps = keras.layers.MaxPooling2D(2, name="pool1")(maps)
    vectors = keras.layers.Flatten(name="flatten")(maps)
    vectors = keras.layers.Dense(5, activation="relu", name="fc6")(vectors)
    model = keras.Model(images, keras.layers.Dense(3, name="fc8")(vectors))
    large = np.random.default_rng(0).standard_normal((1, 14, 12, 3)).astype("float32")

    cells = run(to_fully_convolutional(model), large)

    assert cells.shape == (1, 4, 3, 3)
    for row in range(4):
        for column in range(3):
            top, left = 2 * row, 2 * column
            crop = large[:, top : top + 8, left : left + 8]
            assert_close_float32(
                cells[:, row, column],
                run(model, crop),
                operations=operations_of(model),
            )


def test_softmax_of_the_head_is_taken_in_each_cell():
    images = keras.Input((4, 4, 3))
    vectors = keras.layers.Flatten()(images)
    probs = keras.layers.Dense(3, activation="softmax")(vectors)
    cells = run(to_fully_convolutional(keras.Model(images, probs)), PIXELS / 255)
    assert_close_float32(cells.sum(axis=-1), np.ones(cells.shape[:-1]), operations=3)


@pytest.mark.parametrize("size", [64, 96])
def test_mean_of_the_map_equals_the_classifier_that_averages(size):
    backbone = build_efficientnet_lite(
        "efficientnet_lite0", input_size=size, weights=None
    )
    logits = keras.layers.Dense(2, name="logits")(backbone.output)
    model = keras.Model(backbone.input, logits)
    pixels = np.random.default_rng(0).uniform(0, 255, (2, size, size, 3))
    pixels = pixels.astype("float32")

    cells = run(to_fully_convolutional(model), pixels)

    assert cells.shape == (2, size // 32, size // 32, 2)
    assert_close_float32(
        cells.mean(axis=(1, 2)), run(model, pixels), operations=operations_of(model)
    )


def test_network_without_a_pooled_map_is_refused():
    vectors = keras.Input((4,), name="vectors")
    model = keras.Model(vectors, keras.layers.Dense(2)(vectors))
    with pytest.raises(ConfigError, match=r"vectors \(InputLayer\) stands between"):
        to_fully_convolutional(model)


@pytest.mark.parametrize("units", [3, 600])  # fc7 has 512
def test_a_layer_of_any_other_width_is_a_new_one(narrow, units):
    found = ablate(narrow, read_surgery(f"fc7-{units}"), seed=1)

    fc6 = activation(narrow, "fc6")
    kernel, bias = found.layers[-1].get_weights()
    assert (kernel.shape, bias.any()) == ((fc6.shape[1], units), False)
    assert_close_float32(run(found), fc6 @ kernel, operations=len(kernel))


def test_another_seed_draws_another_layer(narrow):
    first, again, other = (
        ablate(narrow, read_surgery("fc7-3"), seed=seed).layers[-1].get_weights()[0]
        for seed in (5, 5, 6)
    )

    assert (first == again).all()
    assert (first != other).mean() > 0.99


def test_a_head_without_biases_on_maps_wider_than_high_keeps_its_numbers():
    images = keras.Input((4, 7, 3))
    vectors = keras.layers.Flatten(name="flatten")(images)
    vectors = keras.layers.Dense(5, activation="tanh", use_bias=False)(vectors)
    model = keras.Model(images, keras.layers.Dense(3, use_bias=False)(vectors))
    pixels = np.random.default_rng(2).standard_normal((2, 4, 7, 3)).astype("float32")

    converted = to_fully_convolutional(model)

    cells = run(converted, pixels)
    assert cells.shape == (2, 1, 1, 3)
    assert_close_float32(
        cells[:, 0, 0], run(model, pixels), operations=operations_of(model)
    )
    assert converted.count_params() == model.count_params() == 4 * 7 * 3 * 5 + 5 * 3
