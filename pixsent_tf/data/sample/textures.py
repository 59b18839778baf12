"""What is behind a drawn face? Stripes, dots, clouds, from a seed."""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import numpy as np
from PIL import Image

Pattern = Callable[[np.random.Generator, np.ndarray, np.ndarray], np.ndarray]


def draw_texture(generator: np.random.Generator, size: int) -> np.ndarray:
    """Draw a background: two colors mixed by a pattern, some grain, a light.

    Args:
        generator: Source of every choice.
        size: Height and width, in pixels.

    Returns:
        The picture, RGB in 0..255, float32, [size, size, 3].
    """
    angle = generator.uniform(0, 2 * np.pi)
    place = np.arange(size, dtype=np.float32) / size - 0.5
    rows, columns = place[:, None], place[None, :]
    across = rows * np.float32(np.sin(angle)) + columns * np.float32(np.cos(angle))
    along = rows * np.float32(np.cos(angle)) - columns * np.float32(np.sin(angle))
    pattern = PATTERNS[generator.integers(len(PATTERNS))]
    share = pattern(generator, across, along)[..., None]  # [S, S] -> [S, S, 1]

    hue = generator.uniform()
    first = color(hue, generator.uniform(0.15, 0.65), generator.uniform(0.45, 1.0))
    second = color(
        hue + generator.normal(0, 0.15),
        generator.uniform(0.15, 0.65),
        generator.uniform(0.35, 1.0),
    )
    texture = first + (second - first) * share
    coarse = generator.normal(0, generator.uniform(2, 14), (64, 64))
    grain = Image.fromarray(coarse.astype(np.float32)).resize((size, size))
    return texture + np.asarray(grain)[..., None]


def color(hue: float, saturation: float, value: float) -> np.ndarray:
    """Give a color by hue, saturation and value.

    Args:
        hue: Place on the color circle; whole turns do not matter.
        saturation: From gray to pure, 0..1.
        value: From black to bright, 0..1.

    Returns:
        RGB in 0..255, float32, [3].
    """
    rgb = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return np.array(rgb, np.float32) * 255


def _stripes(
    generator: np.random.Generator, across: np.ndarray, along: np.ndarray
) -> np.ndarray:
    bend = generator.uniform(0, 0.06) * np.sin(along * generator.uniform(4, 16))
    wave = np.sin((across + bend) * generator.uniform(15, 70))
    return _soft_step(wave, generator.uniform(1, 8))


def _checks(
    generator: np.random.Generator, across: np.ndarray, along: np.ndarray
) -> np.ndarray:
    density = generator.uniform(10, 40)
    wave = np.sin(across * density) * np.sin(along * density)
    return _soft_step(wave, generator.uniform(2, 12))


def _dots(
    generator: np.random.Generator, across: np.ndarray, along: np.ndarray
) -> np.ndarray:
    density = generator.uniform(15, 45)
    wave = np.cos(across * density) + np.cos(along * density)
    return _soft_step(wave - generator.uniform(0.2, 1.0), generator.uniform(3, 10))


def _gradient(
    generator: np.random.Generator, across: np.ndarray, along: np.ndarray
) -> np.ndarray:
    return _soft_step(across, generator.uniform(1, 4))


def _rings(
    generator: np.random.Generator, across: np.ndarray, along: np.ndarray
) -> np.ndarray:
    row, column = generator.uniform(-0.6, 0.6, 2)
    distance = np.hypot(across - row, along - column)
    return _soft_step(np.sin(distance * generator.uniform(15, 60)), 3.0)


def _clouds(
    generator: np.random.Generator, across: np.ndarray, along: np.ndarray
) -> np.ndarray:
    size = len(across)
    total = np.zeros((size, size), np.float32)
    for cells in (3, 6, 12, 24):
        coarse = generator.normal(0, 1, (cells, cells)).astype(np.float32)
        layer = Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)
        total += np.asarray(layer) * (3 / cells) ** generator.uniform(0.4, 1.0)
    return _soft_step(total, generator.uniform(1, 3))


def _soft_step(values: np.ndarray, steepness: float) -> np.ndarray:
    """Bring any values to 0..1, the more like a step the steeper."""
    return 0.5 + 0.5 * np.tanh(values * np.float32(steepness))


PATTERNS: tuple[Pattern, ...] = (_stripes, _checks, _dots, _gradient, _rings, _clouds)
