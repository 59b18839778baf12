"""What does a network see in a picture, layer by layer?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from pixsent_tf.data.pipeline import CanvasStream
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import DataError, ImageError
from pixsent_tf.models import surgery


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
    advance: Callable[[int], object] = lambda count: None,
) -> Activations:
    """Pass the center crop of each picture through a network.

    Args:
        network: Functional model that takes crops.
        preprocessor: Its geometry.
        paths: The pictures.
        layers: Names of its layers.
        pool: Average over height and width, which makes [N, h, w, C] to [N, C].
        batch_size: Pictures a step.
        advance: Called with the number of pictures done since the last call.

    Returns:
        The activations, in the order of `paths`.

    Raises:
        ConfigError: If the network has no such layer.
        DataError: If none of the pictures can be read.
    """
    model = surgery.features(network, layers)

    @tf.function(reduce_retracing=True)
    def see(canvases: tf.Tensor) -> dict[str, tf.Tensor]:
        found = model(preprocessor.center_crop(canvases), training=False)
        if not pool:
            return found
        return {
            name: tf.reduce_mean(x, [1, 2]) if len(x.shape) == 4 else x
            for name, x in found.items()
        }

    stream = CanvasStream(paths, preprocessor, batch_size)
    positions: list[np.ndarray] = []
    parts: dict[str, list[np.ndarray]] = {name: [] for name in layers}
    for found, canvases in stream:
        positions.append(found)
        for name, activation in see(canvases).items():
            parts[name].append(activation.numpy())
        advance(len(found))
    advance(len(stream.failures))
    if not positions:
        raise DataError(f"None of the {len(paths)} pictures can be read.")
    return Activations(
        positions=np.concatenate(positions),
        layers={name: np.concatenate(part) for name, part in parts.items()},
        failures=stream.failures,
    )
