"""What is this file? Asked of its first bytes, whatever its name says."""

from __future__ import annotations

import re
from collections.abc import Mapping

HEADER = 1024  # bytes that are enough to tell
PICTURES = frozenset(
    {
        *("jpeg", "png", "gif", "bmp", "webp", "tiff", "heic", "avif", "jpeg2000"),
        *("ppm", "ico", "tga"),
    }
)
# What is no picture that can be read: a word for it, and what would do.
OTHERS: Mapping[str, tuple[str, str]] = {
    "html": ("a web page", "get the picture again"),
    "pdf": ("a PDF", "save its pages as pictures"),
    "svg": ("an SVG drawing", "save it as PNG"),
    "jpeg_xl": ("a JPEG XL picture", "save it as JPEG or PNG"),
    "raw": ("a camera's raw file", "develop it to JPEG or TIFF"),
    "photoshop": ("a Photoshop document", "save it as PNG"),
    "video": ("a video", "save frames of it as pictures"),
    "lfs": ("a Git LFS pointer, not the file itself", "`git lfs pull` fetches it"),
    "zip": ("a zip archive", "unpack it"),
    "archive": ("a compressed archive", "unpack it"),
}
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_PREFIXES = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"FUJIFILMCCD-RAW", "raw"),
    (b"IIRO", "raw"),
    (b"IIRS", "raw"),
    (b"MMOR", "raw"),
    (b"IIU\0", "raw"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"\0\0\0\x0cjP  ", "jpeg2000"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),
    (b"\0\0\0\x0cJXL ", "jpeg_xl"),
    (b"\xff\x0a", "jpeg_xl"),
    (b"8BPS", "photoshop"),
    (b"%PDF", "pdf"),
    (b"version https://git-lfs", "lfs"),
    (b"\0\0\1\0", "ico"),
    (b"\0\0\1\xba", "video"),
    (b"\0\0\1\xb3", "video"),
    (b"\x1a\x45\xdf\xa3", "video"),
    (b"FLV\1", "video"),
    (b"PK\3\4", "zip"),
    (b"PK\5\6", "zip"),
    (b"\x1f\x8b", "archive"),
    (b"BZh", "archive"),
    (b"\xfd7zXZ\0", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!", "archive"),
)
_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})  # their sizes
_RIFF = {b"WEBP": "webp", b"AVI ": "video"}
_PPM = re.compile(rb"P[1-6]\s+(#[^\n]*\n\s*)*\d")
_WEB = (b"<!doctype html", b"<html", b"<head", b"<body")
_TGA_TYPES, _TGA_DEPTHS = (1, 2, 3, 9, 10, 11), (8, 15, 16, 24, 32)


def sniff(header: bytes) -> str:
    """Tell a file's format from its first bytes.

    Args:
        header: The first bytes of the file; `HEADER` are enough.

    Returns:
        One of `PICTURES` or of `OTHERS`, `empty` or `unknown`.

    Example:
        >>> sniff(b"GIF89a...")
        'gif'
    """
    if not header:
        return "empty"
    if header[:4] == b"II*\0" and header[8:10] == b"CR":
        return "raw"
    for prefix, name in _PREFIXES:
        if header.startswith(prefix):
            return name
    if header[:2] == b"BM" and int.from_bytes(header[14:18], "little") in _BMP_HEADERS:
        return "bmp"
    if header[:4] == b"RIFF":
        return _RIFF.get(header[8:12], "unknown")
    if header[4:8] == b"ftyp":
        return _of_media(header)
    if _PPM.match(header):
        return "ppm"
    return _of_text(header) or ("tga" if _is_tga(header) else "unknown")


def _of_media(header: bytes) -> str:
    """Tell pictures in a container of films from films."""
    brand = header[8:12]
    if brand in (b"avif", b"avis"):
        return "avif"
    if brand in _HEIF_BRANDS:
        others = header[16 : int.from_bytes(header[:4], "big")]
        return "avif" if b"avif" in others and b"hei" not in others else "heic"
    return "raw" if brand == b"crx " else "video"


def _of_text(header: bytes) -> str | None:
    text = header.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_WEB):
        return "html"
    is_marked = text.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype svg"))
    return "svg" if is_marked and b"<svg" in text else None


def _is_tga(header: bytes) -> bool:
    """Tell a Targa file, which has no mark, by fields that cannot be otherwise."""
    if len(header) < 18 or header[1] > 1 or header[2] not in _TGA_TYPES:
        return False
    has_size = header[12:14] != b"\0\0" != header[14:16]
    is_plain = header[1] == 1 or header[3:8] == bytes(5)
    return has_size and is_plain and header[16] in _TGA_DEPTHS and header[17] < 64
