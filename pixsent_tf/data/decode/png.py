"""What of a PNG is its picture? Pillow refuses one for the length of its texts.

Tools that make pictures write their settings into them, some megabytes of text, and
color profiles may be as long.
"""

from __future__ import annotations

import io
from pathlib import Path

_SIGNATURE = 8
# Left out, but for what tells the orientation.
_TEXTS = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")
_KEPT = b"Raw profile type "
_MAX_KEPT = 1 << 18


def is_too_wordy(error: BaseException) -> bool:
    """Tell whether Pillow refused a PNG for its texts or its color profile.

    Args:
        error: What Pillow raised.
    """
    text = str(error).lower()
    return "decompressed data too large" in text or "text chunks" in text


def without_texts(path: Path) -> io.BytesIO:
    """Read a PNG without its texts and its color profile.

    Args:
        path: The file.

    Returns:
        The bytes of a PNG of the same pixels, turned the same way.
    """
    kept = io.BytesIO()
    with path.open("rb") as file:
        kept.write(file.read(_SIGNATURE))
        while len(head := file.read(8)) == 8:
            length = int.from_bytes(head[:4], "big")
            body = file.read(length + 4)  # and the checksum
            is_text = head[4:] in _TEXTS
            is_wanted = body.startswith(_KEPT) and length <= _MAX_KEPT
            if not is_text or is_wanted:
                kept.write(head + body)
    kept.seek(0)
    return kept
