"""How does a tower that learnt its positions for one size see pictures of another?

It is built once more for that size. All weights are those of the tower; the grid of its
positions is interpolated as PyTorch's `transformers` does it: bicubic, not antialiased,
what belongs to no patch (token 0 and its like) as it was.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from pixsent_tf.models.towers.stacks import REFILLED

POSITION_NUMBERS, LEARNT_FOR = "position_ids", "position_embedding_shape"
_SHARPNESS = -0.75  # of the cubic kernel, as PyTorch has it


def fits(network: Any, side: int) -> bool:
    """Tell whether a network sees pictures of a size as its weights want it.

    KerasHub interpolates the positions of DINOv2 by itself: for a network with
    registers as PyTorch does, for one without by another kernel.

    Args:
        network: Of KerasHub, built for pictures of some size, or of any.
        side: Of its pictures, in pixels.

    Returns:
        Whether it needs not be built once more.
    """
    reads = keras.tree.flatten(network.input)[0].shape[1]
    learnt = getattr(network, LEARNT_FOR, (side,))
    is_right = getattr(network, "antialias_in_interpolation", True)
    return reads in (None, side) and (is_right or learnt[0] == side)


def resized(network: Any, side: int) -> Any:
    """Build a network of KerasHub for pictures of another size.

    Args:
        network: Whose positions are a table: one row a patch, others before them.
        side: Of its pictures, in pixels; a multiple of its patches' side.

    Returns:
        The same kind of network, with the same weights but for the positions.
    """
    config, shape = network.get_config(), (side, side, 3)
    config |= {name: shape for name in ("image_shape", LEARNT_FOR) if name in config}
    new = type(network).from_config(config)
    for weight, known in zip(new.weights, network.weights, strict=True):
        if weight.shape == known.shape:
            weight.assign(known)
        elif weight.name != POSITION_NUMBERS:
            table = keras.ops.convert_to_numpy(known)
            weight.assign(_positions(table, math.isqrt(weight.shape[-2])))
    number_positions(new)
    by_name = {weight.name: weight for weight in new.weights}
    if REFILLED in by_name:
        by_name[REFILLED].assign(by_name["position_embeddings"])
    return new


def number_positions(network: Any) -> None:
    """Fill what numbers the patches: KerasHub leaves that to a file, else all are 0.

    Args:
        network: Any network; one without such numbers stays as it is.
    """
    for weight in network.weights:
        if weight.name == POSITION_NUMBERS:
            weight.assign(np.arange(weight.shape[1])[None])


def patch_side(network: Any) -> int:
    """Tell how large patches are.

    Args:
        network: Any network.

    Returns:
        Pixels a side; 1 where there are no patches.
    """
    patch = getattr(network, "patch_size", 1)
    return int(patch if isinstance(patch, int) else patch[0])


def interpolate(grid: np.ndarray, cells: int) -> np.ndarray:
    """Bring a square grid of vectors to another number of cells.

    Args:
        grid: float [h, h, D].
        cells: A side, of the new grid.

    Returns:
        float [cells, cells, D].
    """
    to_new = _cubic(len(grid), cells)
    return np.einsum("yh,xw,hwd->yxd", to_new, to_new, grid)


def _positions(table: np.ndarray, cells: int) -> np.ndarray:
    """Interpolate what belongs to patches; [..., N, D], of which N changes."""
    *outer, count, width = table.shape
    rows = table.reshape(count, width).astype("float64")
    known = math.isqrt(count)  # one or two rows before the patches change no root
    before = count - known**2
    grid = rows[before:].reshape(known, known, width)
    new = interpolate(grid, cells).reshape(cells**2, width)
    return np.concatenate([rows[:before], new]).reshape(*outer, -1, width)


def _cubic(known: int, wanted: int) -> np.ndarray:
    """What each old cell of a line gives to each new one, [wanted, known]."""
    matrix = np.zeros((wanted, known))
    centers = (np.arange(wanted) + 0.5) * known / wanted - 0.5
    for step in range(-1, 3):
        cell = np.floor(centers).astype(int) + step
        share = _kernel(np.abs(centers - cell))
        np.add.at(matrix, (np.arange(wanted), cell.clip(0, known - 1)), share)
    return matrix


def _kernel(x: np.ndarray) -> np.ndarray:
    """Keys' cubic kernel at distances of 0..2."""
    near = ((_SHARPNESS + 2) * x - (_SHARPNESS + 3)) * x * x + 1
    far = _SHARPNESS * (((x - 5) * x + 8) * x - 4)
    return np.where(x <= 1, near, far)
