"""Which features of these pictures has a network given before?

    CACHE/features/KEY/*.npy     digests of pictures, uint8 [n, 32], and then their
                                 features, float32 [n, ...], as two arrays in a row

A key stands for network, geometry and view, a digest for a picture's bytes. Files are
written whole, a few hundred pictures each, so that a process that is killed loses no
more than these. Those that were used last stay when there are more than may be.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pixsent_tf.runs import cache_folder
from pixsent_tf.whole import whole

FEWEST = 32  # pictures that are worth a file
_FILE_BYTES = 2**21  # of a file; some 400 pictures of the default network
_KEPT = 0.9  # of what is allowed stays when the oldest goes


class FeatureCache:
    """The features that one network gives of pictures, by their content.

    A damaged file is as good as none, and a folder that cannot be written to only costs
    the time.

    Args:
        key: Stands for whatever leads from a picture to its features.
        max_bytes: What the features of all networks may take on disk.
    """

    def __init__(self, key: str, max_bytes: int) -> None:
        self._folder = cache_folder("features", key)
        self._max_bytes = max_bytes
        self._files: list[np.ndarray] = []
        self._places: dict[bytes, tuple[int, int]] = {}  # file and row by digest
        self._new: dict[bytes, np.ndarray] = {}
        for path in sorted(self._folder.glob("*.npy")):
            self._open(path)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, digest: str) -> bool:
        return bytes.fromhex(digest) in self._places

    def recall(self, digest: str) -> np.ndarray:
        """Give the features of a picture that is there.

        Args:
            digest: SHA-256 of the picture's bytes, as hexadecimal digits.

        Returns:
            float32, as `keep` was given it.
        """
        file, row = self._places[bytes.fromhex(digest)]
        return self._files[file][row]

    def keep(self, digests: Sequence[str], features: np.ndarray) -> None:
        """Keep the features of pictures; they are written by and by.

        Args:
            digests: Of the pictures; "" for one that is not to be kept.
            features: float32 [n, ...].
        """
        for digest, row in zip(digests, features, strict=True):
            if digest:
                self._new[bytes.fromhex(digest)] = np.array(row, dtype="float32")
        if sum(row.nbytes for row in self._new.values()) >= _FILE_BYTES:
            self.write()

    def write(self) -> None:
        """Write what is not yet on disk."""
        if not self._new:
            return
        digests = np.frombuffer(b"".join(self._new), "uint8").reshape(-1, 32)
        features = np.stack(list(self._new.values()))
        self._new = {}
        path = self._folder / f"{uuid.uuid4().hex}.npy"
        with (
            contextlib.suppress(OSError),
            whole(path) as temporary,
            temporary.open("wb") as file,
        ):
            np.save(file, digests)
            np.save(file, features)
        prune(cache_folder("features"), self._max_bytes)

    def _open(self, path: Path) -> None:
        with contextlib.suppress(OSError, EOFError, ValueError):
            with path.open("rb") as file:
                digests = np.load(file, allow_pickle=False)
                np.lib.format.read_magic(file)
                shape, _, dtype = np.lib.format.read_array_header_1_0(file)
                start = file.tell()
            features = np.memmap(path, dtype, "r", start, shape)
            if digests.shape != (len(features), 32):
                return
            os.utime(path)  # it was used now
            for row, digest in enumerate(digests):
                self._places[digest.tobytes()] = len(self._files), row
            self._files.append(features)


def prune(folder: Path, max_bytes: int) -> None:
    """Remove the files that were not used for longest, if there are too many.

    Args:
        folder: Files lie in it, or in folders below.
        max_bytes: What they may take.
    """
    found = sorted(_files(folder))
    excess = sum(size for _, size, _ in found) - max_bytes
    if excess <= 0:
        return
    excess += int((1 - _KEPT) * max_bytes)
    for _, size, path in found:
        if excess <= 0:
            return
        with contextlib.suppress(OSError):
            os.remove(path)
        excess -= size


def _files(folder: Path) -> Iterator[tuple[int, int, str]]:
    """Time of the last use, size and path of each file."""
    for path in folder.rglob("*.*"):
        with contextlib.suppress(OSError):
            state = path.stat()
            yield state.st_mtime_ns, state.st_size, str(path)
