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
SMOOTH_OPACITY = 0.75
THUMBNAIL = 256  # pixels, the longer side
GAP = 8  # pixels between the pictures of a contact sheet
CAPTION = 18  # pixels below each


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


def cells_overlay(image: np.ndarray, prob_positive: np.ndarray) -> np.ndarray:
    """Draw a map as the paper does: red to green, half transparent, cell by cell.

    Args:
        image: uint8 [H, W, 3].
        prob_positive: Float [h, w], 0…1.

    Returns:
        uint8 [H, W, 3].
    """
    green = prob_positive[..., None] * [0, 255, 0]
    colors = (green + (1 - prob_positive[..., None]) * [255, 0, 0]).astype("uint8")
    height, width = image.shape[:2]
    spread = Image.fromarray(colors).resize((width, height), Image.Resampling.NEAREST)
    mixed = (1 - PAPER_OPACITY) * image + PAPER_OPACITY * np.asarray(spread)
    return mixed.round().astype("uint8")


def smooth_overlay(image: np.ndarray, prob_positive: np.ndarray) -> np.ndarray:
    """Draw a map as colors that are stronger where the model is surer.

    Args:
        image: uint8 [H, W, 3].
        prob_positive: Float [h, w], 0…1.

    Returns:
        uint8 [H, W, 3]; the picture is gray below the colors, so that they are the
        map's own.
    """
    height, width = image.shape[:2]
    spread = Image.fromarray(prob_positive.astype("float32")).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    prob = np.clip(np.asarray(spread), 0, 1)
    colors = COLORS(prob)[..., :3] * 255
    gray = image @ np.array([0.299, 0.587, 0.114])
    opacity = SMOOTH_OPACITY * np.abs(2 * prob - 1)[..., None]
    return ((1 - opacity) * gray[..., None] + opacity * colors).round().astype("uint8")


def panel(
    image: np.ndarray, cells: np.ndarray, smooth: np.ndarray, *, title: str
) -> np.ndarray:
    """Draw a picture, its map as in the paper, and the smooth map with a color bar.

    Args:
        image: uint8 [H, W, 3].
        cells: Probability of "positive" in each cell, float [h, w].
        smooth: The same over several scales, float [h, w].
        title: Stands above.

    Returns:
        uint8 [h, w, 3].
    """
    image = thumbnail(image, 480)
    width = 4 * max(0.6, min(image.shape[1] / image.shape[0], 1.8))
    figure = Figure(figsize=(3 * width + 0.8, 4.3), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    panels = figure.subplots(1, 3)
    drawn = (
        (image, "picture"),
        (cells_overlay(image, cells), f"{cells.shape[0]} × {cells.shape[1]} cells"),
        (smooth_overlay(image, smooth), "smooth"),
    )
    for axes, (picture, name) in zip(panels, drawn, strict=True):
        axes.imshow(picture)
        axes.set_title(name, fontsize=10)
        axes.axis("off")
    scale = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(0, 1), COLORS)
    bar = figure.colorbar(scale, ax=panels, fraction=0.02, pad=0.01)
    bar.set_label("probability of positive")
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
        uint8 [H, W, 3].
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    step_x, step_y = THUMBNAIL + GAP, THUMBNAIL + GAP + CAPTION
    sheet = Image.new("RGB", (columns * step_x + GAP, rows * step_y + GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for number, (image, caption) in enumerate(zip(images, captions, strict=True)):
        small = Image.fromarray(thumbnail(image))
        left = GAP + number % columns * step_x
        top = GAP + number // columns * step_y
        x = left + (THUMBNAIL - small.width) // 2
        sheet.paste(small, (x, top + (THUMBNAIL - small.height) // 2))
        while draw.textlength(caption, font) > THUMBNAIL and len(caption) > 4:
            caption = caption[:-2] + "…"
        draw.text((left, top + THUMBNAIL + 2), caption, "black", font)
    return np.asarray(sheet)
