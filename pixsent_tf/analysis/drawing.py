"""How does a sentiment map look on its picture? Arrays in, images out."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import matplotlib.cm
import matplotlib.colors
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

COLORS = matplotlib.colormaps["PiYG"]  # pink to green, told apart by the color-blind
PAPER_OPACITY = 0.5
SMOOTH_OPACITY = 0.65
THUMBNAIL = 256  # pixels, the longer side
GAP = 8  # pixels between the pictures of a contact sheet
CAPTION = 25  # pixels below each
FONT_SIZE = 16
MOST_COLUMNS = 5  # pictures side by side in a panel
LEGEND_GRAY = 128  # of the picture that a legend's colors lie on


def thumbnail(image: np.ndarray, side: int = THUMBNAIL) -> np.ndarray:
    """Shrink a picture, keeping its shape.

    Args:
        image: uint8 [H, W, 3].
        side: Of the longer side, in pixels.

    Returns:
        uint8 [h, w, 3]; a smaller picture comes back as it is.
    """
    picture = Image.fromarray(image)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def cells_overlay(image: np.ndarray, shades: np.ndarray) -> np.ndarray:
    """Draw a map as the paper does: red to green, half transparent, cell by cell.

    Args:
        image: uint8 [H, W, 3].
        shades: Float [h, w], 0…1; see `analysis.maps.Facet`.

    Returns:
        uint8 [H, W, 3].
    """
    green = shades[..., None] * [0, 255, 0]
    colors = (green + (1 - shades[..., None]) * [255, 0, 0]).astype("uint8")
    height, width = image.shape[:2]
    spread = Image.fromarray(colors).resize((width, height), Image.Resampling.NEAREST)
    mixed = (1 - PAPER_OPACITY) * image + PAPER_OPACITY * np.asarray(spread)
    return mixed.round().astype("uint8")


def smooth_overlay(image: np.ndarray, shades: np.ndarray) -> np.ndarray:
    """Draw a map as colors that are stronger where the model is surer.

    Args:
        image: uint8 [H, W, 3].
        shades: Float [h, w], 0…1; see `analysis.maps.Facet`.

    Returns:
        uint8 [H, W, 3]; the picture is gray below the colors, so that they are the
        map's own.
    """
    height, width = image.shape[:2]
    spread = Image.fromarray(shades.astype("float32")).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    shade = np.clip(np.asarray(spread), 0, 1)
    colors = COLORS(shade)[..., :3] * 255
    gray = image @ np.array([0.299, 0.587, 0.114])
    opacity = SMOOTH_OPACITY * np.abs(2 * shade - 1)[..., None]
    return ((1 - opacity) * gray[..., None] + opacity * colors).round().astype("uint8")


def panel(
    drawn: Sequence[tuple[str, np.ndarray]], *, title: str, low: str, high: str
) -> np.ndarray:
    """Draw a picture and its maps, with a color bar.

    Args:
        drawn: Names and pictures of one size, uint8 [H, W, 3]; the picture itself is
            the first.
        title: Stands above.
        low: What the color of 0 means.
        high: What the color of 1 means.

    Returns:
        uint8 [h, w, 3].
    """
    image = drawn[0][1]
    width = 4 * max(0.6, min(image.shape[1] / image.shape[0], 1.8))
    columns = min(len(drawn), MOST_COLUMNS)
    rows = -(-len(drawn) // columns)
    size = (columns * width + 0.8, 0.4 + 3.9 * rows)
    figure = Figure(figsize=size, dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes in panels.flat:
        axes.axis("off")
    for axes, (name, picture) in zip(panels.flat, drawn, strict=False):
        axes.imshow(picture)
        axes.set_title(name, fontsize=10)
    scale = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(0, 1), COLORS)
    bar = figure.colorbar(scale, ax=panels, fraction=0.02, pad=0.01, ticks=[0, 1])
    bar.ax.set_yticklabels([low, high])
    figure.suptitle(title, fontsize=11)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def contact_sheet(
    images: Sequence[np.ndarray], captions: Sequence[str], *, columns: int = 6
) -> np.ndarray:
    """Put pictures on one sheet.

    Args:
        images: uint8 [H, W, 3] each, of any size.
        captions: What stands below each.
        columns: Pictures side by side.

    Returns:
        uint8 [H, W, 3]; a row is as high as its highest picture.
    """
    columns = min(columns, len(images))
    thumbnails = [thumbnail(image) for image in images]
    rows = [thumbnails[i : i + columns] for i in range(0, len(images), columns)]
    heights = [max(len(image) for image in row) for row in rows]
    height = sum(heights) + len(rows) * (GAP + CAPTION) + GAP
    sheet = Image.new("RGB", (columns * (THUMBNAIL + GAP) + GAP, height), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT_SIZE)
    texts, top = iter(captions), GAP
    for row, row_height in zip(rows, heights, strict=True):
        for column, image in enumerate(row):
            left = GAP + column * (THUMBNAIL + GAP)
            x = left + (THUMBNAIL - image.shape[1]) // 2
            sheet.paste(
                Image.fromarray(image), (x, top + (row_height - len(image)) // 2)
            )
            caption = next(texts)
            while draw.textlength(caption, font) > THUMBNAIL and len(caption) > 4:
                caption = caption[:-2] + "…"
            draw.text((left, top + row_height + 2), caption, "black", font)
        top += row_height + CAPTION + GAP
    return np.asarray(sheet)


def map_sheet(
    images: Sequence[np.ndarray],
    shades: Sequence[np.ndarray],
    names: Sequence[str],
    answers: Sequence[str],
    *,
    low: str,
    high: str,
    columns: int = 4,
) -> np.ndarray:
    """Put pictures above their smooth maps, and a legend below.

    Args:
        images: uint8 [H, W, 3] each, of any size.
        shades: The map of each, float [h, w], 0…1.
        names: What stands below each picture.
        answers: What stands below each map.
        low: What the color of 0 means.
        high: What the color of 1 means.
        columns: Pictures side by side.

    Returns:
        uint8 [H, W, 3].
    """
    columns = min(columns, len(images))
    missing = -len(images) % columns  # in the last row
    blank = [np.full((1, 1, 3), 255, "uint8")] * missing
    small = [*map(thumbnail, images), *blank]
    drawn = [*map(smooth_overlay, small, shades), *blank]
    names, answers = [*names, *[""] * missing], [*answers, *[""] * missing]
    tiles: list[np.ndarray] = []
    captions: list[str] = []
    for start in range(0, len(small), columns):
        row = slice(start, start + columns)
        tiles += small[row] + drawn[row]
        captions += names[row] + answers[row]
    sheet = contact_sheet(tiles, captions, columns=columns)
    return np.concatenate([sheet, _legend(sheet.shape[1], low, high)])


def _legend(width: int, before: str, after: str) -> np.ndarray:
    """Draw the colors of a smooth map, from one end over undecided to the other."""
    strip = Image.new("RGB", (width, FONT_SIZE + 2 * GAP), "white")
    draw, font = ImageDraw.Draw(strip), ImageFont.load_default(FONT_SIZE)
    words = draw.textlength(before, font) + draw.textlength(after, font)
    length = min(THUMBNAIL, width - 4 * GAP - int(words))
    gray = np.full((FONT_SIZE, length, 3), LEGEND_GRAY, "uint8")
    left = (width - length - int(words)) // 2
    draw.text((left - GAP, GAP - 2), before, "black", font)
    left += int(draw.textlength(before, font))
    strip.paste(
        Image.fromarray(smooth_overlay(gray, np.linspace(0, 1, length)[None])),
        (left, GAP),
    )
    draw.text((left + length + GAP, GAP - 2), after, "black", font)
    return np.asarray(strip)
