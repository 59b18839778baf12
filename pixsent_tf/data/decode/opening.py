"""Is this file a picture, and one that can be afforded? Asked of its first bytes.

No pixel is decoded here: this is what stops a small file that claims a billion pixels,
a file of gigabytes, a pipe that never says anything.
"""

from __future__ import annotations

import io
import os
import re
import stat
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from PIL import Image, UnidentifiedImageError

from pixsent_tf.data.decode.bounds import (
    BOUNDS,
    MAX_SIDE,
    MEGA,
    JpegFrame,
    draft_ratio,
    expected_bytes,
)
from pixsent_tf.data.decode.jpeg import count_scans, read_frame
from pixsent_tf.data.decode.kinds import HEADER, OTHERS, PICTURES, sniff
from pixsent_tf.errors import ImageError, shown

REASONS = (
    "missing",
    "empty",
    "not_an_image",
    "truncated",
    "too_large",
    "unsupported",
    "unreadable",
)
MAX_PIXELS = BOUNDS.pixels

# `max_pixels` replaces Pillow's warning; only its error, at 179 megapixels, stays.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

_PREINIT = ("jpeg", "png", "gif", "bmp")  # whose readers `Image.preinit` loads
# Pillow reads more, some of it through external programs; pictures are these.
_PILLOW_FORMATS = (
    *("JPEG", "MPO", "PNG", "GIF", "BMP", "DIB", "WEBP", "TIFF", "HEIF", "AVIF"),
    *("JPEG2000", "PPM", "ICO", "TGA"),
)
_UNREAD = frozenset({"svg", "jpeg_xl", "raw", "photoshop"})  # pictures, all the same
_SUBFILE_TYPE, _SUBFILES, _DNG_VERSION = 254, 330, 50706  # tags of a TIFF
_PACKAGE = str(Path(__file__).parents[2])


def check_header(
    path: str | os.PathLike[str], max_pixels: int = MAX_PIXELS
) -> ImageError | None:
    """Look at a file's header and say what rules it out, if anything does.

    No pixel is decoded, so this is cheap enough to do before every decoder: it is
    what stops a small file that claims a billion pixels, or takes minutes to decode.

    Args:
        path: The file.
        max_pixels: The largest height times width to accept.

    Returns:
        The error that `read_image` would raise for it, or None.
    """
    try:
        open_picture(Path(path), max_pixels).close()
    except ImageError as error:
        return error
    return None


def open_picture(
    path: Path, max_pixels: int, content: io.BytesIO | None = None
) -> Image.Image:
    """Open a picture without decoding it; refuse what is none or costs too much.

    Args:
        path: The file.
        max_pixels: The largest height times width to accept.
        content: What to read instead of the file: the same, repaired.

    Returns:
        The picture.

    Raises:
        ImageError: If there is none that may be read.
    """
    name = _sniff_file(path)
    if name == "heic":
        _register_heif(path)
    if name in _PREINIT:
        Image.preinit()  # loading all of them takes as long as fifty pictures
    else:
        Image.init()
    known = [form for form in _PILLOW_FORMATS if form in Image.OPEN]
    _refuse_unknown(path, name, known)
    try:
        image = Image.open(content or path, formats=known)
        refusal = _find_raw(image, path)  # of damaged tags anything may be raised
    except Exception as error:
        if name == "png" and content is None:
            from pixsent_tf.data.decode import png

            if png.is_too_wordy(error):
                return open_picture(path, max_pixels, png.without_texts(path))
        _refuse_unopened(path, name, error, max_pixels)
    refusal = refusal or _find_excess(image, path, max_pixels)
    if refusal is not None:
        image.close()
        raise refusal
    return image


def _refuse_unknown(path: Path, name: str, known: Sequence[str]) -> None:
    """Refuse what is told by its first bytes, and not read here."""
    if name == "avif" and "AVIF" not in known:
        raise ImageError(
            f"{shown(path)} is an AVIF picture; to read it, `pip install "
            "'pillow>=11.3'`.",
            "unsupported",
        )
    if name in _UNREAD:
        what, hint = OTHERS[name]
        raise ImageError(
            f"{shown(path)} is {what}, which is not read here; {hint}.", "unsupported"
        )


def _find_raw(image: Image.Image, path: Path) -> ImageError | None:
    """Find a camera's raw file: a TIFF whose first picture is a small one of it."""
    if image.format != "TIFF":
        return None
    tags: Any = getattr(image, "tag_v2", {})
    is_reduced = tags.get(_SUBFILE_TYPE, 0) == 1 and _SUBFILES in tags
    if not (is_reduced or _DNG_VERSION in tags):
        return None
    what, hint = OTHERS["raw"]
    return ImageError(
        f"{shown(path)} is {what}, which is not read here; {hint}.", "unsupported"
    )


def _refuse_unopened(
    path: Path, name: str, error: Exception, max_pixels: int
) -> NoReturn:
    """Say why Pillow did not open a file."""
    if isinstance(error, UnidentifiedImageError) and name not in PICTURES:
        what, hint = OTHERS.get(name, ("no known format", ""))
        raise ImageError(
            f"{shown(path)} is not a picture: its content is {what}"
            f"{'; ' + hint if hint else ''}.",
            "not_an_image",
        ) from error
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        pixels = re.search(r"\d+ pixels", str(error))
        what = pixels[0] if pixels else "above Pillow's own limit"
        raise _too_large(path, what, max_pixels) from error
    raise broken(path, error) from error


def _find_excess(image: Image.Image, path: Path, max_pixels: int) -> ImageError | None:
    """Find what a picture, opened and not yet decoded, would cost too much of."""
    width, height = image.size
    if width * height > max_pixels:
        return _too_large(path, f"{width} x {height} pixels", max_pixels)
    if max(width, height) > MAX_SIDE:
        return ImageError(
            f"{shown(path)} is too large: a side of {max(width, height)} pixels; the "
            f"limit is {MAX_SIDE}.",
            "too_large",
        )
    size = path.stat().st_size
    if image.format in ("JPEG", "MPO"):
        frame = frame_of(image, path)
        if frame.has_too_many_scans:
            return ImageError(
                f"{shown(path)} is a JPEG of {frame.num_scans} scans, which takes too "
                "long to decode; save it again.",
                "too_large",
            )
        # Never less than 1/8 of its size, and never below what a network reads.
        needed = frame.bytes_at(draft_ratio(min(image.size)), size)
    else:
        needed = expected_bytes(image.format or "", width * height, size)
    if needed <= BOUNDS.memory_bytes:
        return None
    return ImageError(
        f"{shown(path)} is too large: {width} x {height} pixels of {image.format} take "
        f"{needed // MEGA} MB; the limit is PIXSENT_MAX_MEMORY_MB="
        f"{BOUNDS.memory_bytes // MEGA}.",
        "too_large",
    )


def open_size(path: str | os.PathLike[str]) -> int:
    """Tell how large a file is that may be opened and read.

    A pipe, a socket or a device is not even opened: that could wait for ever.

    Args:
        path: The file.

    Returns:
        Its size, in bytes.

    Raises:
        ImageError: If there is no such file, it is of another kind, or too large.
    """
    try:
        found = os.stat(path)
    except FileNotFoundError as error:
        is_link = os.path.islink(path)
        what = "is a link to a missing file" if is_link else "does not exist"
        raise ImageError(f"{shown(path)} {what}.", "missing") from error
    except ValueError as error:  # a NUL byte, which no file's name has
        raise ImageError(f"{shown(path)} does not exist.", "missing") from error
    except OSError as error:
        raise _unopened(path, error) from error
    if not stat.S_ISREG(found.st_mode):
        raise ImageError(
            f"{shown(path)} is {_kind(found.st_mode)}, not a picture.", "not_an_image"
        )
    if found.st_size > BOUNDS.file_bytes:
        raise ImageError(
            f"{shown(path)} is too large: {found.st_size / MEGA:.0f} MB; the limit is "
            f"PIXSENT_MAX_FILE_MB={BOUNDS.file_bytes // MEGA}.",
            "too_large",
        )
    return found.st_size


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
    )
    return next((name for is_kind, name in kinds if is_kind(mode)), "a device")


def _unopened(path: str | os.PathLike[str], error: OSError) -> ImageError:
    return ImageError(
        f"{shown(path)} cannot be opened: {error.strerror or error}.", "unreadable"
    )


def _sniff_file(path: Path) -> str:
    """Tell the format of a file; raise where there is no content to look at."""
    open_size(path)
    try:
        with path.open("rb") as file:
            name = sniff(file.read(HEADER))
    except OSError as error:
        raise _unopened(path, error) from error
    if name == "empty":
        raise ImageError(f"{shown(path)} is empty (0 bytes).", "empty")
    return name


def _register_heif(path: Path) -> None:
    """Teach Pillow to read HEIC, where the optional package for it is installed."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        raise ImageError(
            f"{shown(path)} is a HEIC picture; to read it, `pip install "
            "pixsent-tf[heic]`.",
            "unsupported",
        ) from error
    register_heif_opener()


def frame_of(image: Image.Image, path: Path) -> JpegFrame:
    """Read the header of a JPEG, or expect the worst of one that is not understood."""
    with path.open("rb") as file:
        found = read_frame(file)
        if found is not None:
            return found
        width, height = image.size
        return JpegFrame(height, width, 4.0, count_scans(file), is_buffered=True)


def _too_large(path: Path, what: str, max_pixels: int) -> ImageError:
    return ImageError(
        f"{shown(path)} is too large ({what}); the limit is max_pixels={max_pixels}.",
        "too_large",
    )


def broken(path: Path, error: Exception) -> ImageError:
    """Name what Pillow found: a file cut short, or another defect.

    Args:
        path: The file.
        error: What reading it raised.

    Returns:
        What to raise.

    Raises:
        Exception: `error` itself, where it was raised in this package: a fault of ours
            is no defect of a file.
    """
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    is_ours = place and place.tb_frame.f_code.co_filename.startswith(_PACKAGE)
    if is_ours and not isinstance(error, OSError):
        raise error
    if isinstance(error, UnidentifiedImageError):
        return ImageError(
            f"{shown(path)} begins like a picture and holds none; get it again.",
            "unreadable",
        )
    text = (str(error) or type(error).__name__).replace("\n", " ")
    if isinstance(error, EOFError) or "truncated" in text.lower():
        return ImageError(f"{shown(path)} is cut short ({text}).", "truncated")
    return ImageError(f"{shown(path)} is damaged ({text}).", "unreadable")
