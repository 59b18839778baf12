"""Files as people have them: every format, and every way in which one is broken.

`write_torture(folder)` writes one of each and says what should become of it, so that
tests of every verb can hold their own rows against the same list.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops


@dataclass(frozen=True)
class TortureFile:
    """One file and what should become of it.

    Attributes:
        name: Its name in the folder.
        status: `ok`, or the word of `data.decode.opening.REASONS` that says why not.
        is_decodable: Whether TensorFlow's decoders read it too.
    """

    name: str
    status: str = "ok"
    is_decodable: bool = False


def picture(width: int = 96, height: int = 64, seed: int = 0) -> Image.Image:
    """Draw a smooth picture, unlike itself in every direction and of many colors."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def translucent(seed: int = 0) -> Image.Image:
    """Draw a picture that fades from transparent to opaque, left to right."""
    image = picture(seed=seed).convert("RGBA")
    ramp = np.linspace(0, 255, image.width).astype(np.uint8)
    image.putalpha(Image.fromarray(np.tile(ramp, (image.height, 1))))
    return image


def encode(image: Image.Image, form: str, **options: object) -> bytes:
    """Write a picture to bytes in one of Pillow's formats."""
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def with_exif(orientation: int, form: str = "JPEG", **options: object) -> bytes:
    """Write a picture that is to be turned as EXIF's `orientation` says."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(picture(), form, exif=exif.tobytes(), **options)


def deep_gray() -> Image.Image:
    """Draw a gray picture of 16 bits."""
    ramp = np.linspace(0, 65535, 96 * 64).reshape(64, 96)
    return Image.fromarray(ramp.astype(np.uint16))


def deep_color_png() -> bytes:
    """Write a color PNG of 16 bits, which Pillow reads but does not write."""
    levels = np.asarray(picture()).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in levels)
    return _png(96, 64, bits=16, color_type=2, rows=rows)


def bomb_png(side: int = 60_000) -> bytes:
    """Write a PNG of a few hundred bytes that claims billions of pixels."""
    return _png(side, side, bits=8, color_type=2, rows=bytes(100_000))


def _png(width: int, height: int, bits: int, color_type: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body))
        + kind
        + body
        + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def good_files() -> Iterator[tuple[str, bytes, bool]]:
    """Yield name, bytes and whether TensorFlow reads it, for each readable kind."""
    image, gray = picture(), picture().convert("L")
    palette = image.quantize(32)
    frames = {"save_all": True, "append_images": [picture(seed=1)], "duration": 100}
    yield "baseline.jpg", encode(image, "JPEG", quality=90), True
    yield "progressive.jpg", encode(image, "JPEG", progressive=True), True
    yield "gray.jpg", encode(gray, "JPEG"), True
    yield "cmyk.jpg", encode(image.convert("CMYK"), "JPEG", quality=95), True
    yield "plain_cmyk.jpg", without_adobe(image.convert("CMYK")), True
    for orientation in range(2, 9):
        yield f"exif_{orientation}.jpg", with_exif(orientation), True
    yield "exif_6.png", with_exif(6, "PNG"), True
    yield "exif_8.webp", with_exif(8, "WEBP", lossless=True), True
    yield (
        "damaged_exif.jpg",
        encode(image, "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff"),
        True,
    )
    yield "rgb.png", encode(image, "PNG"), True
    yield "gray.png", encode(gray, "PNG"), True
    yield "one_bit.png", encode(gray.convert("1"), "PNG"), True
    yield "palette.png", encode(palette, "PNG"), True
    yield "palette_2_bit.png", encode(image.quantize(4), "PNG", bits=2), True
    yield "palette_key.png", encode(palette, "PNG", transparency=3), True
    yield (
        "palette_alpha.png",
        encode(palette, "PNG", transparency=bytes(range(32))),
        True,
    )
    yield (
        "color_key.png",
        encode(image, "PNG", transparency=image.getpixel((5, 5))),
        True,
    )
    yield "alpha.png", encode(translucent(), "PNG"), True
    yield "gray_alpha.png", encode(translucent().convert("LA"), "PNG"), True
    yield "deep_gray.png", encode(deep_gray(), "PNG"), True
    yield "deep_color.png", deep_color_png(), True
    yield "still.gif", encode(palette, "GIF"), True
    yield "animated.gif", encode(palette, "GIF", **frames), True
    yield "transparent.gif", encode(palette, "GIF", transparency=3), False
    yield "lossy.webp", encode(image, "WEBP"), True
    yield "alpha.webp", encode(translucent(), "WEBP", lossless=True, exact=True), True
    yield "animated.webp", encode(image, "WEBP", **frames), False
    yield "color.bmp", encode(image, "BMP"), True
    yield "palette.bmp", encode(palette, "BMP"), False
    yield "color.tiff", encode(image, "TIFF"), False
    yield "cmyk.tiff", encode(image.convert("CMYK"), "TIFF"), False
    yield "deep_gray.tiff", encode(deep_gray(), "TIFF"), False
    yield "png_inside.jpg", encode(image, "PNG"), True
    yield "no_extension", encode(image, "JPEG"), True
    yield "UPPER.JPEG", encode(image, "JPEG"), True
    yield "späte Grüße 笑.jpg", encode(image, "JPEG"), True
    yield "one_pixel.png", encode(picture(1, 1), "PNG"), True
    yield "ribbon.jpg", encode(picture(900, 3), "JPEG"), True
    yield from files_of_tools(image)
    if find_spec("pillow_heif"):
        yield "phone.heic", heic(), False
        yield "turned.heic", heic(exif=exif_of(6)), False


def files_of_tools(image: Image.Image) -> Iterator[tuple[str, bytes, bool]]:
    """Yield what cameras, tools and servers make of pictures."""
    png, jpeg = encode(image, "PNG"), encode(image, "JPEG", quality=90)
    words = b"prompt\0\0\0\0\0" + b"a happy dog, " * 200_000
    yield "wordy.png", with_chunk(png, b"iTXt", words), True
    packed = b"prompt\0\1\0\0\0" + zlib.compress(bytes(8_000_000))
    yield "wordy_packed.png", with_chunk(png, b"iTXt", packed), True
    profile = b"ICC\0\0" + zlib.compress(bytes(3_000_000))
    yield "profile.png", with_chunk(png, b"iCCP", profile), True
    digits = f"\nexif\n{len(exif_of(6)):8}\n{exif_of(6).hex()}\n".encode()
    raw = b"Raw profile type exif\0"
    yield "raw_profile.png", with_chunk(png, b"tEXt", raw + digits), True
    yield (
        "raw_profile_packed.png",
        with_chunk(png, b"zTXt", raw + b"\0" + zlib.compress(digits)),
        True,
    )
    nothing = with_chunk(png, b"tEXt", raw + b"\nexif\n 2\nzz")
    yield "no_raw_profile.png", nothing, True
    twice = encode(image, "JPEG", exif=b"Exif\0\0" + exif_of(8))
    yield "exif_twice.jpg", twice, True
    yield "exif_nothing.jpg", encode(image, "JPEG", exif=b"Exif\0\0nothing"), True
    yield "unended.jpg", jpeg[:-2], False
    yield "unended.turned.jpg", with_exif(6, quality=90)[:-2], False
    yield "trailer.jpg", jpeg + b"camera" * 20, True
    yield "scan.jp2", encode(image, "JPEG2000"), False
    yield "old.ppm", encode(image, "PPM"), False
    yield "old.tga", encode(image, "TGA"), False
    if Image.registered_extensions().get(".avif") == "AVIF":
        yield "new.avif", encode(image, "AVIF", quality=95), False
        yield "turned.avif", encode(image, "AVIF", exif=exif_of(3)), False


def broken_files() -> Iterator[tuple[str, bytes, str]]:
    """Yield name, bytes and reason, for each kind that holds no readable picture."""
    jpeg, png = encode(picture(), "JPEG"), encode(picture(), "PNG")
    yield "cut.jpg", jpeg[: len(jpeg) // 2], "truncated"
    yield "cut.png", png[: len(png) // 2], "truncated"
    yield "empty.jpg", b"", "empty"
    yield "page.jpg", b"<!DOCTYPE html><html><body>404</body></html>", "not_an_image"
    yield "text.png", b"This is not a picture.\n" * 40, "not_an_image"
    noise = np.random.default_rng(0).bytes(2000)
    yield "noise.jpg", b"\xff\xd8\xff\xe0" + noise, "truncated"
    middle = len(png) // 2
    yield "damaged.png", png[:middle] + bytes(64) + png[middle + 64 :], "unreadable"
    yield "float.tiff", encode(picture().convert("F"), "TIFF"), "unsupported"
    yield "random.png", noise, "not_an_image"
    yield "bomb.png", bomb_png(), "too_large"
    yield "unended_cut.jpg", encode(picture(), "JPEG", quality=90)[:-6], "truncated"
    lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7\nsize 12\n"
    yield "lfs.jpg", lfs, "not_an_image"
    yield "clip.jpg", b"\0\0\0\x18ftypmp42" + bytes(64), "not_an_image"
    yield "drawing.png", b"<?xml version='1.0'?>\n<svg xmlns='x'/>", "unsupported"
    yield "new.jpg", b"\xff\x0a" + noise[:64], "unsupported"
    yield "raw.tif", raw_tiff(), "unsupported"


def without_adobe(image: Image.Image) -> bytes:
    """Write a CMYK JPEG whose inks are not inverted, and without Adobe's marker."""
    data = encode(ImageChops.invert(image), "JPEG", quality=95)
    start = data.index(b"\xff\xee")
    return data[:start] + data[start + 16 :]


def heic(**options: object) -> bytes:
    """Write a HEIC picture, where the optional package for it is installed."""
    from pillow_heif import register_heif_opener

    register_heif_opener()
    return encode(picture(), "HEIF", quality=90, **options)


def exif_of(orientation: int) -> bytes:
    """Write EXIF data that tell an orientation, with their prefix."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def with_chunk(png: bytes, kind: bytes, body: bytes) -> bytes:
    """Put a chunk behind the header of a PNG."""
    chunk = struct.pack(">I", len(body)) + kind + body
    chunk += struct.pack(">I", zlib.crc32(kind + body))
    return png[:33] + chunk + png[33:]


def raw_tiff() -> bytes:
    """Write what a camera's raw file begins with: a small picture of itself."""
    return encode(picture(), "TIFF", tiffinfo={254: 1, 50706: b"\1\4\0\0"})


def write_torture(folder: Path) -> list[TortureFile]:
    """Write one file of each kind into a new folder.

    Args:
        folder: Where to write; made if it does not exist.

    Returns:
        What was written, in the order of the names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, data, is_decodable in good_files():
        (folder / name).write_bytes(data)
        files.append(TortureFile(name, is_decodable=is_decodable))
    for name, data, reason in broken_files():
        (folder / name).write_bytes(data)
        files.append(TortureFile(name, reason))
    (folder / "folder.jpg").mkdir(exist_ok=True)
    files.append(TortureFile("folder.jpg", "not_an_image"))
    (folder / "gone.jpg").symlink_to("nowhere.jpg")
    files.append(TortureFile("gone.jpg", "missing"))
    return sorted(files, key=lambda file: file.name)
