"""Which files show the same picture?

Byte-identical files are found by their SHA-256; copies that were encoded again, resized
or cut by up to 5 % a side by comparing small gray pictures of them. A set of files is
searched once: what was found is kept under the digest of their bytes.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pixsent_tf.data.copies import cache
from pixsent_tf.data.copies.alike import SIDE, alike_pairs
from pixsent_tf.data.copies.digests import hash_files
from pixsent_tf.data.decode.files import read_image
from pixsent_tf.errors import DataError, ImageError
from pixsent_tf.machine import num_cores
from pixsent_tf.progress import NO_PROGRESS, Progress

# What the cache holds, and with how many dimensions; the number counts the rules by
# which copies are told, so that a change of them forgets what others found.
_RULES = 1
_COLUMNS = {"pairs": 2, "is_exact": 1, "distances": 1, "groups": 1, "failed": 1}


@dataclass(frozen=True)
class Duplicates:
    """Which files show the same picture.

    Attributes:
        pairs: Positions of two files of one picture, int32 [M, 2], the smaller first,
            in order.
        is_exact: Whether the two files have the same bytes, bool [M].
        distances: 0 for the same details, 1 for unrelated ones, float32 [M].
        groups: One number for all files of one picture, int32 [N]. Copies of a copy
            belong to its group, although they need not be a pair.
        failures: The error of each file that holds no readable picture, by position.
    """

    pairs: np.ndarray
    is_exact: np.ndarray
    distances: np.ndarray
    groups: np.ndarray
    failures: dict[int, ImageError]


def find_copies(
    paths: Sequence[str | os.PathLike[str]],
    *,
    progress: Progress = NO_PROGRESS,
) -> Duplicates:
    """Find the files that show the same picture.

    Mirrored and rotated copies are not found, and neither are nearly blank pictures
    unless their bytes are the same. Files that cannot be read are no one's copy.

    Args:
        paths: The files, [N].
        progress: Hears how far it is, unless the answer is known.

    Returns:
        Pairs and groups.

    Raises:
        DataError: If there are files and none of them can be read, so that nothing is
            known about copies.
    """
    hashes = hash_files(paths, progress=progress)
    digest = hashlib.sha256("\n".join([f"{_RULES}", *hashes]).encode()).hexdigest()
    kept = cache.recall(digest, _COLUMNS)
    failures = None if kept is None else _still_failing(paths, kept["failed"])
    if kept is None or failures is None:
        thumbnails, failures = _read_all(paths, progress)
        kept = _compare(hashes, thumbnails, failures)
        cache.keep(digest, kept)
    if failures and len(failures) == len(paths):
        raise DataError(
            f"None of the {len(paths)} pictures can be read, so that copies cannot be "
            f"told: {failures[0]}"
        )
    columns = {name: kept[name] for name in _COLUMNS if name != "failed"}
    return Duplicates(failures=failures, **columns)


def _still_failing(
    paths: Sequence[str | os.PathLike[str]], failed: np.ndarray
) -> dict[int, ImageError] | None:
    """Read again what could not be read; None where something can be by now."""
    failures = {}
    for position in failed.tolist():
        error = _read(paths[position])
        if not isinstance(error, ImageError):
            return None
        failures[position] = error
    return failures


def _read_all(
    paths: Sequence[str | os.PathLike[str]], progress: Progress
) -> tuple[np.ndarray, dict[int, ImageError]]:
    """Read every file's thumbnail, uint8 [N, 64, 64], or its error."""
    thumbnails = np.zeros((len(paths), SIDE, SIDE), dtype=np.uint8)
    failures = {}
    with (
        progress.step(len(paths), "looking for copies"),
        ThreadPoolExecutor(num_cores()) as pool,
    ):
        for i, thumbnail in enumerate(pool.map(_read, paths)):
            if isinstance(thumbnail, ImageError):
                failures[i] = thumbnail
            else:
                thumbnails[i] = thumbnail
            progress.advance(1)
    return thumbnails, failures


def _read(path: str | os.PathLike[str]) -> np.ndarray | ImageError:
    """Read a file's gray thumbnail, uint8 [64, 64]."""
    try:
        image = read_image(path, target_side=2 * SIDE)
    except ImageError as error:
        return error
    gray = Image.fromarray(image).convert("L")
    return np.asarray(gray.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def _compare(
    hashes: Sequence[str], thumbnails: np.ndarray, failures: Mapping[int, ImageError]
) -> dict[str, np.ndarray]:
    """Pair the files with the same bytes, and those that look alike."""
    files = defaultdict(list)  # positions by hash
    for i, digest in enumerate(hashes):
        if i not in failures:
            files[digest].append(i)
    exact = [pair for same in files.values() for pair in combinations(same, 2)]
    pairs: list[tuple[int, int]] = list(exact)
    distances = [0.0] * len(exact)
    firsts = np.array([same[0] for same in files.values()], dtype=np.int32)
    for a, b, distance in alike_pairs(thumbnails[firsts]):
        for pair in product(files[hashes[firsts[a]]], files[hashes[firsts[b]]]):
            pairs.append((min(pair), max(pair)))
            distances.append(distance)
    table = np.array(pairs, dtype=np.int32).reshape(-1, 2)
    order = np.lexsort((table[:, 1], table[:, 0]))
    return {
        "pairs": table[order],
        "is_exact": (np.arange(len(pairs)) < len(exact))[order],
        "distances": np.array(distances, dtype=np.float32)[order],
        "groups": connect(len(hashes), table),
        "failed": np.array(sorted(failures), dtype=np.int32),
    }


def connect(count: int, pairs: np.ndarray) -> np.ndarray:
    """Number what hangs together.

    Args:
        count: How many things there are, N.
        pairs: Positions of two that belong together, int [M, 2].

    Returns:
        One number for all that are linked, directly or not, int32 [N].
    """
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(count, count))
    _, groups = connected_components(links, directed=False)
    return groups.astype(np.int32)
