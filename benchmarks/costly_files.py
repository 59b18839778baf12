"""Files that cost far more to decode than to send: a few kilobytes, many pixels.

Written by formulas, not by encoders: no picture of a hundred megapixels is ever held.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

from PIL import Image

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a PNG, by color type


def png(
    width: int,
    height: int,
    *,
    color_type: int,
    bits: int = 8,
    interlaced: bool = False,
    rows: int | None = None,
) -> bytes:
    """Write a PNG of one color.

    Args:
        width: In pixels.
        height: In pixels.
        color_type: PNG's number for it: 2 for RGB, 3 for a palette, 6 for RGBA.
        bits: Of a sample.
        interlaced: Store it in Adam7's seven passes.
        rows: How many rows the file really holds; all of them by default.

    Returns:
        The file.
    """
    header = struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, interlaced)
    per_pixel = CHANNELS[color_type] * bits // 8
    squeeze = zlib.compressobj(9)
    body = b""
    for columns, count in _passes(width, rows or height, interlaced=interlaced):
        row = b"\0" + b"\x77" * (columns * per_pixel)
        body += b"".join(squeeze.compress(row) for _ in range(count))
    chunks = [(b"IHDR", header)]
    if color_type == 3:
        chunks.append((b"PLTE", bytes(range(256)) * 3))
    chunks += [(b"IDAT", body + squeeze.flush()), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _passes(width: int, height: int, *, interlaced: bool) -> Iterator[tuple[int, int]]:
    """Columns and rows of each pass."""
    if not interlaced:
        yield width, height
        return
    for x, y, dx, dy in (
        *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
        *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
    ):
        yield len(range(x, width, dx)), len(range(y, height, dy))


def _chunk(kind: bytes, body: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + check


def webp(width: int, height: int) -> bytes:
    """Write a lossless WebP of one color: every code has one symbol and no bits.

    Args:
        width: In pixels, 16383 at most.
        height: In pixels, 16383 at most.

    Returns:
        The file, of 38 bytes.
    """
    size = (width - 1) | (height - 1) << 14
    codes = sum(1 << (3 + 4 * i) for i in range(5))  # "simple code", symbol 0, 5 times
    body = b"\x2f" + struct.pack("<I", size) + codes.to_bytes(13, "little")
    inside = b"WEBPVP8L" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(inside)) + inside


def gif_animation(width: int, height: int, num_frames: int) -> bytes:
    """Write a GIF of equal gray frames.

    Args:
        width: In pixels.
        height: In pixels.
        num_frames: How many.

    Returns:
        The file.
    """
    still = gif_beyond_screen((width, height), (width, height))
    start, end = still.index(b"\x21\xf9"), len(still) - 1
    return still[:start] + still[start:end] * num_frames + still[end:]


def gif_beyond_screen(screen: tuple[int, int], frame: tuple[int, int]) -> bytes:
    """Write a GIF whose frame is larger than the screen that its header claims.

    Args:
        screen: Width and height of the header.
        frame: Width and height of the frame.

    Returns:
        The file.
    """
    stream = io.BytesIO()
    small = Image.new("P", (1, 1)) if frame[0] > 16_000 else Image.new("P", frame)
    small.putpalette([119] * 768)
    small.save(stream, "GIF", optimize=False)
    whole = stream.getvalue()
    position = whole.index(b"\x2c", 13 + 3 * 2 ** ((whole[10] & 7) + 1))
    control = b"\x21\xf9\x04\0\x0a\0\0\0"
    palette = whole[13 : 13 + 3 * 2 ** ((whole[10] & 7) + 1)]
    head = b"GIF89a" + struct.pack("<HH", *screen) + whole[10:13] + palette
    described = b"\x2c" + struct.pack("<HHHH", 0, 0, *frame) + whole[position + 9 :]
    return head + control + described


def jpeg_of_many_scans(image: Image.Image, num_scans: int) -> bytes:
    """Write a progressive JPEG that sends one of its scans again and again.

    Args:
        image: Any picture.
        num_scans: How many scans it shall have.

    Returns:
        The file.
    """
    stream = io.BytesIO()
    image.save(stream, "JPEG", progressive=True, quality=50)
    whole = stream.getvalue()
    scans = whole.split(b"\xff\xda")
    last = scans[-1].removesuffix(b"\xff\xd9")
    again = [last] * (num_scans - len(scans) + 2)
    return b"\xff\xda".join([*scans[:-1], *again]) + b"\xff\xd9"


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    """Let Pillow write a picture.

    Args:
        image: The picture.
        form: One of Pillow's formats.
        options: As `Image.save` takes them.

    Returns:
        The file.
    """
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()
