"""The updates are written out in NumPy, from Caffe's own formula."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pixsent_tf.errors import ConfigError
from pixsent_tf.training.optimizers import (
    CAFFE_MULTIPLIERS,
    CaffeSGD,
    step_schedule,
)
from tests.float32 import assert_close_float32


def build():
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(4, name="fc7", bias_initializer="ones")(inputs)
    return keras.Model(inputs, keras.layers.Dense(2, name="fc8")(hidden))


NEW_LAYER = (*CAFFE_MULTIPLIERS, ("(^|/)fc8/", 10.0, 1.0))

# variable -> multipliers of rate and decay, as in Caffe's fine-tuning template
TEMPLATE = {
    "fc7/kernel": (1, 1),
    "fc7/bias": (2, 0),
    "fc8/kernel": (10, 1),
    "fc8/bias": (20, 0),
}


def test_five_updates_are_those_of_caffe_across_a_cut_of_the_rate():
    model = build()
    schedule = step_schedule(0.1, iterations=3)
    optimizer = CaffeSGD(
        schedule, momentum=0.9, weight_decay=0.05, multipliers=NEW_LAYER
    )
    generator = np.random.default_rng(0)
    weights = {v.path: v.numpy().astype("float64") for v in model.weights}
    velocities = {path: np.zeros_like(w) for path, w in weights.items()}
    assert weights.keys() == TEMPLATE.keys()

    for rate in (0.1, 0.1, 0.1, 0.01, 0.01):
        gradients = {p: generator.standard_normal(w.shape) for p, w in weights.items()}
        optimizer.apply(
            [keras.ops.convert_to_tensor(g, "float32") for g in gradients.values()],
            model.trainable_weights,
        )
        for path, (rate_multiplier, decay_multiplier) in TEMPLATE.items():
            decayed = gradients[path] + 0.05 * decay_multiplier * weights[path]
            step = rate * rate_multiplier * decayed
            velocities[path] = 0.9 * velocities[path] + step
            weights[path] -= velocities[path]

    for variable in model.weights:
        expected = weights[variable.path]
        assert_close_float32(variable, expected, operations=5 * 4)


def test_fit_updates_as_apply_does():
    model = build()
    before = [w.copy() for w in model.get_weights()]
    optimizer = CaffeSGD(0.5, momentum=0.0, weight_decay=0.1)
    model.compile(optimizer, loss=lambda y, logits: 0 * logits, jit_compile=False)
    model.fit(np.ones((4, 3)), np.zeros((4, 2)), batch_size=4, verbose=0)
    after = model.get_weights()
    assert_close_float32(after[0], before[0] * (1 - 0.5 * 0.1), operations=3)
    np.testing.assert_array_equal(after[1], before[1])  # biases do not decay


def test_what_is_not_said_is_as_in_caffes_template():
    optimizer = CaffeSGD()

    assert float(optimizer.learning_rate) == pytest.approx(0.001)
    assert (optimizer.momentum, optimizer.gradient_decay) == (0.9, 0.0005)


def test_multipliers_that_fit_are_multiplied():
    optimizer = CaffeSGD(
        multipliers=[("fc8/", 10, 1), ("/bias$", 2, 0), ("conv1/", 0, 1)]
    )
    assert optimizer.multipliers_of("caffenet/fc8/bias") == (20, 0)
    assert optimizer.multipliers_of("conv1/kernel") == (0, 1)
    assert optimizer.multipliers_of("conv2/kernel") == (1, 1)


def test_optimizer_survives_its_description():
    optimizer = CaffeSGD(
        step_schedule(1e-3, epochs=6, steps_per_epoch=2.75),
        momentum=0.8,
        weight_decay=0.01,
        multipliers=NEW_LAYER,
    )
    described = keras.saving.serialize_keras_object(optimizer)
    rebuilt = keras.saving.deserialize_keras_object(described, safe_mode=True)
    assert isinstance(rebuilt, CaffeSGD)
    assert rebuilt.get_config() == optimizer.get_config()
    assert rebuilt.multipliers == optimizer.multipliers
    assert rebuilt.gradient_decay == 0.01
    assert rebuilt.weight_decay is None  # Keras' own decay would be a second one


def rates(schedule, iterations):
    return [float(schedule(iteration)) for iteration in iterations]


def test_step_in_iterations_cuts_the_rate_by_ten():
    schedule = step_schedule(1e-3, iterations=3)
    assert rates(schedule, range(7)) == pytest.approx(
        [1e-3, 1e-3, 1e-3, 1e-4, 1e-4, 1e-4, 1e-5]
    )


def test_six_epochs_of_two_and_three_quarters_are_sixteen_and_a_half_iterations():
    schedule = step_schedule(1e-3, epochs=6, steps_per_epoch=2.75)
    assert rates(schedule, [0, 16, 17, 32, 33, 49, 50]) == pytest.approx(
        [1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5, 1e-6]
    )


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({}, "`epochs` or as `iterations`"),
        ({"epochs": 6, "iterations": 3}, "`epochs` or as `iterations`"),
        ({"epochs": 6}, "needs `steps_per_epoch`"),
        ({"iterations": 0}, "0 iterations"),
    ],
)
def test_step_that_is_not_given_once_is_refused(settings, complaint):
    with pytest.raises(ConfigError, match=complaint):
        step_schedule(1e-3, **settings)


def test_a_weight_may_decay_by_half():
    model = build()
    kernel = model.get_layer("fc7").kernel
    before = kernel.numpy()
    optimizer = CaffeSGD(
        0.5, momentum=0.0, weight_decay=0.1, multipliers=[("fc7/kernel", 1.0, 0.5)]
    )

    optimizer.apply([keras.ops.zeros_like(kernel)], [kernel])

    assert_close_float32(kernel, before * (1 - 0.5 * 0.1 * 0.5), operations=3)


def test_neither_biases_nor_normalization_decay_and_offsets_learn_twice_as_fast():
    optimizer = CaffeSGD()

    assert optimizer.multipliers_of("conv1/kernel") == (1, 1)
    assert optimizer.multipliers_of("conv1/bias") == (2, 0)
    assert optimizer.multipliers_of("conv1_bn/gamma") == (1, 0)
    assert optimizer.multipliers_of("conv1_bn/beta") == (2, 0)
    assert optimizer.multipliers_of("beta/kernel") == (1, 1)  # a layer of that name
