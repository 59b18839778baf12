"""Pictures of nothing that taught no model: other code, fonts, sizes and parameters."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

TEXT = (
    "It was a bright cold day in the north and the clocks were striking; nobody could "
    "tell me where the road would lead, or why 37 of 112 letters came back unread."
)
FONTS = ("cmr10", "STIXGeneral", "DejaVuSansMono", "DejaVuSerif-Bold", "cmss10")


def _font(rng, size):
    folder = Path(matplotlib.get_data_path()) / "fonts/ttf"
    return ImageFont.truetype(str(folder / f"{rng.choice(FONTS)}.ttf"), int(size))


def _line(rng, count):
    return " ".join(rng.choice(TEXT.split(" "), count))


def _canvas(rng, color):
    return Image.new(
        "RGB", (int(rng.integers(220, 801)), int(rng.integers(220, 701))), color
    )


def _blank(rng):
    return _canvas(rng, tuple(rng.integers(0, 256, 3).tolist()))


def _near_blank(rng):
    image = np.asarray(_blank(rng)).astype(float)
    image += rng.uniform(-8, 8, image.shape)
    height = len(image)
    image += np.linspace(0, rng.uniform(-18, 18), height)[:, None, None]
    return Image.fromarray(image.clip(0, 255).astype("uint8"))


def _gradient(rng):
    width, height = rng.integers(220, 801, 2)
    a, b, c = rng.integers(0, 256, (3, 3))
    y, x = np.linspace(0, 1, height)[:, None, None], np.linspace(0, 1, width)[:, None]
    return Image.fromarray((a * (1 - y) + b * y * (1 - x) + c * y * x).astype("uint8"))


def _noise(rng):
    width, height = rng.integers(220, 801, 2)
    grain = int(rng.choice([1, 3, 6, 12]))
    shape = (height // grain + 1, width // grain + 1, 3)
    kind = rng.integers(3)
    if kind == 0:
        pixels = rng.beta(0.4, 0.4, shape) * 255
    elif kind == 1:
        pixels = rng.poisson(rng.uniform(20, 150), shape)
    else:
        pixels = np.repeat(rng.random((*shape[:2], 1)) < 0.5, 3, axis=2) * 255
    small = Image.fromarray(np.clip(pixels, 0, 255).astype("uint8"))
    return small.resize((int(width), int(height)), Image.Resampling.BILINEAR)


def _page(rng):
    paper = int(rng.integers(225, 256))
    image = _canvas(rng, (paper, paper, paper - int(rng.integers(0, 25))))
    draw, size = ImageDraw.Draw(image), rng.integers(10, 25)
    font = _font(rng, size)
    columns = int(rng.integers(1, 3))
    step = image.width // columns
    for column in range(columns):
        for y in range(20, image.height - 20, int(size * 1.45)):
            words = max(2, step // int(size * 4))
            draw.text(
                (column * step + 14, y), _line(rng, words), (35, 30, 40), font=font
            )
    return image


def _screen(rng):
    """A chat: bubbles to the left and to the right."""
    dark = rng.random() < 0.5
    image = _canvas(rng, (28, 30, 36) if dark else (238, 240, 244))
    draw, size = ImageDraw.Draw(image), int(rng.integers(11, 19))
    draw.rectangle(
        (0, 0, image.width, 3 * size), fill=tuple(rng.integers(30, 226, 3).tolist())
    )
    draw.text((40, size), _line(rng, 3), "white", font=_font(rng, size))
    y = 4 * size
    while y < image.height - 3 * size:
        text, font = _line(rng, rng.integers(2, 6)), _font(rng, size)
        wide = int(draw.textlength(text, font=font)) + 2 * size
        left = size if rng.random() < 0.5 else max(size, image.width - wide - size)
        fill = (60, 66, 78) if dark else (255, 255, 255)
        if left > size:
            fill = (0, 110, 200)
        draw.rounded_rectangle((left, y, left + wide, y + 2.4 * size), size, fill=fill)
        ink = "white" if dark or left > size else (20, 20, 20)
        draw.text((left + size, y + 0.6 * size), text, ink, font=font)
        y += int(3.4 * size)
    return image


KINDS = (_blank, _near_blank, _gradient, _noise, _page, _screen)


def write_other_nothing(folder: Path, count: int) -> list[str]:
    """Write pictures, kind after kind in turn."""
    files = []
    for i in range(count):
        image = KINDS[i % len(KINDS)](np.random.default_rng((2026, i)))
        path = folder / f"{KINDS[i % len(KINDS)].__name__[1:]}-{i:03}.png"
        image.save(path)
        files.append(str(path))
    return files
