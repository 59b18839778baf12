"""How does a network get from its starting weights to its last? By Keras' `fit`."""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pixsent_tf.config import Recipe, to_json
from pixsent_tf.data.canvases import Canvases, Examples, order_of_epoch
from pixsent_tf.data.splits import holdout
from pixsent_tf.errors import TrainingError
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.training.callbacks import (
    Checkpoint,
    KeepBest,
    Report,
    StopAfter,
    StopWhereNotFinite,
)
from pixsent_tf.training.checkpoints import Chain
from pixsent_tf.training.distribution import evened
from pixsent_tf.training.rates import build_optimizer
from pixsent_tf.training.views import Views

INNER_FRACTION = 0.2  # of the training part, for early stopping


def descend(
    views: Views,
    examples: Examples,
    recipe: Recipe,
    *,
    progress: Progress = NO_PROGRESS,
    checkpoints: Path | None = None,
) -> list[dict[str, float]]:
    """Train a network from the weights that it has.

    Args:
        views: What it sees; the weights of the trainee change. Which of its layers
            learn is chosen already.
        examples: Which pictures train, and on what.
        recipe: Says how.
        progress: Hears of each epoch.
        checkpoints: Folder for what a killed training goes on from; None for none.

    Returns:
        One row per epoch.

    Raises:
        DataError: If a class has too few pictures for early stopping.
        TrainingError: If a loss is not finite, or the memory is too small.
    """
    training, trainee = recipe.training, views.trainee
    train, inner = _inner_split(examples, recipe)
    steps_per_epoch = math.ceil(len(train.indices) / training.batch_size)
    steps = training.epochs * steps_per_epoch
    if training.max_steps:
        steps = min(steps, training.max_steps)
    epochs = math.ceil(steps / steps_per_epoch)
    optimizer = build_optimizer(
        training, trainee, steps=steps, steps_per_epoch=steps_per_epoch
    )
    loss, metric = _aim(recipe)
    trainee.compile(
        optimizer,
        loss=loss,
        metrics=[metric],
        jit_compile=False,  # on a CPU, depthwise convolutions get 20 times slower
    )
    optimizer.build(trainee.trainable_variables)
    rows = Report(epochs, progress)
    best = KeepBest(training.patience) if inner is not None else None

    def pictures_of(epoch: int, step: int) -> np.ndarray:
        found = order_of_epoch(train.indices, seed=recipe.seed, epoch=epoch)
        return found[step * training.batch_size :][: training.batch_size]

    finite = StopWhereNotFinite(training.learning_rate, pictures_of)
    callbacks: list[Any] = [finite, StopAfter(steps), rows, *([best] if best else [])]
    if training.ema:
        callbacks.append(keras.callbacks.SwapEMAWeights())
    first_epoch = 0
    if checkpoints is not None:
        folder = checkpoints / _fingerprint(recipe, views.canvases, examples)
        checkpoint = Checkpoint(Chain(folder, progress), rows, best)
        callbacks.append(checkpoint)
        first_epoch = checkpoint.restore(trainee)
        if best is not None and best.waited >= training.patience:
            first_epoch = epochs  # killed when it was about to stop
    size = training.batch_size
    with _memory_for(size):
        batches = views.of_epochs(
            train,
            batch_size=size,
            seed=recipe.seed,
            epochs=epochs,
            first_epoch=first_epoch,
        )
        trainee.fit(
            evened(batches, tf.distribute.get_strategy().num_replicas_in_sync),
            epochs=epochs,
            initial_epoch=first_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_data=inner and views.of_centers(inner, batch_size=size),
            callbacks=callbacks,
            shuffle=False,  # the pipeline has shuffled
            verbose=0,
        )
    return rows.rows


@contextlib.contextmanager
def _memory_for(batch_size: int) -> Iterator[None]:
    """Say which batch was too large for the memory of the host or of the GPU."""
    try:
        yield
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        raise TrainingError(
            f"The memory is too small for steps of {batch_size} pictures; try "
            f"--batch-size {max(1, batch_size // 2)} with another --out, or "
            f"--batch-size auto, which halves it until it fits.",
            batch_size=batch_size,
        ) from error


def _inner_split(
    examples: Examples, recipe: Recipe
) -> tuple[Examples, Examples | None]:
    """Hold a part out for early stopping."""
    indices, targets, weights = examples.indices, examples.targets, examples.weights
    is_inner = np.zeros(len(indices), dtype=bool)
    if recipe.training.patience:
        labels = targets[indices].argmax(axis=1)
        if examples.ranges is not None:
            labels = examples.ranges[indices]
        units = None if examples.units is None else examples.units[indices]
        is_inner = holdout(labels, INNER_FRACTION, seed=recipe.seed, units=units)
    train = Examples(indices[~is_inner], targets, weights)
    inner = Examples(indices[is_inner], targets, weights)
    return train, inner if is_inner.any() else None


def _aim(recipe: Recipe) -> tuple[keras.losses.Loss, keras.metrics.Metric]:
    """What is made small, and what is told beside it."""
    training = recipe.training
    if recipe.data.target:
        is_squared = training.rating_loss == "squared"
        loss = keras.losses.MeanSquaredError() if is_squared else keras.losses.Huber()
        return loss, keras.metrics.RootMeanSquaredError(name="rmse")
    return (
        keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=training.label_smoothing
        ),
        keras.metrics.CategoricalAccuracy(name="accuracy"),
    )


def _fingerprint(recipe: Recipe, canvases: Canvases, examples: Examples) -> str:
    """Name a training by everything that decides it."""
    digest = hashlib.sha256(to_json(recipe).encode())
    digest.update("\n".join(canvases.paths).encode())
    digest.update(examples.indices.astype("int64").tobytes())
    digest.update(examples.targets.astype("float32").tobytes())
    if examples.weights is not None:
        digest.update(examples.weights.astype("float32").tobytes())
    if examples.units is not None:
        digest.update(examples.units.astype("int64").tobytes())
    return digest.hexdigest()[:16]
