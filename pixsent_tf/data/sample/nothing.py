"""What is no photograph of anything? Blanks, gradients, noise, pages of text, screens.

People drop them on a model as they do photographs, and no labelled set holds them.
Drawn from a seed, they teach a model to tell when there is nothing to answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from pixsent_tf.whole import whole

DRAWING = 1  # raise when the pictures change, so that kept ones are drawn anew
SHAPES = ((400, 300), (300, 400), (360, 360), (640, 360), (300, 600))  # width, height
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif-Italic.ttf")
_CONSONANTS, _VOWELS = "bcdfghklmnprstvw", "aeiou"


def _color(rng: np.random.Generator, low: int = 0, high: int = 256) -> tuple[int, ...]:
    return tuple(rng.integers(low, high, 3).tolist())


def _size(rng: np.random.Generator) -> tuple[int, int]:
    return SHAPES[rng.integers(len(SHAPES))]


def _gray_or_color(rng: np.random.Generator) -> tuple[int, ...]:
    return _color(rng) if rng.random() < 0.6 else (int(rng.integers(256)),) * 3


def _blank(rng: np.random.Generator) -> Image.Image:
    return Image.new("RGB", _size(rng), _gray_or_color(rng))


def _near_blank(rng: np.random.Generator) -> Image.Image:
    """One color with a shade, a speck, or the grain of a sensor in the dark."""
    width, height = _size(rng)
    pixels = np.full((height, width, 3), _gray_or_color(rng), dtype="float64")
    pixels += rng.normal(0, rng.uniform(0.5, 6), pixels.shape)
    y, x = np.mgrid[:height, :width]
    pixels += rng.uniform(-25, 25) * (x / width)[..., None]
    if rng.random() < 0.4:
        top, left = rng.integers(height), rng.integers(width)
        near = np.hypot(y - top, x - left) < rng.uniform(2, 30)
        pixels[near] += rng.normal(0, 60)
    return Image.fromarray(pixels.clip(0, 255).astype("uint8"))


def _gradient(rng: np.random.Generator) -> Image.Image:
    width, height = _size(rng)
    y, x = np.mgrid[:height, :width] / np.array([height, width])[:, None, None]
    if rng.random() < 0.4:
        along = np.hypot(y - rng.random(), x - rng.random())
    else:
        angle = rng.uniform(0, 2 * np.pi)
        along = x * np.cos(angle) + y * np.sin(angle)
    along = (along - along.min()) / np.ptp(along)
    stops = np.sort(np.r_[0, 1, rng.random(rng.integers(0, 2))])
    colors = np.array([_gray_or_color(rng) for _ in stops])
    pixels = [np.interp(along, stops, channel) for channel in colors.T]
    return Image.fromarray(np.stack(pixels, axis=-1).astype("uint8"))


def _noise(rng: np.random.Generator) -> Image.Image:
    """Noise of any grain, in gray or in color."""
    width, height = _size(rng)
    grain = int(rng.choice([1, 1, 2, 4, 8, 16]))
    shape = (height // grain, width // grain, int(rng.choice([1, 3])))
    if rng.random() < 0.5:
        pixels = rng.integers(0, 256, shape).astype("float64")
    else:
        pixels = rng.normal(rng.uniform(60, 200), rng.uniform(15, 80), shape)
    small = np.repeat(pixels.clip(0, 255).astype("uint8"), 3 // shape[2], axis=2)
    how = Image.Resampling.BICUBIC if rng.random() < 0.5 else Image.Resampling.NEAREST
    image = Image.fromarray(small).resize((width, height), how)
    if rng.random() < 0.2:
        return image.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 3)))
    return image


def _words(rng: np.random.Generator, count: int) -> str:
    words = []
    for _ in range(count):
        syllables = [
            _CONSONANTS[rng.integers(len(_CONSONANTS))] + _VOWELS[rng.integers(5)]
            for _ in range(rng.integers(1, 5))
        ]
        words.append("".join(syllables))
    return " ".join(words).capitalize()


def _font(rng: np.random.Generator, size: int) -> ImageFont.FreeTypeFont:
    folder = Path(matplotlib.get_data_path()) / "fonts/ttf"
    return ImageFont.truetype(str(folder / FONTS[rng.integers(len(FONTS))]), size)


def _contrast(rng: np.random.Generator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Paper and ink: dark on light, or light on dark."""
    light, dark = _color(rng, 215), _color(rng, 0, 70)
    if rng.random() < 0.5:
        light, dark = (255,) * 3, (0,) * 3
    return (light, dark) if rng.random() < 0.7 else (dark, light)


def _page(rng: np.random.Generator) -> Image.Image:
    """Lines of text, from a full page to a few large words."""
    width, height = _size(rng)
    paper, ink = _contrast(rng)
    image = Image.new("RGB", (width, height), paper)
    draw = ImageDraw.Draw(image)
    size = int(rng.choice([9, 11, 13, 16, 20, 28, 40]))
    font, margin = _font(rng, size), int(rng.uniform(0.02, 0.12) * width)
    y = margin
    while y < height - size:
        if rng.random() < 0.9:
            draw.text((margin, y), _words(rng, 14), ink, font=font)
        y += int(size * rng.uniform(1.2, 1.7))
    draw.rectangle((width - margin, 0, width, height), fill=paper)
    return image


def _screen(rng: np.random.Generator) -> Image.Image:
    """A window: bars, boxes, buttons and short lines of text."""
    width, height = _size(rng)
    paper, ink = _contrast(rng)
    image = Image.new("RGB", (width, height), paper)
    draw = ImageDraw.Draw(image)
    bar = int(rng.uniform(0.05, 0.14) * height)
    draw.rectangle((0, 0, width, bar), fill=_color(rng))
    draw.text((8, 2), _words(rng, 2), _color(rng, 180), font=_font(rng, bar // 2 + 4))
    y, size = bar + 8, int(rng.integers(9, 17))
    while y < height - size:
        kind, left = rng.random(), int(rng.choice([8, 8, width // 3]))
        step = size + int(rng.integers(4, 14))
        if kind < 0.3:
            step += int(rng.integers(10, 50))
            right = int(rng.uniform(0.4, 1) * width)
            box = (left, y, max(left + 20, right), y + step - 6)
            draw.rounded_rectangle(box, 6, fill=_color(rng, 120), outline=ink)
        elif kind < 0.4:
            draw.line((0, y, width, y), fill=_color(rng, 100, 220))
        if kind < 0.92:
            count = int(rng.integers(2, 9))
            draw.text((left + 6, y), _words(rng, count), ink, font=_font(rng, size))
        y += step
    return image


KINDS: dict[str, Callable[[np.random.Generator], Image.Image]] = {
    "blank": _blank,
    "near-blank": _near_blank,
    "gradient": _gradient,
    "noise": _noise,
    "page": _page,
    "screen": _screen,
}


def draw_nothing(kind: str, seed: int | Sequence[int]) -> np.ndarray:
    """Draw a picture of nothing.

    Args:
        kind: One of `KINDS`.
        seed: Decides everything else.

    Returns:
        RGB, uint8 [H, W, 3], of one of `SHAPES`.

    Example:
        >>> draw_nothing("blank", 7).std(axis=(0, 1)).tolist()
        [0.0, 0.0, 0.0]
    """
    return np.asarray(KINDS[kind](np.random.default_rng(seed)))


def write_nothing(folder: Path, count: int, seed: int = 0) -> list[str]:
    """Write pictures of nothing, the same number of each kind.

    Args:
        folder: Where to; what was written before stays.
        count: Pictures of each kind.
        seed: Decides every pixel.

    Returns:
        The files, kind by kind.
    """
    files = []
    for number, kind in enumerate(KINDS):
        for i in range(count):
            path = folder / f"{kind}-{DRAWING}-{seed}-{i:03}.png"
            if not path.is_file():
                image = Image.fromarray(draw_nothing(kind, (seed, number, i)))
                with whole(path) as temporary:
                    image.save(temporary)
            files.append(str(path))
    return files
