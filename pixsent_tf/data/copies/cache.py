"""What did an earlier search for copies find?

    CACHE/copies/DIGEST.npz     one array for each column of what was found

Remembered by this process, and kept on disk for the next. A file that is damaged is as
good as none, and a folder that cannot be written to only costs the time.
"""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pixsent_tf import runs
from pixsent_tf.whole import whole

_MAX_REMEMBERED = 8
_remembered: dict[str, Mapping[str, np.ndarray]] = {}  # by digest, the latest last


def recall(digest: str, columns: Mapping[str, int]) -> Mapping[str, np.ndarray] | None:
    """Give what was found in files of these bytes.

    Args:
        digest: Of all files, in their order.
        columns: Name and number of dimensions of each array that is wanted.

    Returns:
        Arrays by name; None where nothing, or nothing whole, was kept.
    """
    if digest not in _remembered:
        kept = _read(_path(digest), columns)
        if kept is None:
            return None
        _remember(digest, kept)
    return _remembered[digest]


def keep(digest: str, found: Mapping[str, np.ndarray]) -> None:
    """Keep what was found.

    Args:
        digest: Of all files, in their order.
        found: Arrays by name.
    """
    _remember(digest, found)
    arrays = dict[str, Any](found)
    with contextlib.suppress(OSError), whole(_path(digest)) as temporary:
        np.savez(temporary, **arrays)


def _remember(digest: str, found: Mapping[str, np.ndarray]) -> None:
    while len(_remembered) >= _MAX_REMEMBERED:
        del _remembered[next(iter(_remembered))]
    _remembered[digest] = found


def _path(digest: str) -> Path:
    return runs.cache_folder("copies") / f"{digest}.npz"


def _read(path: Path, columns: Mapping[str, int]) -> Mapping[str, np.ndarray] | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            kept = {name: stored[name] for name in columns}
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    is_whole = all(kept[name].ndim == count for name, count in columns.items())
    return kept if is_whole else None
