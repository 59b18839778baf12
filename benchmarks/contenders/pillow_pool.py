"""How do most loaders read pictures? Pillow, two threads, JPEGs at a reduced scale."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from clock import CANVAS, SIDE, parts
from PIL import Image

EDGE = (CANVAS - SIDE) // 2


def load(path: str) -> np.ndarray:
    """Read the center crop of a file.

    Args:
        path: The file.

    Returns:
        uint8, [SIDE, SIDE, 3].
    """
    with Image.open(path) as image:
        image.draft("RGB", (CANVAS, CANVAS))
        small = image.convert("RGB").resize((CANVAS, CANVAS), Image.Resampling.BILINEAR)
    return np.asarray(small.crop((EDGE, EDGE, EDGE + SIDE, EDGE + SIDE)))


def features(paths: list[str], look: Callable[[np.ndarray], Any]) -> np.ndarray:
    """Compute the features of files; the pool reads a batch ahead.

    Args:
        paths: The files.
        look: From crops, uint8 [B, S, S, 3], to features.

    Returns:
        float32, [N, F].
    """
    found = []
    with ThreadPoolExecutor(2) as pool:
        coming = [[pool.submit(load, path) for path in part] for part in parts(paths)]
        for batch in coming:
            crops = np.stack([each.result() for each in batch])
            batch.clear()
            found.append(np.asarray(look(crops)))
    return np.concatenate(found)
