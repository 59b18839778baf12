"""What does a network see in a picture, layer by layer?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import ImageError
from pixsent_tf.inference.frozen import Frozen, FrozenSweep
from pixsent_tf.models import surgery
from pixsent_tf.progress import NO_PROGRESS, Progress


@dataclass(frozen=True)
class Activations:
    """Named activations of the pictures that could be read.

    Attributes:
        positions: Of these pictures in the list that was given, int [N].
        layers: By name, in the order asked for: float32 [N, h, w, C] or [N, F].
        failures: The error of each picture that could not be read, by position.
    """

    positions: np.ndarray
    layers: dict[str, np.ndarray]
    failures: dict[int, ImageError]


def read_activations(
    network: keras.Model,
    preprocessor: Preprocessor,
    paths: Sequence[str],
    layers: Sequence[str],
    *,
    pool: bool = False,
    batch_size: int = 32,
    progress: Progress = NO_PROGRESS,
) -> Activations:
    """Pass the center crop of each picture through a network.

    Args:
        network: Functional model that takes crops.
        preprocessor: Its geometry.
        paths: The pictures.
        layers: Names of its layers.
        pool: Average over height and width, which makes [N, h, w, C] to [N, C].
        batch_size: Pictures a step.
        progress: Hears how far it is.

    Returns:
        The activations, in the order of `paths`.

    Raises:
        ConfigError: If the network has no such layer.
        DataError: If none of the pictures can be read.
    """
    model = surgery.features(network, layers)
    sweep = FrozenSweep(
        Frozen(model, preprocessor),
        paths,
        after=_pool if pool else None,
        batch_size=batch_size,
        progress=progress,
    )
    positions, found = sweep.collect()
    return Activations(
        positions, {name: found[name] for name in layers}, sweep.failures
    )


def _pool(activations: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return {
        name: tf.reduce_mean(x, [1, 2]) if len(x.shape) == 4 else x
        for name, x in activations.items()
    }
