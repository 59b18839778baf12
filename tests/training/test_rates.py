"""Which layers learn, how fast, and when."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest

from pixsent_tf.config import ModelConfig, TrainingConfig
from pixsent_tf.models import zoo
from pixsent_tf.training.rates import (
    LayerwiseAdamW,
    build_optimizer,
    build_schedule,
    choose_layers,
    kernel_layers,
    leaves,
    rate_multipliers,
)
from tests.float32 import assert_close_float32

TRAINING = TrainingConfig(strategy="all", learning_rate=0.1)


@pytest.fixture
def network():
    backbone = zoo.build_backbone(ModelConfig(backbone="tiny", weights=None))
    return zoo.attach_head(backbone, num_classes=2)


def steps_of(optimizer, variables):
    """How far each variable moves when every gradient is one."""
    before = [variable.numpy() for variable in variables]
    optimizer.build(variables)
    ones = [keras.ops.ones_like(variable) for variable in variables]
    optimizer.apply(ones, variables)
    return [
        float(np.abs(variable.numpy() - old).mean())
        for variable, old in zip(variables, before, strict=True)
    ]


def test_layers_with_kernels_come_in_order(network):
    assert [layer.name for layer in kernel_layers(network)] == [
        *("conv1", "conv2", "logits")
    ]


def test_layers_of_models_inside_are_found(network):
    crops = keras.Input((12, 12, 3))
    outer = keras.Model(crops, network(crops))

    names = [layer.name for layer in leaves(outer)]

    assert {"conv1", "conv1_bn", "conv2", "logits"} <= set(names)


def test_factors_form_a_geometric_series_up_to_the_head(network):
    factors = rate_multipliers(network, bottom=0.01, head=5.0)

    assert factors["conv1/kernel"] == pytest.approx(0.01)
    assert factors["conv1_bn/gamma"] == pytest.approx(0.01)
    assert factors["conv2/bias"] == pytest.approx(0.1)
    assert factors["logits/kernel"] == 5.0


def test_adamw_moves_each_layer_at_its_own_rate():
    variables = [keras.Variable(np.zeros(3), name=name) for name in ("slow", "fast")]
    optimizer = LayerwiseAdamW(0.1, {variables[0].path: 0.01}, weight_decay=0.0)

    slow, fast = steps_of(optimizer, variables)

    assert slow == pytest.approx(0.001, rel=1e-3)
    assert fast == pytest.approx(0.1, rel=1e-3)


def test_adamw_is_rebuilt_from_its_configuration():
    optimizer = LayerwiseAdamW(0.1, {"a": 0.5})

    again = LayerwiseAdamW.from_config(optimizer.get_config())

    assert again.multipliers == {"a": 0.5}


def test_only_kernels_decay(network):
    training = replace(TRAINING, weight_decay=0.5, head_multiplier=1.0)
    optimizer = build_optimizer(training, network, steps=10, steps_per_epoch=5)
    kernel, bias = network.get_layer("logits").trainable_variables
    kernel.assign(keras.ops.ones_like(kernel))
    bias.assign(keras.ops.ones_like(bias))
    optimizer.build([kernel, bias])

    optimizer.apply([keras.ops.zeros_like(v) for v in (kernel, bias)], [kernel, bias])

    expected = np.full(kernel.shape, 1 - 0.1 * 0.5)
    assert_close_float32(kernel, expected, operations=3)
    np.testing.assert_array_equal(bias, 1)


@pytest.mark.parametrize("optimizer", ["adamw", "caffe_sgd"])
def test_the_head_learns_faster_by_its_factor(network, optimizer):
    training = replace(
        TRAINING, optimizer=optimizer, weight_decay=0.0, schedule="constant"
    )
    conv, head = (network.get_layer(name).kernel for name in ("conv2", "logits"))

    built = build_optimizer(training, network, steps=10, steps_per_epoch=5)
    slow, fast = steps_of(built, [conv, head])

    assert fast / slow == pytest.approx(10, rel=1e-3)


def test_after_the_head_has_learnt_lower_layers_learn_more_slowly(network):
    training = replace(TRAINING, strategy="lp-ft", bottom_multiplier=0.01)
    kernels = [network.get_layer(n).kernel for n in ("conv1", "conv2", "logits")]

    built = build_optimizer(training, network, steps=10, steps_per_epoch=5)
    first, second, head = steps_of(built, kernels)

    assert second / first == pytest.approx(10, rel=1e-2)
    assert head / second == pytest.approx(10, rel=1e-2)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [0.1, 0.1, 0.1]),
        ("cosine", [0.1, 0.05, 0.0]),
        ("step", [0.1, 0.01, 0.001]),
    ],
)
def test_schedules_run_from_the_first_step_to_the_last(schedule, expected):
    training = replace(TRAINING, schedule=schedule, step_epochs=2)

    rate = build_schedule(training, steps=20, steps_per_epoch=5)

    rates = [float(rate(step)) if callable(rate) else rate for step in (0, 10, 20)]
    assert rates == pytest.approx(expected, abs=1e-7)


def test_frozen_layers_take_their_normalization_with_them(network):
    training = replace(
        TRAINING,
        strategy="last-blocks",
        trained_fraction=0.6,
        freeze_normalization=False,
    )

    choose_layers(network, training)

    trained = {layer.name for layer in leaves(network) if layer.trainable_variables}
    assert trained == {"conv2", "logits"}


def test_a_later_choice_undoes_an_earlier_one(network):
    choose_layers(
        network, replace(TRAINING, strategy="last-blocks", trained_fraction=0.01)
    )
    choose_layers(network, replace(TRAINING, freeze_normalization=False))

    trained = {layer.name for layer in leaves(network) if layer.trainable_variables}
    assert trained == {"conv1", "conv1_bn", "conv2", "logits"}


def test_where_all_is_trained_at_once_layers_below_the_head_learn_alike(network):
    training = replace(TRAINING, bottom_multiplier=0.01, weight_decay=0.0)
    kernels = [network.get_layer(n).kernel for n in ("conv1", "conv2")]

    built = build_optimizer(training, network, steps=10, steps_per_epoch=5)
    first, second = steps_of(built, kernels)

    assert second / first == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize("optimizer", ["adamw", "caffe_sgd"])
def test_weights_are_averaged_with_the_momentum_that_is_given(network, optimizer):
    training = replace(TRAINING, optimizer=optimizer, ema=0.9)

    built = build_optimizer(training, network, steps=10, steps_per_epoch=5)
    plain = build_optimizer(
        replace(training, ema=0.0), network, steps=10, steps_per_epoch=5
    )

    assert (built.use_ema, built.ema_momentum) == (True, 0.9)
    assert not plain.use_ema


def test_caffes_decay_and_momentum_are_those_of_the_recipe(network):
    training = replace(
        TRAINING, optimizer="caffe_sgd", weight_decay=0.125, momentum=0.5
    )

    built = build_optimizer(training, network, steps=10, steps_per_epoch=5)

    assert (built.gradient_decay, built.momentum) == (0.125, 0.5)


def test_a_schedule_ends_with_the_training_not_before(network):
    rate = build_schedule(
        replace(TRAINING, schedule="cosine"), steps=20, steps_per_epoch=5
    )

    assert float(rate(19)) == pytest.approx(
        0.05 * (1 + np.cos(np.pi * 19 / 20)), rel=1e-4
    )


def test_several_steps_of_adamw_are_those_of_keras():
    generator = np.random.default_rng(0)
    start = generator.normal(size=(4, 3)).astype("float32")
    gradients = generator.normal(size=(6, 4, 3)).astype("float32")
    moved = []
    for kind in (LayerwiseAdamW, keras.optimizers.AdamW):
        optimizer = kind(keras.optimizers.schedules.CosineDecay(0.1, 8))
        variable = keras.Variable(start, name="kernel")
        optimizer.build([variable])
        for gradient in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        moved.append(variable.numpy())

    assert_close_float32(moved[0], moved[1], operations=60)
    assert np.abs(moved[0] - start).max() > 0.2


def test_caffes_biases_learn_twice_as_fast_and_do_not_decay(network):
    training = replace(TRAINING, optimizer="caffe_sgd", head_multiplier=10.0)

    built = build_optimizer(training, network, steps=10, steps_per_epoch=5)

    head, conv = network.get_layer("logits"), network.get_layer("conv2")
    assert built.multipliers_of(head.kernel.path) == (10, 1)
    assert built.multipliers_of(head.bias.path) == (20, 0)
    assert built.multipliers_of(conv.kernel.path) == (1, 1)
    assert built.multipliers_of(conv.bias.path) == (2, 0)
    assert built.multipliers_of("conv1_bn/gamma") == (1, 0)


def test_frozen_normalization_stays_where_the_convolution_before_it_learns(network):
    training = replace(TRAINING, freeze_normalization=True)
    choose_layers(network, training)

    assert network.get_layer("conv1").trainable
    assert not network.get_layer("conv1_bn").trainable


class Placed(keras.layers.Layer):
    """Positions twice, as KerasHub's DINOv2 keeps them."""

    def build(self, input_shape):
        self.kept = self.add_weight(shape=(2,), name="position_embeddings")
        self.refilled = self.add_weight(
            shape=(2,), name="interpolated_position_embeddings"
        )

    def call(self, inputs):
        return inputs + self.refilled


def test_positions_that_a_saved_model_could_not_bring_back_do_not_learn():
    crops = keras.Input((2,))
    model = keras.Model(crops, keras.layers.Dense(2, name="logits")(Placed()(crops)))

    choose_layers(model, TRAINING)

    assert [weight.name for weight in model.trainable_weights] == (
        ["position_embeddings", "kernel", "bias"]
    )
