"""What does the header of a JPEG say of the work that is to come?"""

from __future__ import annotations

import os
from typing import BinaryIO

from pixsent_tf.data.decode.bounds import JpegFrame

START_OF_SCAN = b"\xff\xda"
_SOS = 0xDA
# Frames but DHT, JPG and DAC, which share their range; every one but C0 and C1 and
# their arithmetic twins is sent in several scans.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
SEQUENTIAL = frozenset({0xC0, 0xC1, 0xC3, 0xC9, 0xCB})
_MAX_SEGMENTS = 4096
_CHUNK = 1 << 20
END_OF_IMAGE = b"\xff\xd9"
# A decoder that lacks pixels takes it for some; one that has all passes over it.
PADDING = b"\x55\xaa" * 64
_FEW_ZEROS = 8  # more at the end are no part of the last pixels, but of a torn file


def read_frame(file: BinaryIO) -> JpegFrame | None:
    """Read the frame of a JPEG and count its scans.

    Args:
        file: The file, at any position.

    Returns:
        What it says; None where there is no frame to be found.
    """
    file.seek(2)
    frame: tuple[int, bytes] | None = None
    for _ in range(_MAX_SEGMENTS):
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            return None
        if head[1] == 0xFF:  # padding
            file.seek(-3, 1)
            continue
        body = int.from_bytes(head[2:], "big") - 2
        if head[1] == _SOS:
            return None if frame is None else _describe(*frame, file)
        if head[1] in _FRAMES and frame is None:
            frame = head[1], file.read(max(body, 0))
        else:
            file.seek(max(body, 0), 1)
    return None


def _describe(marker: int, body: bytes, file: BinaryIO) -> JpegFrame | None:
    """Understand a frame; the file is behind the length of its first scan's header."""
    in_scan = file.read(1)
    count = body[5] if len(body) > 5 else 0
    factors = [divmod(byte, 16) for byte in body[7 : 6 + 3 * count : 3]]
    if not in_scan or not count or len(factors) < count:
        return None
    widest, tallest = (max(factor[axis] for factor in factors) for axis in (0, 1))
    if not widest * tallest:
        return None
    samples = sum(h * v for h, v in factors) / (widest * tallest)
    is_buffered = marker not in SEQUENTIAL or in_scan[0] < count
    return JpegFrame(
        height=int.from_bytes(body[1:3], "big"),
        width=int.from_bytes(body[3:5], "big"),
        samples=samples,
        num_scans=count_scans(file) if is_buffered else 1,
        is_buffered=is_buffered,
    )


def count_scans(file: BinaryIO) -> int:
    """Count the marks at which scans start, wherever they are.

    Args:
        file: The file, at any position.

    Returns:
        Their number.
    """
    file.seek(0)
    count, last = 0, b""
    while chunk := file.read(_CHUNK):
        count += (last + chunk).count(START_OF_SCAN)
        last = chunk[-1:]
    return count


def lacks_end(content: bytes) -> bool:
    """Tell whether a JPEG's end marker is missing; its pixels may all be there.

    Args:
        content: The whole file, or at least its first three and its last bytes.

    Returns:
        Whether no end is marked behind the last scan's start.
    """
    if not content.startswith(b"\xff\xd8\xff") or content.endswith(END_OF_IMAGE):
        return False
    return content.rfind(END_OF_IMAGE) < content.rfind(START_OF_SCAN)


def complete(content: bytes, padding: bytes = b"") -> bytes:
    """End a JPEG that lacks its end.

    Args:
        content: The file.
        padding: What to put between the pixels and the end. Where no pixel is missing,
            `PADDING` shows the same as nothing does.

    Returns:
        A file with an end.
    """
    torn = content.rstrip(b"\0")
    content = torn if len(content) - len(torn) > _FEW_ZEROS else content
    return content + padding + END_OF_IMAGE


def is_repaired(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file that was read is a JPEG that lacked its end.

    Args:
        path: The file, which has been read.
    """
    try:
        with open(path, "rb") as file:
            if file.read(3) != b"\xff\xd8\xff":
                return False
            file.seek(-2, os.SEEK_END)
            if file.read(2) == END_OF_IMAGE:
                return False
            file.seek(0)
            return lacks_end(file.read())
    except OSError:
        return False
