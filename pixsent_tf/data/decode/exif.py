"""Which way up was the camera held? EXIF orientation without TensorFlow.

The same rules as `orientation` has in the graph: what does not parse turns nothing.
"""

from __future__ import annotations

import string
import struct
from collections.abc import Mapping
from typing import Any

PREFIX = b"Exif\0\0"
MAX_PREFIXES = 3  # some writers put it in front of what has it already
TAG = 0x0112
SHORT, LONG = 3, 4
# Text chunks of a PNG in which EXIF lies as hexadecimal digits, as older writers did.
RAW_PROFILES = ("Raw profile type exif", "Raw profile type APP1")
MAX_BYTES = 1 << 16  # of EXIF data that are looked at
_HEADERS = {b"II*\0": "<", b"MM\0*": ">"}


def read_turn(info: Mapping[Any, Any]) -> int:
    """Read the orientation from what Pillow knows of a JPEG, PNG or WebP.

    Args:
        info: Of a picture that has been loaded.

    Returns:
        EXIF's word for how it is stored, 1..8; 1 where there is none to read.
    """
    exif = info.get("exif")
    if not isinstance(exif, bytes):
        profiles = (_unhex(info[name]) for name in RAW_PROFILES if name in info)
        exif = next(profiles, b"")
    for _ in range(MAX_PREFIXES):
        exif = exif.removeprefix(PREFIX)
    return read_tiff_turn(exif[:MAX_BYTES])


def _unhex(profile: Any) -> bytes:
    """Read a name, a length and digits; nothing where it is written otherwise."""
    _, _, digits = str(profile).strip().partition("\n")
    _, _, digits = digits.strip().partition("\n")
    kept = "".join(digits.split())[: 2 * MAX_BYTES]
    is_hex = set(kept) <= set(string.hexdigits) and len(kept) % 2 == 0
    return bytes.fromhex(kept) if is_hex else b""


def read_tiff_turn(tiff: bytes) -> int:
    """Read the orientation from the TIFF structure that EXIF data is.

    Args:
        tiff: Bytes that begin with the TIFF header.

    Returns:
        1..8; 1 where there is none to read.
    """
    order = _HEADERS.get(tiff[:4])
    if order is None or len(tiff) < 10:
        return 1
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    if start + 2 > len(tiff):
        return 1
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    for place in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind = struct.unpack_from(f"{order}HH", tiff, place)
        if tag == TAG and kind in (SHORT, LONG):
            form = "H" if kind == SHORT else "I"
            (turn,) = struct.unpack_from(order + form, tiff, place + 8)
            return turn if 1 <= turn <= 8 else 1
    return 1
