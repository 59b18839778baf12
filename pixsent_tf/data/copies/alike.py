"""Which small gray pictures show the same thing, but for a cut and a new encoding?

Three steps, each on fewer pairs:

1. A perceptual hash of each picture: its 8 x 8 and 16 x 16 reductions. Copies correlate
   above .75 and .6; so do three pairs of different photographs in a thousand.
2. The pair is lined up at 16, 32 and 64 pixels, since a cut moves everything.
3. The details correlate: .93 and more for copies, .58 and less for photographs that
   only look alike.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from threadpoolctl import threadpool_limits

from pixsent_tf.data.copies import alignment

SIDE = 64  # of a thumbnail, in pixels
COARSE, FINE = (8, 0.75), (16, 0.6)  # side of the reduction, least correlation
LEVELS = ((16, 5, 0.85), (32, 4, 0.8), (64, 2, 0.9))  # side, steps, least correlation
LEAST_DETAIL = 0.8
_LEAST_CONTRAST = 1.0  # of 255; a blank picture looks like any other
_CHUNK = 1024  # pairs that are lined up at once
_BLOCK = (512, 4096)  # pictures that are correlated at once: what a cache holds


def alike_pairs(thumbnails: np.ndarray) -> Iterator[tuple[int, int, float]]:
    """Find the thumbnails that show the same thing.

    Args:
        thumbnails: Gray pictures, uint8 [N, 64, 64].

    Yields:
        The positions of two of them, the smaller first, and how far apart they are: 0
        for the same details, 1 for unrelated ones.
    """
    candidates = candidate_pairs(thumbnails)
    reduced = {side: reduce(thumbnails, side) for side, _, _ in LEVELS[:2]}
    for start in range(0, len(candidates), _CHUNK):
        first, second = candidates[start : start + _CHUNK].T
        changes = alignment.identity(len(first))
        for side, num_steps, least in LEVELS:
            images, others = (
                reduced[side][which]
                if side in reduced
                else reduce(thumbnails[which], side)
                for which in (first, second)
            )
            changes = alignment.align(images, others, changes, num_steps=num_steps)
            kept = alignment.correlate(images, others, changes) >= least
            first, second, changes = first[kept], second[kept], changes[kept]
        details = alignment.correlate_details(images[kept], others[kept], changes)
        for a, b, detail in zip(first, second, details, strict=True):
            if detail >= LEAST_DETAIL:
                yield int(a), int(b), float(1 - detail)


def candidate_pairs(thumbnails: np.ndarray) -> np.ndarray:
    """Find the pairs whose hashes correlate.

    The coarse hashes of all pairs are compared, a cache full at a time; the fine ones
    only of pairs that are left. No tree or band over the hashes does with less: at
    these correlations the neighborhood of a photograph reaches into every branch.

    Args:
        thumbnails: Gray pictures, uint8 [N, 64, 64].

    Returns:
        Positions, int64 [M, 2], the smaller first.
    """
    coarse, fine = (hashes(thumbnails, side) for side, _ in (COARSE, FINE))
    height, width = _BLOCK
    found = [np.zeros((0, 2), dtype=np.int64)]
    # Products this small are done before a second thread has woken up.
    with threadpool_limits(1):
        for top in range(0, len(thumbnails), height):
            rows = coarse[top : top + height]
            for left in range(top, len(thumbnails), width):
                alike = rows @ coarse[left : left + width].T >= COARSE[1]
                rows_at, columns_at = np.divmod(np.flatnonzero(alike), alike.shape[1])
                first, second = rows_at + top, columns_at + left
                once = first < second
                first, second = first[once], second[once]
                kept = (fine[first] * fine[second]).sum(axis=1) >= FINE[1]
                found.append(np.stack([first[kept], second[kept]], axis=1))
    return np.concatenate(found)


def hashes(thumbnails: np.ndarray, side: int) -> np.ndarray:
    """Reduce to vectors whose products are correlations.

    Args:
        thumbnails: Gray pictures, uint8 [N, 64, 64].
        side: Of the reduction, in pixels.

    Returns:
        Vectors of mean 0 and length 1, float32 [N, side * side]; 0 for a blank picture.
    """
    values = reduce(thumbnails, side).reshape(len(thumbnails), side * side)
    values -= values.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    is_blank = lengths < _LEAST_CONTRAST * side
    return np.where(is_blank, 0, values / np.maximum(lengths, 1e-6))


def reduce(thumbnails: np.ndarray, side: int) -> np.ndarray:
    """Average blocks of pixels.

    Args:
        thumbnails: Gray pictures, uint8 [N, 64, 64].
        side: Of the reduction, in pixels; a divisor of 64.

    Returns:
        float32 [N, side, side].
    """
    block = SIDE // side
    blocks = thumbnails.reshape(-1, side, block, side, block)
    return blocks.mean(axis=(2, 4), dtype=np.float32)
