"""Which files show the same picture?

Byte-identical files are found by their SHA-256. Copies that were encoded again, resized
or cut by up to 5 % a side are found in three steps, each on fewer pairs:

1. A perceptual hash of each picture: its 8 x 8 and 16 x 16 reductions. Copies correlate
   above .75 and .6; so do three pairs of different photographs in a thousand.
2. The pair is lined up at 16, 32 and 64 pixels, since a cut moves everything.
3. The details correlate: .93 and more for copies, .58 and less for photographs that
   only look alike.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pixsent_tf.data.copies import alignment
from pixsent_tf.data.decode.files import read_image
from pixsent_tf.errors import ImageError
from pixsent_tf.progress import NO_PROGRESS, Progress

_SIDE = 64  # of a thumbnail, in pixels
_HASHES = ((8, 0.75), (16, 0.6))  # side of the reduction, least correlation
_LEVELS = ((16, 5, 0.85), (32, 4, 0.8), (64, 2, 0.9))  # side, steps, least correlation
_LEAST_DETAIL = 0.8
_LEAST_CONTRAST = 1.0  # of 255; a blank picture looks like any other
_CHUNK = 1024


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


def find_duplicates(
    paths: Sequence[str | os.PathLike[str]],
    *,
    progress: Progress = NO_PROGRESS,
) -> Duplicates:
    """Find the files that show the same picture.

    Mirrored and rotated copies are not found, and neither are nearly blank pictures
    unless their bytes are the same. Files that cannot be read are no one's copy.

    Args:
        paths: The files, [N].
        progress: Hears how far it is.

    Returns:
        Pairs and groups.
    """
    digests: list[str] = []
    thumbnails = np.zeros((len(paths), _SIDE, _SIDE), dtype=np.uint8)
    failures = {}
    with (
        progress.step(len(paths), "looking for copies"),
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        for i, (digest, thumbnail) in enumerate(pool.map(_read, paths)):
            digests.append(digest)
            if isinstance(thumbnail, ImageError):
                failures[i] = thumbnail
            else:
                thumbnails[i] = thumbnail
            progress.advance(1)
    return _compare(digests, thumbnails, failures)


def _compare(
    digests: list[str], thumbnails: np.ndarray, failures: dict[int, ImageError]
) -> Duplicates:
    files = defaultdict(list)  # positions by digest
    for i, digest in enumerate(digests):
        if i not in failures:
            files[digest].append(i)
    exact = [pair for same in files.values() for pair in combinations(same, 2)]
    pairs: list[tuple[int, int]] = list(exact)
    distances = [0.0] * len(exact)
    firsts = np.array([same[0] for same in files.values()], dtype=np.int32)
    for a, b, distance in _near_pairs(thumbnails[firsts]):
        for pair in product(files[digests[firsts[a]]], files[digests[firsts[b]]]):
            pairs.append((min(pair), max(pair)))
            distances.append(distance)
    table = np.array(pairs, dtype=np.int32).reshape(-1, 2)
    order = np.lexsort((table[:, 1], table[:, 0]))
    return Duplicates(
        pairs=table[order],
        is_exact=(np.arange(len(pairs)) < len(exact))[order],
        distances=np.array(distances, dtype=np.float32)[order],
        groups=_groups(len(digests), table),
        failures=failures,
    )


def _read(path: str | os.PathLike[str]) -> tuple[str, np.ndarray | ImageError]:
    """Read a file's digest and its gray thumbnail, uint8 [64, 64]."""
    try:
        image = read_image(path, target_side=2 * _SIDE)
    except ImageError as error:
        return "", error
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    gray = Image.fromarray(image).convert("L")
    return digest, np.asarray(gray.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR))


def _near_pairs(thumbnails: np.ndarray) -> Iterator[tuple[int, int, float]]:
    """Yield the positions of alike thumbnails and how far apart they are."""
    candidates = _candidates(thumbnails)
    for start in range(0, len(candidates), _CHUNK):
        first, second = candidates[start : start + _CHUNK].T
        changes = alignment.identity(len(first))
        for side, num_steps, least in _LEVELS:
            images = _reduce(thumbnails[first], side)
            others = _reduce(thumbnails[second], side)
            changes = alignment.align(images, others, changes, num_steps=num_steps)
            kept = alignment.correlate(images, others, changes) >= least
            first, second, changes = first[kept], second[kept], changes[kept]
        details = alignment.correlate_details(images[kept], others[kept], changes)
        for a, b, detail in zip(first, second, details, strict=True):
            if detail >= _LEAST_DETAIL:
                yield int(a), int(b), float(1 - detail)


def _candidates(thumbnails: np.ndarray) -> np.ndarray:
    """Find the pairs whose hashes correlate, int [M, 2]."""
    if not len(thumbnails):
        return np.zeros((0, 2), dtype=np.int64)
    hashes = [(_hash(thumbnails, side), least) for side, least in _HASHES]
    found = []
    for start in range(0, len(thumbnails), _CHUNK):
        stop = start + _CHUNK
        alike = np.logical_and.reduce(
            [values[start:stop] @ values[start:].T >= least for values, least in hashes]
        )
        found.append(np.argwhere(np.triu(alike, k=1)) + start)
    return np.concatenate(found)


def _hash(thumbnails: np.ndarray, side: int) -> np.ndarray:
    """Reduce to vectors of mean 0 and length 1, [N, side * side]; blank ones to 0."""
    values = _reduce(thumbnails, side).reshape(len(thumbnails), -1)
    values -= values.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    is_blank = lengths < _LEAST_CONTRAST * side
    return np.where(is_blank, 0, values / np.maximum(lengths, 1e-6))


def _reduce(thumbnails: np.ndarray, side: int) -> np.ndarray:
    """Average blocks of pixels, float32 [N, side, side]."""
    block = _SIDE // side
    blocks = thumbnails.reshape(-1, side, block, side, block)
    return blocks.mean(axis=(2, 4), dtype=np.float32)


def _groups(num_files: int, pairs: np.ndarray) -> np.ndarray:
    links = coo_array(
        (np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(num_files,) * 2
    )
    _, groups = connected_components(links, directed=False)
    return groups.astype(np.int32)
