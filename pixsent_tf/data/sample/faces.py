"""How is a face drawn, with a mouth that points up or down?

Everything is placed in the face's own frame: its middle is (0, 0), its half height 1,
x goes to the right and y down. `_Frame` turns that into pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from pixsent_tf.data.sample.textures import color, draw_texture

Box = tuple[int, int, int, int]
Ink = tuple[int, int, int]

_SCALE = 2  # drawn larger and reduced, for smooth edges
_ARC = np.linspace(-1, 1, 25)
_CIRCLE = np.linspace(0, 2 * np.pi, 48, endpoint=False)
# Hue, saturation and value: classic yellow, skins from light to dark, and fancies.
_TONES = (
    *((0.14, 0.75, 1.0), (0.13, 0.60, 0.98), (0.09, 0.70, 1.0), (0.06, 0.30, 0.98)),
    *((0.07, 0.40, 0.85), (0.06, 0.50, 0.68), (0.05, 0.52, 0.55), (0.97, 0.35, 0.98)),
    *((0.42, 0.40, 0.85), (0.55, 0.45, 0.95), (0.75, 0.35, 0.90), (0.28, 0.50, 0.80)),
)


@dataclass(frozen=True)
class _Frame:
    """Where a face is and which way it leans.

    Attributes:
        draw: What to draw on, `_SCALE` times the size of the picture.
        center: Of the face, x and y, in pixels of the picture.
        radius: Half the height of the face, in pixels of the picture.
        tilt: Turn, clockwise, in radians.
    """

    draw: ImageDraw.ImageDraw
    center: tuple[float, float]
    radius: float
    tilt: float

    def to_pixels(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Place points of the face in the picture, [P, 2]."""
        cos, sin = np.cos(self.tilt), np.sin(self.tilt)
        turned = np.stack([x * cos - y * sin, x * sin + y * cos], axis=-1)
        return np.array(self.center) + self.radius * turned

    def fill(self, x: np.ndarray, y: np.ndarray, ink: Ink | int) -> None:
        """Fill a polygon."""
        points = self.to_pixels(x, y) * _SCALE
        self.draw.polygon([tuple(point) for point in points.tolist()], fill=ink)

    def ellipse(
        self, x: float, y: float, width: float, height: float, ink: Ink | int
    ) -> None:
        """Fill an ellipse, given its middle and half axes."""
        self.fill(x + width * np.cos(_CIRCLE), y + height * np.sin(_CIRCLE), ink)

    def stroke(self, x: np.ndarray, y: np.ndarray, width: float, ink: Ink) -> None:
        """Draw a line with round ends, given its width."""
        points = self.to_pixels(x, y) * _SCALE
        pixels = width * self.radius * _SCALE
        path = [tuple(point) for point in points.tolist()]
        self.draw.line(path, fill=ink, width=round(pixels), joint="curve")
        for left, top in points[[0, -1]] - pixels / 2:
            self.draw.ellipse((left, top, left + pixels, top + pixels), fill=ink)


def draw_face(
    generator: np.random.Generator, *, mood: float, size: int
) -> tuple[np.ndarray, Box, Box]:
    """Draw a face before a texture.

    Args:
        generator: Source of every choice but the direction of the mouth.
        mood: How far the corners of the mouth point up, -1…1; below 0 down.
        size: Height and width, in pixels.

    Returns:
        The picture, RGB, uint8, [size, size, 3]; the box of the face and that of the
        mouth: left, top, right, bottom in pixels, the last two exclusive.
    """
    texture = draw_texture(generator, size)
    radius = size * generator.uniform(0.27, 0.36)
    margin = radius + 0.04 * size
    x, y = generator.uniform(margin, size - margin, 2).tolist()
    center = x, y
    tilt = generator.normal(0, 0.18)
    width = generator.uniform(0.86, 1.06)

    shape = Image.new("L", (size * _SCALE, size * _SCALE))
    frame = _Frame(ImageDraw.Draw(shape), center, radius, tilt)
    frame.ellipse(0, 0, width, 1, 255)
    outline = frame.to_pixels(width * np.cos(_CIRCLE), np.sin(_CIRCLE))
    mask = shape.reduce(_SCALE)
    texture = texture * _shadow(generator, mask, radius)

    canvas = Image.fromarray(np.clip(texture, 0, 255).astype(np.uint8))
    canvas = canvas.resize(shape.size, Image.Resampling.NEAREST)
    frame = _Frame(ImageDraw.Draw(canvas), center, radius, tilt)
    mouth = _draw_features(generator, frame, width, mood)
    image = np.asarray(canvas.reduce(_SCALE), np.float32)
    image = image * _light(generator, mask, center, radius)
    pixels = np.clip(np.round(image), 0, 255).astype(np.uint8)
    face_box = _box(outline, 0, (0, 0, size, size))
    return pixels, face_box, _box(mouth, 0.08 * radius, face_box)


def _draw_features(
    generator: np.random.Generator, frame: _Frame, width: float, mood: float
) -> np.ndarray:
    """Draw what makes a face; return the outline of the mouth in pixels, [P, 2]."""
    hue, saturation, value = _TONES[generator.integers(len(_TONES))]
    skin = color(
        hue + generator.normal(0, 0.015),
        np.clip(saturation + generator.normal(0, 0.06), 0.1, 0.9),
        np.clip(value + generator.normal(0, 0.04), 0.3, 1),
    )
    dark = _ink(skin * generator.uniform(0.1, 0.22))
    frame.ellipse(0, 0, width, 1, _ink(skin * 0.72))
    frame.ellipse(0, 0, width - 0.035, 0.965, _ink(skin))
    if generator.uniform() < 0.4:  # cheeks
        blush = _ink(skin * 0.7 + np.array([255, 90, 100], np.float32) * 0.3)
        for side in (-1, 1):
            frame.ellipse(0.58 * side * width, 0.22, 0.17, 0.13, blush)
    _draw_eyes(generator, frame, width, dark)
    if generator.uniform() < 0.35:  # nose
        frame.ellipse(0, 0.08, 0.07, generator.uniform(0.06, 0.12), _ink(skin * 0.8))
    if generator.uniform() < 0.35:  # hair
        for x in generator.uniform(-0.3, 0.3, 5):
            lock = np.linspace(0, 1, 6)
            frame.stroke(
                x * (1 + 0.6 * lock), -1.08 + 0.22 * lock, 0.05, _ink(skin * 0.35)
            )
    return _draw_mouth(generator, frame, width, dark, mood)


def _draw_eyes(
    generator: np.random.Generator, frame: _Frame, width: float, dark: Ink
) -> None:
    """Draw two eyes of one kind, and perhaps brows, which tell nothing of the mood."""
    spread, height = generator.uniform(0.3, 0.4) * width, generator.uniform(-0.38, -0.2)
    kind, gaze = generator.integers(3), generator.uniform(-0.05, 0.05, 2)
    size = generator.uniform(0.09, 0.15)
    has_brows, slant = generator.uniform() < 0.35, generator.normal(0, 0.04)
    for side in (-1, 1):
        x = side * spread
        if kind == 0:
            frame.ellipse(x, height, 0.8 * size, 0.8 * size, dark)
        elif kind == 1:
            frame.ellipse(x, height, 0.7 * size, 1.4 * size, dark)
        else:
            frame.ellipse(x, height, 1.5 * size, 1.6 * size, (250, 250, 250))
            frame.ellipse(x + gaze[0], height + gaze[1], 0.75 * size, 0.8 * size, dark)
        if has_brows:
            ends = np.array([-0.16, 0.16])
            level = height - 0.3
            frame.stroke(x + ends, level + slant * side * ends / 0.16, 0.05, dark)


def _draw_mouth(
    generator: np.random.Generator,
    frame: _Frame,
    width: float,
    dark: Ink,
    mood: float,
) -> np.ndarray:
    """Draw a mouth whose corners are up (above 0) or down, mirrored for the other."""
    half_width = generator.uniform(0.46, 0.62) * width
    depth = generator.uniform(0.32, 0.44)
    middle = generator.uniform(0.4, 0.46)
    thickness = generator.uniform(0.085, 0.125)
    is_open, has_teeth = generator.uniform(size=2) < (0.45, 0.6)

    def level(share: float, bow: float) -> np.ndarray:
        """Heights of a bow between the corners, `share` of the depth."""
        return middle + mood * depth * (share * (1 - bow * _ARC**2) - 0.5)

    x, lower = half_width * _ARC, level(1, 1)
    if is_open:
        upper = level(0.2, 1)
        outline_x, outline_y = np.append(x, x[::-1]), np.append(lower, upper[::-1])
        frame.fill(outline_x, outline_y, (110, 25, 35))
        if has_teeth:
            inner = level(0.45, 1)
            frame.fill(
                np.append(x, x[::-1]), np.append(inner, upper[::-1]), (245, 245, 240)
            )
        frame.stroke(outline_x, outline_y, 0.5 * thickness, dark)
    else:
        frame.stroke(x, lower, thickness, dark)
    return frame.to_pixels(x, lower)


def _shadow(
    generator: np.random.Generator, mask: Image.Image, radius: float
) -> np.ndarray:
    """Darken what is behind the face, below it and to a side, [S, S, 1]."""
    shift = (round(generator.uniform(-0.12, 0.12) * radius), round(0.1 * radius))
    moved = Image.new("L", mask.size)
    moved.paste(mask, shift)
    soft = np.asarray(moved.filter(ImageFilter.BoxBlur(0.08 * radius)), np.float32)
    return 1 - generator.uniform(0.2, 0.5) * soft[..., None] / 255


def _light(
    generator: np.random.Generator,
    mask: Image.Image,
    center: tuple[float, ...],
    radius: float,
) -> np.ndarray:
    """Light the scene from one side and round the face, [S, S, 1]."""
    size = mask.width
    angle = generator.uniform(0, 2 * np.pi)
    place = np.arange(size, dtype=np.float32)
    rows, columns = place[:, None], place[None, :]
    toward = float(np.cos(angle)), float(np.sin(angle))
    x, y = (columns - center[0]) / radius, (rows - center[1]) / radius
    slope = toward[0] * (columns / size - 0.5) + toward[1] * (rows / size - 0.5)
    scene = 1 + generator.uniform(0.0, 0.5) * slope
    lit = (x - 0.4 * toward[0]) ** 2 + (y - 0.4 * toward[1]) ** 2
    face = 1.05 - generator.uniform(0.06, 0.16) * lit
    share = np.asarray(mask, np.float32) / 255
    level = generator.uniform(0.75, 1.1) * scene * (share * face + 1 - share)
    return level[..., None]


def _box(points: np.ndarray, margin: float, limits: Box) -> Box:
    """Give the box around points, [P, 2], as far as it lies in another."""
    left, top = np.floor(points.min(axis=0) - margin).astype(int).tolist()
    right, bottom = np.ceil(points.max(axis=0) + margin).astype(int).tolist()
    return (
        max(left, limits[0]),
        max(top, limits[1]),
        min(right, limits[2]),
        min(bottom, limits[3]),
    )


def _ink(rgb: np.ndarray) -> Ink:
    red, green, blue = np.clip(rgb, 0, 255).astype(int).tolist()
    return red, green, blue
