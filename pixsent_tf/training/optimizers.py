"""How does Caffe descend?

Keras' SGD already keeps the rate inside the velocity, as Caffe does. What it lacks are
rates and decays of their own for layers and biases; `CaffeSGD` adds them.

Reference:
    Campos et al., "From Pixels to Sentiment", Image and Vision Computing 65, 2017,
    section 3.1; Caffe's solver template for fine-tuning.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from pixsent_tf.errors import ConfigError

Multiplier = tuple[str, float, float]

# Biases and normalization's offsets learn twice as fast and do not decay.
CAFFE_MULTIPLIERS: tuple[Multiplier, ...] = (
    (r"/(bias|beta)$", 2.0, 0.0),
    (r"/gamma$", 1.0, 0.0),
)


@keras.saving.register_keras_serializable("pixsent_tf")
class CaffeSGD(keras.optimizers.SGD):
    """Descend with momentum, and with rates and decays of their own for some weights.

    v = momentum * v + rate * rate_multiplier * (gradient
        + weight_decay * decay_multiplier * w);  w = w - v

    The decay is part of the gradient, as in Caffe; Keras' own `weight_decay` is not.

    Args:
        learning_rate: Rate, a number or a schedule such as `step_schedule`.
        momentum: Share of the velocity that is kept, 0..1.
        weight_decay: Factor on the weights.
        multipliers: (regular expression, rate multiplier, decay multiplier); the
            multipliers of all expressions found in a variable's path, such as
            "fc8/bias", are multiplied.
        **kwargs: What every Keras optimizer takes.

    Example:
        CaffeSGD(step_schedule(1e-3, epochs=6, steps_per_epoch=2.75),
                 multipliers=(*CAFFE_MULTIPLIERS, ("(^|/)fc8/", 10.0, 1.0)))
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 1e-3,
        momentum: float = 0.9,
        weight_decay: float = 5e-4,
        multipliers: Sequence[Multiplier] = CAFFE_MULTIPLIERS,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, momentum=momentum, **kwargs)
        self.gradient_decay = weight_decay
        self.multipliers = tuple(
            (pattern, float(rate), float(decay)) for pattern, rate, decay in multipliers
        )

    def multipliers_of(self, path: str) -> tuple[float, float]:
        """Return the rate and the decay multiplier of a variable's path."""
        rate = decay = 1.0
        for pattern, rate_multiplier, decay_multiplier in self.multipliers:
            if re.search(pattern, path):
                rate *= rate_multiplier
                decay *= decay_multiplier
        return rate, decay

    def build(self, variables: list[keras.Variable]) -> None:
        """Look up the multipliers, as long as the variables know their paths."""
        super().build(variables)
        self._by_index = [self.multipliers_of(variable.path) for variable in variables]

    def update_step(
        self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor
    ) -> None:
        """Move one variable."""
        rate, decay = self._by_index[self._get_variable_index(variable)]
        if decay * self.gradient_decay:
            gradient = gradient + self.gradient_decay * decay * variable
        super().update_step(gradient, variable, learning_rate * rate)

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds this optimizer."""
        config = super().get_config()
        config["weight_decay"] = self.gradient_decay
        config["multipliers"] = [list(rule) for rule in self.multipliers]
        return config


def step_schedule(
    learning_rate: float,
    *,
    epochs: float | None = None,
    iterations: float | None = None,
    steps_per_epoch: float | None = None,
    factor: float = 0.1,
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Cut the rate by a factor at regular steps.

    Args:
        learning_rate: Rate of the first step.
        epochs: Length of a step in epochs, and then `steps_per_epoch` as well.
        iterations: Length of a step in batches, instead of `epochs`.
        steps_per_epoch: Batches in an epoch; Caffe's may be fractions, as it goes on
            in the middle of a batch.
        factor: What the rate is multiplied with at each step.

    Returns:
        learning_rate * factor ^ floor(iteration / step).

    Raises:
        ConfigError: If the length of a step is not given in exactly one way.
    """
    if (epochs is None) == (iterations is None):
        raise ConfigError("Give the step's length as `epochs` or as `iterations`.")
    if iterations is not None:
        step = iterations
    elif epochs is not None and steps_per_epoch is not None:
        step = epochs * steps_per_epoch
    else:
        raise ConfigError("A step in epochs needs `steps_per_epoch`.")
    if step <= 0:
        raise ConfigError(f"A step of {step} iterations is none; use 1 or more.")
    return keras.optimizers.schedules.ExponentialDecay(
        learning_rate, step, factor, staircase=True
    )
