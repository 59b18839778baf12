"""Which pixels does a file hold? Pillow only, any format."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageChops

from pixsent_tf.data.decode.bounds import BOUNDS
from pixsent_tf.data.decode.exif import TAG, read_turn
from pixsent_tf.data.decode.jpeg import PADDING, complete, is_repaired
from pixsent_tf.data.decode.opening import (
    MAX_PIXELS,
    broken,
    frame_of,
    open_picture,
    open_size,
)
from pixsent_tf.data.lists.strays import STRICT
from pixsent_tf.errors import ImageError, shown

_WITH_EXIF = ("JPEG", "MPO", "PNG", "WEBP")  # formats whose EXIF we read ourselves
# EXIF's words for how a picture is stored, undone.
_TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels.swapaxes(0, 1), 2),
    8: np.rot90,
}
_STRIP_PIXELS = 1 << 18


def read_image(
    path: str | os.PathLike[str],
    *,
    max_pixels: int = MAX_PIXELS,
    target_side: int | None = None,
) -> np.ndarray:
    """Read the pixels of any picture that Pillow can read.

    Slower than `decode`, but it takes more formats and says what is wrong with a file.
    A JPEG whose end marker alone is missing is read; `jpeg.is_repaired` tells so.

    Args:
        path: The file; what it is goes by its content.
        max_pixels: The largest height times width to accept.
        target_side: The shortest side, in pixels, that is of use; a larger JPEG is
            decoded at 1/2, 1/4 or 1/8 of its size. So is one, whatever is asked, that
            would take more memory than `bounds.BOUNDS` gives it.

    Returns:
        The first frame, upright, with transparent parts on white; RGB, [H, W, 3],
        uint8.

    Raises:
        ImageError: If the file cannot be read; its `reason` is one of `REASONS`.
    """
    path = Path(path)
    open_size(path)  # raises for what may not even be opened
    if is_repaired(path):
        return _read_unended(path, max_pixels, target_side)
    return _read(path, max_pixels, target_side)


def _read(
    path: Path,
    max_pixels: int,
    target_side: int | None,
    content: io.BytesIO | None = None,
) -> np.ndarray:
    """Read a file, or a repaired one in its place."""
    with open_picture(path, max_pixels, content) as image:
        # Pillow inverts every CMYK JPEG, as Adobe wants it; others mean what they say.
        is_inverted = image.format in ("JPEG", "MPO") and "adobe" not in image.info
        try:
            _reduce(image, path, target_side)
            image.load()
            turn = _read_turn(image)
        except MemoryError as error:
            raise ImageError(
                f"{shown(path)} needs more memory than there is; lower max_pixels to "
                "skip it.",
                "too_large",
            ) from error
        except Exception as error:  # Pillow's decoders raise nearly every type
            if image.format == "PNG" and content is None:
                from pixsent_tf.data.decode import png

                if png.is_too_wordy(error):
                    content = png.without_texts(path)
                    return _read(path, max_pixels, target_side, content)
            raise broken(path, error) from error
        # What goes wrong from here on is no defect of the file.
        pixels = _rgb(image, path, is_inverted=is_inverted)
    return np.ascontiguousarray(_TURNS.get(turn, np.asarray)(pixels))


def _read_unended(path: Path, max_pixels: int, target_side: int | None) -> np.ndarray:
    """Read a JPEG whose end marker is missing, if all of its pixels are there.

    It is ended in two ways, which show the same only then.
    """
    if os.environ.get(STRICT):
        raise ImageError(
            f"{shown(path)} is cut short: its end marker is missing; --strict refuses "
            "that.",
            "truncated",
        )
    open_picture(path, max_pixels).close()  # before all of it is read
    digests = set()
    for padding in (PADDING, b""):
        content = io.BytesIO(complete(path.read_bytes(), padding))
        pixels = _read(path, max_pixels, target_side, content)
        digests.add(hashlib.sha256(pixels.data).digest())  # not both at once in memory
    if len(digests) > 1:
        raise ImageError(
            f"{shown(path)} is cut short (its last pixels are missing).", "truncated"
        )
    return pixels


def _reduce(image: Image.Image, path: Path, target_side: int | None) -> None:
    """Have a JPEG decoded at the size that is of use and that memory allows."""
    if image.format not in ("JPEG", "MPO"):
        return
    frame, size = frame_of(image, path), path.stat().st_size
    least = 1
    while least < 8 and frame.bytes_at(least, size) > BOUNDS.memory_bytes:
        least *= 2
    side = min(image.size) // least
    if target_side is not None:
        side = min(side, target_side)
    if side < min(image.size):
        image.draft(None, (side, side))


def _read_turn(image: Image.Image) -> int:
    """Read the orientation that EXIF tells of a picture that has been decoded."""
    if image.format in _WITH_EXIF:
        return read_turn(image.info)
    for key in ("xmp", "XML:com.adobe.xmp"):  # Pillow's own idea: nobody else looks
        image.info.pop(key, None)
    turn = image.getexif().get(TAG)
    return turn if isinstance(turn, int) else 1


def _rgb(image: Image.Image, path: Path, *, is_inverted: bool) -> np.ndarray:
    """Turn any of Pillow's modes into RGB on white, [H, W, 3] uint8.

    Strip by strip: a picture of another mode is never there twice.
    """
    is_deep = image.mode.startswith("I") or image.mode == "F"
    if is_deep:
        _refuse_depth(image, path)
    width, height = image.size
    pixels = np.empty([height, width, 3], np.uint8)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        strip.info = image.info
        if is_deep:
            pixels[top : top + rows] = _deep_gray(strip)
            continue
        if strip.mode == "CMYK" and is_inverted:
            strip = ImageChops.invert(strip)
        mode = "RGBA" if strip.has_transparency_data else "RGB"
        levels = _convert(strip, mode, path)
        pixels[top : top + rows] = levels if mode == "RGB" else _on_white(levels)
    return pixels


def _convert(image: Image.Image, mode: str, path: Path) -> np.ndarray:
    """Let Pillow bring a picture to a mode, [H, W, C] uint8."""
    try:
        return np.array(image.convert(mode))
    except Exception as error:  # as above
        raise broken(path, error) from error


def _on_white(rgba: np.ndarray) -> np.ndarray:
    """Lay [H, W, 4] on white, rounded to the nearest level."""
    rgb, alpha = rgba[..., :3].astype(np.int32), rgba[..., 3:].astype(np.int32)
    return ((rgb * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def _refuse_depth(image: Image.Image, path: Path) -> None:
    """Refuse gray pictures of more than 16 bits."""
    extremes: Any = image.getextrema()  # of the one channel
    least, most = extremes
    if image.mode == "F" or least < 0 or most > 0xFFFF:
        raise ImageError(
            f"{shown(path)} holds numbers from {least} to {most}, which have no agreed "
            "white; save it with 8 or 16 bits.",
            "unsupported",
        )


def _deep_gray(image: Image.Image) -> np.ndarray:
    """Scale gray pictures of 16 bits to 8, [H, W, 1]."""
    pixels = np.asarray(image)
    gray = (pixels.astype(np.uint16) >> 8).astype(np.uint8)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        gray[pixels == transparent] = 255
    return gray[..., None]
