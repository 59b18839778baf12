"""On which devices does one training run?

    PIXSENT_DISTRIBUTE=mirrored    on all GPUs of this machine, the batch divided

Each replica sees its part of the same batch, so that the steps are those of one device
but for rounding. `tf.distribute.MultiWorkerMirroredStrategy`, which would take several
machines, is broken in Keras 3 (keras#20585): these share folds and trials instead.
"""

from __future__ import annotations

import contextlib
import functools
from contextlib import AbstractContextManager
from typing import Any

import tensorflow as tf

from pixsent_tf.errors import ConfigError
from pixsent_tf.machine import wanted_distribution


def find_strategy() -> tf.distribute.Strategy | None:
    """Make what divides the batches of a training, if that is asked for.

    Returns:
        A strategy over all GPUs, or over all logical CPUs where there is no GPU; None
        where one device trains.

    Raises:
        ConfigError: If there is a single device to divide them between.
    """
    if wanted_distribution() == "none":
        return None
    kinds = (tf.config.list_logical_devices(kind) for kind in ("GPU", "CPU"))
    devices = tuple(device.name for device in next(filter(None, kinds)))
    if len(devices) < 2:
        raise ConfigError(
            f"--distribute mirrored divides batches between devices, and there is "
            f"{devices[0]} only; leave it out."
        )
    return _mirrored(devices)


@functools.cache
def _mirrored(devices: tuple[str, ...]) -> tf.distribute.Strategy:
    """Make the one strategy of a process: a second would use the same keys."""
    is_host = any("CPU" in device for device in devices)
    add = tf.distribute.ReductionToOneDevice() if is_host else None
    return tf.distribute.MirroredStrategy(devices, cross_device_ops=add)


def scope_of(strategy: tf.distribute.Strategy | None) -> AbstractContextManager[object]:
    """Give the scope in which a network is built and trained.

    Args:
        strategy: What `find_strategy` gave.

    Returns:
        Its scope, or one that does nothing.
    """
    return contextlib.nullcontext() if strategy is None else strategy.scope()


def evened(batches: tf.data.Dataset, replicas: int) -> tf.data.Dataset:
    """Let every batch have as many pictures as can be divided between replicas.

    What is added are copies of the first picture that weigh nothing, and the others
    weigh as much more as there are more of them: the mean loss stays what it was.

    Args:
        batches: Of (what is seen, targets, weights).
        replicas: How many take part.

    Returns:
        The same batches, the last of an epoch padded.
    """
    if replicas == 1:
        return batches

    def pad(seen: Any, targets: tf.Tensor, weights: tf.Tensor) -> tuple[Any, ...]:
        count = tf.shape(weights)[0]
        missing = -count % replicas
        ranks = tf.concat([tf.range(count), tf.zeros([missing], tf.int32)], axis=0)
        more = tf.cast(count + missing, tf.float32) / tf.cast(count, tf.float32)
        weights = tf.concat([weights * more, tf.zeros([missing])], axis=0)
        return (
            tf.nest.map_structure(lambda each: tf.gather(each, ranks), seen),
            tf.gather(targets, ranks),
            weights,
        )

    return batches.map(pad)
