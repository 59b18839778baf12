"""Which files have the same bytes?"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pixsent_tf.data.decode.opening import open_size
from pixsent_tf.errors import ImageError
from pixsent_tf.machine import num_cores
from pixsent_tf.progress import NO_PROGRESS, Progress

# What this process has hashed, by path, size and time of the last change.
_hashed: dict[tuple[str, int, int], str] = {}


def hash_files(
    paths: Sequence[str | os.PathLike[str]], *, progress: Progress = NO_PROGRESS
) -> list[str]:
    """Hash the bytes of files, each once unless it changes.

    Args:
        paths: The files.
        progress: Hears how far it is, where there is anything to hash.

    Returns:
        The SHA-256 of each file as hexadecimal digits; "" where it cannot be opened,
        is no file, as a pipe, or larger than a picture may be: none of these is read.
    """
    states = [_state(path) for path in paths]
    new = list({state for state in states if state is not None} - _hashed.keys())
    if new:
        with (
            progress.step(len(new), "hashing"),
            ThreadPoolExecutor(num_cores()) as pool,
        ):
            names = [name for name, _, _ in new]
            for state, digest in zip(new, pool.map(_hash, names), strict=True):
                _hashed[state] = digest
                progress.advance(1)
    return ["" if state is None else _hashed[state] for state in states]


def _state(path: str | os.PathLike[str]) -> tuple[str, int, int] | None:
    try:
        open_size(path)
        found = os.stat(path)
    except (ImageError, OSError):
        return None
    return os.fspath(path), found.st_size, found.st_mtime_ns


def _hash(path: str) -> str:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""
