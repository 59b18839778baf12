"""Is this file a picture, and which pixels does it hold? Pillow only, any format."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageOps, UnidentifiedImageError

from pixsent_tf.errors import ImageError

REASONS = (
    "missing",
    "empty",
    "not_an_image",
    "truncated",
    "too_large",
    "unsupported",
    "unreadable",
)
MAX_PIXELS = 100_000_000  # 300 MB of RGB: above any camera, below what a bomb needs

# `max_pixels` replaces Pillow's warning; only its error, at 179 megapixels, stays.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

# Pillow reads more, some of it through external programs; pictures are these.
_PILLOW_FORMATS = (
    *("JPEG", "MPO", "PNG", "GIF", "BMP", "DIB", "WEBP", "TIFF", "HEIF", "AVIF"),
    *("JPEG2000", "PPM", "ICO", "TGA"),
)
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_PREFIXES = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"\0\0\0\x0cjP  ", "jpeg2000"),
    (b"%PDF", "pdf"),
)


def sniff(header: bytes) -> str:
    """Tell a file's format from its first bytes, whatever its name says.

    Args:
        header: The first bytes of the file; 512 are enough.

    Returns:
        `jpeg`, `png`, `gif`, `bmp`, `webp`, `tiff`, `heic`, `avif`, `jpeg2000`,
        `pdf`, `html`, `empty` or `unknown`.

    Example:
        >>> sniff(b"GIF89a...")
        'gif'
    """
    if not header:
        return "empty"
    for prefix, name in _PREFIXES:
        if header.startswith(prefix):
            return name
    if header[:4] == b"RIFF" and header[8:12] == b"WEBP":
        return "webp"
    if header[4:8] == b"ftyp":
        if header[8:12] in (b"avif", b"avis"):
            return "avif"
        return "heic" if header[8:12] in _HEIF_BRANDS else "unknown"
    text = header.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "html"
    return "unknown"


def check_header(
    path: str | os.PathLike[str], max_pixels: int = MAX_PIXELS
) -> ImageError | None:
    """Look at a file's first bytes and say what rules it out, if anything does.

    No pixel is decoded, so this is cheap enough to do before every decoder: it is
    what stops a small file that claims a billion pixels.

    Args:
        path: The file.
        max_pixels: The largest height times width to accept.

    Returns:
        The error that `read_image` would raise for it, or None.
    """
    try:
        _open(Path(path), max_pixels).close()
    except ImageError as error:
        return error
    return None


def read_image(
    path: str | os.PathLike[str],
    *,
    max_pixels: int = MAX_PIXELS,
    target_side: int | None = None,
) -> np.ndarray:
    """Read the pixels of any picture that Pillow can read.

    Slower than `decode`, but it takes more formats and says what is wrong with a file.

    Args:
        path: The file; what it is goes by its content.
        max_pixels: The largest height times width to accept.
        target_side: The shortest side, in pixels, that is of use; a larger JPEG is
            decoded at 1/2, 1/4 or 1/8 of its size.

    Returns:
        The first frame, upright, with transparent parts on white; RGB, [H, W, 3],
        uint8.

    Raises:
        ImageError: If the file cannot be read; its `reason` is one of `REASONS`.
    """
    path = Path(path)
    with _open(path, max_pixels) as image:
        # Pillow inverts every CMYK JPEG, as Adobe wants it; others mean what they say.
        is_inverted = image.format in ("JPEG", "MPO") and "adobe" not in image.info
        try:
            if target_side is not None:
                image.draft(None, (target_side, target_side))
            upright = _upright(image)
            upright.load()
        except MemoryError as error:
            raise ImageError(
                f"{path} needs more memory than there is; lower max_pixels to skip it.",
                "too_large",
            ) from error
        except Exception as error:  # Pillow's decoders raise nearly every type
            raise _broken(path, error) from error
        # What goes wrong from here on is no defect of the file.
        return _rgb(upright, path, is_inverted=is_inverted)


def _open(path: Path, max_pixels: int) -> Image.Image:
    """Open a picture without decoding it; refuse what is none or too large."""
    name = _sniff_file(path)
    if name == "heic":
        _register_heif(path)
    try:
        Image.init()
        known = [name for name in _PILLOW_FORMATS if name in Image.OPEN]
        image = Image.open(path, formats=known)
    except UnidentifiedImageError as error:
        if name in ("unknown", "pdf", "html"):
            what = {"html": "a web page", "pdf": "a PDF"}.get(name, "no known format")
            raise ImageError(
                f"{path} is not a picture: its content is {what}.", "not_an_image"
            ) from error
        raise _broken(path, error) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        pixels = re.search(r"\d+ pixels", str(error))
        what = pixels[0] if pixels else "above Pillow's own limit"
        raise _too_large(path, what, max_pixels) from error
    except Exception as error:
        raise _broken(path, error) from error
    width, height = image.size
    if width * height > max_pixels:
        image.close()
        raise _too_large(path, f"{width} x {height} pixels", max_pixels)
    return image


def _sniff_file(path: Path) -> str:
    """Tell the format of a file; raise where there is no content to look at."""
    try:
        with path.open("rb") as file:
            name = sniff(file.read(512))
    except FileNotFoundError as error:
        what = "is a link to a missing file" if path.is_symlink() else "does not exist"
        raise ImageError(f"{path} {what}.", "missing") from error
    except IsADirectoryError as error:
        raise ImageError(
            f"{path} is a folder, not a picture.", "not_an_image"
        ) from error
    except OSError as error:
        raise ImageError(
            f"{path} cannot be opened: {error.strerror or error}.", "unreadable"
        ) from error
    if name == "empty":
        raise ImageError(f"{path} is empty (0 bytes).", "empty")
    return name


def _register_heif(path: Path) -> None:
    """Teach Pillow to read HEIC, where the optional package for it is installed."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        raise ImageError(
            f"{path} is a HEIC picture; to read it, `pip install pixsent-tf[heic]`.",
            "unsupported",
        ) from error
    register_heif_opener()


def _upright(image: Image.Image) -> Image.Image:
    """Turn a picture as its EXIF data says, as `decode` does."""
    for key in ("xmp", "XML:com.adobe.xmp"):  # Pillow's own idea: nobody else looks
        image.info.pop(key, None)
    return ImageOps.exif_transpose(image)


def _rgb(image: Image.Image, path: Path, *, is_inverted: bool) -> np.ndarray:
    """Turn any of Pillow's modes into RGB on white, [H, W, 3] uint8."""
    if image.mode.startswith("I") or image.mode == "F":
        return _deep_gray(image, path)
    if image.mode == "CMYK":
        image = ImageChops.invert(image) if is_inverted else image
    if image.has_transparency_data:
        return _on_white(_convert(image, "RGBA", path))
    return _convert(image, "RGB", path)


def _convert(image: Image.Image, mode: str, path: Path) -> np.ndarray:
    """Let Pillow bring a picture to a mode, [H, W, C] uint8."""
    try:
        return np.array(image.convert(mode))
    except Exception as error:  # as above
        raise _broken(path, error) from error


def _on_white(rgba: np.ndarray) -> np.ndarray:
    """Lay [H, W, 4] on white, rounded to the nearest level."""
    rgb, alpha = rgba[..., :3].astype(np.int32), rgba[..., 3:].astype(np.int32)
    return ((rgb * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def _deep_gray(image: Image.Image, path: Path) -> np.ndarray:
    """Scale gray pictures of 16 bits to 8; refuse deeper ones."""
    pixels = np.asarray(image)
    if image.mode == "F" or pixels.min() < 0 or pixels.max() > 0xFFFF:
        raise ImageError(
            f"{path} holds numbers from {pixels.min()} to {pixels.max()}, which have "
            "no agreed white; save it with 8 or 16 bits.",
            "unsupported",
        )
    gray = (pixels.astype(np.uint16) >> 8).astype(np.uint8)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        gray[pixels == transparent] = 255
    return np.repeat(gray[..., None], 3, axis=2)


def _too_large(path: Path, what: str, max_pixels: int) -> ImageError:
    return ImageError(
        f"{path} is too large ({what}); the limit is max_pixels={max_pixels}.",
        "too_large",
    )


def _broken(path: Path, error: Exception) -> ImageError:
    """Name what Pillow found: a file cut short, or another defect."""
    if isinstance(error, UnidentifiedImageError):
        return ImageError(
            f"{path} begins like a picture and holds none; get the file again.",
            "unreadable",
        )
    text = (str(error) or type(error).__name__).replace("\n", " ")
    if isinstance(error, EOFError) or "truncated" in text.lower():
        return ImageError(f"{path} is cut short ({text}).", "truncated")
    return ImageError(f"{path} is damaged ({text}).", "unreadable")
