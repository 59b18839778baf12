"""Which files of a folder are pictures?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".webp"),
    *(".tif", ".tiff", ".heic", ".heif"),
)


def walk_pictures(folder: Path) -> Iterator[Path]:
    """Find the files below a folder that are named like pictures.

    Args:
        folder: Where to look; hidden entries are passed over.

    Yields:
        Paths, sorted within each folder.
    """
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(parent, name)
