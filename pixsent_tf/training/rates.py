"""How fast does each layer learn, and when?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pixsent_tf.config import TrainingConfig
from pixsent_tf.models.towers.stacks import blocks_of, hold_positions
from pixsent_tf.models.zoo import HEAD
from pixsent_tf.training.optimizers import CAFFE_MULTIPLIERS, CaffeSGD, step_schedule

NO_DECAY = ("bias", "gamma", "beta")


@keras.saving.register_keras_serializable("pixsent_tf")
class LayerwiseAdamW(keras.optimizers.AdamW):
    """AdamW whose steps are longer for some weights than for others.

    Args:
        learning_rate: Rate, a number or a schedule.
        multipliers: Factor of the rate by a variable's path; 1 for all others.
        **kwargs: What AdamW takes, but for `amsgrad`.
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 1e-3,
        multipliers: Mapping[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.multipliers = dict(multipliers or {})
        self._factors: list[float] = []

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Look the factors up, as long as the variables know their paths.

        Args:
            variables: All that will be trained.
        """
        self._factors = [self.multipliers.get(v.path, 1.0) for v in variables]
        super().build(variables)

    def update_step(
        self, gradient: tf.Tensor, variable: keras.Variable, learning_rate: tf.Tensor
    ) -> None:
        """Move one variable.

        Args:
            gradient: Of the loss.
            variable: What to move.
            learning_rate: Of this step, before the variable's own factor.
        """
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1, variable.dtype)
        # One operation instead of a dozen, each of which would pass all weights.
        tf.raw_ops.ResourceApplyAdam(
            var=_handle(variable),
            m=_handle(self._momentums[index]),
            v=_handle(self._velocities[index]),
            beta1_power=tf.pow(tf.cast(self.beta_1, variable.dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, variable.dtype), step),
            lr=tf.cast(learning_rate * self._factors[index], variable.dtype),
            beta1=tf.cast(self.beta_1, variable.dtype),
            beta2=tf.cast(self.beta_2, variable.dtype),
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
        )

    def get_config(self) -> dict[str, Any]:
        """Give what `from_config` needs.

        Returns:
            The optimizer's configuration.
        """
        return {**super().get_config(), "multipliers": self.multipliers}


def _handle(variable: Any) -> tf.Tensor:
    """Give the resource of a variable of Keras or of TensorFlow."""
    return (variable if hasattr(variable, "handle") else variable.value).handle


def leaves(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Go through the layers of a model and of the models inside it, in order.

    Args:
        model: Any model.

    Yields:
        Layers that are no models; of a layer that holds a stack of blocks, the blocks.
    """
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from leaves(layer)
        else:
            yield from blocks_of(layer)


def kernel_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Find the layers that have a kernel, from the pixels to the head.

    Args:
        model: Any model.

    Returns:
        Layers in order.
    """
    return [
        layer
        for layer in leaves(model)
        if layer.weights and not isinstance(layer, keras.layers.BatchNormalization)
    ]


def choose_layers(model: keras.Model, training: TrainingConfig) -> None:
    """Say which layers learn; takes effect when the model is compiled.

    Args:
        model: The network.
        training: Names the strategy.
    """
    frozen: set[int] = set()
    if training.strategy == "last-blocks":
        ordered = kernel_layers(model)
        count = max(1, round(training.trained_fraction * len(ordered)))
        frozen = {id(layer) for layer in ordered[:-count]}
    is_frozen = False
    for layer in leaves(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            # Its statistics go with the convolution before it.
            layer.trainable = not (is_frozen or training.freeze_normalization)
        elif layer.weights:
            is_frozen = id(layer) in frozen
            layer.trainable = not is_frozen
    hold_positions(model)


def rate_multipliers(
    model: keras.Model, *, bottom: float, head: float
) -> dict[str, float]:
    """Give each layer its factor.

    Args:
        model: The network.
        bottom: Factor of the first layer. Those between it and the head form a
            geometric series that ends at 1.
        head: Factor of the head.

    Returns:
        Factors by the path of each trainable variable.
    """
    ordered = kernel_layers(model)
    exponents = np.linspace(1, 0, len(ordered))
    steps = zip(ordered, exponents, strict=True)
    depth = {id(layer): float(bottom**exponent) for layer, exponent in steps}
    factors, latest = {}, bottom
    for layer in leaves(model):
        # Normalization goes with the convolution before it.
        latest = depth.get(id(layer), latest)
        for variable in layer.trainable_variables:
            factors[variable.path] = head if layer.name == HEAD else latest
    return factors


def build_schedule(
    training: TrainingConfig, *, steps: int, steps_per_epoch: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Make the learning rate's course.

    Args:
        training: Names the schedule.
        steps: Of the whole training.
        steps_per_epoch: Steps in an epoch.

    Returns:
        A rate, or a function of the step.
    """
    rate = training.learning_rate
    if training.schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(rate, steps)
    if training.schedule == "step":
        return step_schedule(
            rate, epochs=training.step_epochs, steps_per_epoch=steps_per_epoch
        )
    return rate


def build_optimizer(
    training: TrainingConfig,
    model: keras.Model,
    *,
    steps: int,
    steps_per_epoch: int,
) -> keras.optimizers.Optimizer:
    """Make the optimizer of a recipe.

    Weights decay, biases and normalization do not.

    Args:
        training: Names the optimizer and its settings.
        model: What it will train; its trainable layers are chosen already.
        steps: Of the whole training.
        steps_per_epoch: Steps in an epoch.

    Returns:
        A new optimizer.
    """
    rate = build_schedule(training, steps=steps, steps_per_epoch=steps_per_epoch)
    is_second_phase = training.strategy == "lp-ft"  # the head has learnt already
    factors = rate_multipliers(
        model,
        bottom=training.bottom_multiplier if is_second_phase else 1.0,
        head=1.0 if is_second_phase else training.head_multiplier,
    )
    average: dict[str, Any] = {}
    if training.ema:
        average = {"use_ema": True, "ema_momentum": training.ema}
    if training.optimizer == "caffe_sgd":
        rules = [
            (f"^{re.escape(path)}$", factor, 1.0) for path, factor in factors.items()
        ]
        return CaffeSGD(
            rate,
            momentum=training.momentum,
            weight_decay=training.weight_decay,
            multipliers=(*CAFFE_MULTIPLIERS, *rules),
            **average,
        )
    optimizer = LayerwiseAdamW(
        rate, factors, weight_decay=training.weight_decay, **average
    )
    optimizer.exclude_from_weight_decay(var_names=list(NO_DECAY))
    return optimizer
