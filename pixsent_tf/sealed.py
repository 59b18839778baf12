"""Are these arrays what was written? A file of arrays with its own checksum at the end.

    an .npz, with a member `values` of JSON, and then its SHA-256, 64 hexadecimal digits

A file that was cut, emptied or changed in a single bit is told apart before anything in
it is believed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pixsent_tf.whole import whole

DIGITS = 64
_VALUES = "values"
_BLOCK = 2**20


class DamagedError(Exception):
    """A file that is not as it was written; says in which way."""


def write_sealed(
    path: Path, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]
) -> None:
    """Write arrays, whole or not at all.

    Args:
        path: The file.
        arrays: By name; "values" is taken.
        values: What else belongs to them; JSON can hold it.
    """
    members: dict[str, Any] = {**arrays, _VALUES: np.array(json.dumps(values))}
    with whole(path) as temporary:
        with temporary.open("wb") as file:
            np.savez(file, **members)
        digest = _digest(temporary, temporary.stat().st_size)
        with temporary.open("ab") as file:
            file.write(digest.encode())


def read_sealed(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what `write_sealed` wrote.

    Args:
        path: The file.

    Returns:
        The arrays by name, and the values.

    Raises:
        DamagedError: If it is not as it was written, or cannot be read.
    """
    try:
        size = path.stat().st_size - DIGITS
        if size <= 0:
            raise DamagedError(f"it holds {size + DIGITS} bytes")
        with path.open("rb") as file:
            file.seek(size)
            expected = file.read()
        if _digest(path, size).encode() != expected:
            raise DamagedError("its checksum does not fit")
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except OSError as error:
        raise DamagedError(error.strerror or str(error)) from error
    return arrays, json.loads(str(arrays.pop(_VALUES)))


def _digest(path: Path, size: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in _blocks(file, size):
            digest.update(block)
    return digest.hexdigest()


def _blocks(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (block := file.read(min(_BLOCK, size))):
        size -= len(block)
        yield block
