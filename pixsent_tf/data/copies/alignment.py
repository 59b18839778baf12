"""Is one small gray picture a cut of another? Line them up, then compare.

A copy that lost its border is the same picture, moved and stretched a little along
each axis. Gauss-Newton steps find that change for thousands of pairs at once.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

# Beyond a cut of 5 % a side on each of the two pictures, and some.
_MAX_STRETCH = 1.25
_MAX_SHIFT = 0.2
_DAMPING = 1e-3
_BLUR = 3.0  # pixels; what is coarser than this is light and sky, not the picture


def identity(num_pairs: int) -> np.ndarray:
    """Give the change that changes nothing, where a search starts.

    Args:
        num_pairs: Number of pairs, B.

    Returns:
        Stretch and shift along x, then along y, float32 [B, 4].
    """
    return np.tile(np.array([1, 0, 1, 0], dtype="float32"), (num_pairs, 1))


def align(
    images: np.ndarray, others: np.ndarray, changes: np.ndarray, *, num_steps: int
) -> np.ndarray:
    """Find how each picture must be stretched and moved to lie on its partner.

    Args:
        images: Gray pictures to change, float32 [B, S, S].
        others: Gray pictures to meet, float32 [B, S, S].
        changes: Where to start, float32 [B, 4]; in half sides of the picture.
        num_steps: Gauss-Newton steps.

    Returns:
        The changes found, float32 [B, 4]. Brightness and contrast play no part.
    """
    side = images.shape[1]
    centers = _centers(side)
    changes = changes.copy()
    for _ in range(num_steps):
        warped, mask = _warp(images, changes)
        warped, wanted = _normalize(warped, mask), _normalize(others, mask)
        down, across = np.gradient(warped, 2 / side, axis=(1, 2))
        across = across / changes[:, 0, None, None] * mask
        down = down / changes[:, 2, None, None] * mask
        slopes = np.stack(
            [across * centers, across, down * centers[:, None], down], axis=1
        ).reshape(len(images), 4, side * side)  # [B, 4, S * S]
        normal = slopes @ slopes.transpose(0, 2, 1)
        damping = _DAMPING * np.trace(normal, axis1=1, axis2=2) + 1e-6
        normal += damping[:, None, None] * np.eye(4, dtype="float32")
        misses = (wanted - warped).reshape(len(images), side * side, 1)
        changes += np.linalg.solve(normal, slopes @ misses)[:, :, 0]
        changes[:, 0::2] = changes[:, 0::2].clip(1 / _MAX_STRETCH, _MAX_STRETCH)
        changes[:, 1::2] = changes[:, 1::2].clip(-_MAX_SHIFT, _MAX_SHIFT)
    return changes


def correlate(
    images: np.ndarray, others: np.ndarray, changes: np.ndarray
) -> np.ndarray:
    """Compare pictures with their partners, once lined up.

    Args:
        images: Gray pictures, float32 [B, S, S].
        others: Their partners, float32 [B, S, S].
        changes: What `align` found, float32 [B, 4].

    Returns:
        Correlation of the pixels that both hold, float32 [B], -1…1.
    """
    warped, mask = _warp(images, changes)
    return (_normalize(warped, mask) * _normalize(others, mask)).sum(axis=(1, 2))


def correlate_details(
    images: np.ndarray, others: np.ndarray, changes: np.ndarray
) -> np.ndarray:
    """Compare the details of pictures, as `correlate` compares their pixels.

    Any two landscapes are dark below and bright above; only what is smaller than the
    sky tells one from another.

    Args:
        images: Gray pictures, float32 [B, S, S].
        others: Their partners, float32 [B, S, S].
        changes: What `align` found, float32 [B, 4].

    Returns:
        Correlation of the details, float32 [B], -1…1.
    """
    warped, mask = _warp(images, changes)
    details, wanted = (
        _normalize(pictures - gaussian_filter(pictures, (0, _BLUR, _BLUR)), mask)
        for pictures in (warped, others)
    )
    return (details * wanted).sum(axis=(1, 2))


def _warp(images: np.ndarray, changes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Stretch and move, [B, S, S]; with a mask of the pixels that exist."""
    side = images.shape[1]
    across, has_column = _interpolation(changes[:, 0], changes[:, 1], side)
    down, has_row = _interpolation(changes[:, 2], changes[:, 3], side)
    mask = has_row[:, :, None] & has_column[:, None, :]
    return down @ images @ across.transpose(0, 2, 1), mask.astype("float32")


def _interpolation(
    stretch: np.ndarray, shift: np.ndarray, side: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weights of linear interpolation along one axis, [B, S, S]; which fall inside."""
    places = stretch[:, None] * _centers(side) + shift[:, None]
    pixels = ((places + 1) * side / 2 - 0.5).clip(0, side - 1)
    distances = np.abs(pixels[:, :, None] - np.arange(side, dtype="float32"))
    return np.maximum(0, 1 - distances), np.abs(places) <= 1


def _centers(side: int) -> np.ndarray:
    return (2 * np.arange(side, dtype="float32") + 1) / side - 1


def _normalize(images: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Bring to mean 0 and length 1 where the mask is 1, to 0 elsewhere."""
    means = (images * mask).sum((1, 2), keepdims=True)
    centered = (images - means / mask.sum((1, 2), keepdims=True)) * mask
    lengths = np.sqrt((centered**2).sum((1, 2), keepdims=True))
    return centered / np.maximum(lengths, 1e-6)
