"""How much does each pixel of a line count where the line is resized, antialiased?

The one definition in NumPy of what `tf.image.resize(antialias=True)` and Pillow do.
"""

from __future__ import annotations

import numpy as np


def line_weights(size: int, side: int, resample: str = "bilinear") -> np.ndarray:
    """Give the matrix that resizes a line.

    Args:
        size: Pixels of the line.
        side: Pixels that are wanted.
        resample: "bilinear" or "bicubic" (Keys' cubic with a = -1/2).

    Returns:
        How much each pixel counts for each of the new ones, float32 [side, size];
        every row sums to 1.

    Example:
        >>> line_weights(4, 2).tolist()
        [[0.4285714328289032, 0.4285714328289032, 0.1428571492433548, 0.0], \
[0.0, 0.1428571492433548, 0.4285714328289032, 0.4285714328289032]]
    """
    scale = size / side
    places = (np.arange(side)[:, None] + 0.5) * scale - np.arange(size) - 0.5
    distances = np.abs(places) / max(scale, 1.0)
    weights = _triangle(distances) if resample == "bilinear" else _cubic(distances)
    return (weights / weights.sum(axis=1, keepdims=True)).astype("float32")


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(0, 1 - x)


def _cubic(x: np.ndarray) -> np.ndarray:
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))
