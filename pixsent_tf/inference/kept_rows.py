"""Which rows of a long table are there already? They lie beside it until it is whole.

    OUT.rows/DIGEST.jsonl    a checksum, then the rows of some files, one a line

The digest is that of the model, of the files' names and of their bytes: an answer to
another picture, or of another model, is never taken for one that is asked for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pixsent_tf.data.copies.digests import hash_files
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.whole import whole

if TYPE_CHECKING:
    from pixsent_tf.results.answers import PredictRow

PART = 1024  # files; what a kill can cost. Whole batches, so that parts change none


@dataclass(frozen=True)
class KeptRows:
    """The rows that a killed table has left.

    Attributes:
        folder: Holds them; it need not exist.
        made_by: What leads from a file to its row, such as the digest of a model.
    """

    folder: Path
    made_by: str

    def rows(
        self,
        paths: Sequence[str],
        answer: Callable[[Sequence[str]], Iterable[PredictRow]],
        *,
        progress: Progress = NO_PROGRESS,
    ) -> Iterator[PredictRow]:
        """Give the rows of files: those that are there, and new ones.

        Args:
            paths: The files.
            answer: Gives the rows of some of them, and tells `progress` of each.
            progress: Hears how far it is.

        Yields:
            One row for each file, in order.
        """
        with progress.step(len(paths), "predicting"):
            for start in range(0, len(paths), PART):
                some = paths[start : start + PART]
                path = self._path(some)
                rows = _read(path)
                if rows is None:
                    rows = list(answer(some))
                    _write(path, rows)
                else:
                    progress.advance(len(rows))
                yield from rows

    def _path(self, paths: Sequence[str]) -> Path:
        told = json.dumps([self.made_by, list(paths), hash_files(paths)])
        return self.folder / f"{_digest(told)[:32]}.jsonl"


def _read(path: Path) -> list[PredictRow] | None:
    """Read a part; None where nothing, or nothing whole, was kept."""
    try:
        digest, _, text = path.read_text("utf-8").partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    if _digest(text) != digest:
        return None
    return [json.loads(line) for line in text.splitlines()]


def _write(path: Path, rows: Iterable[PredictRow]) -> None:
    text = "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows)
    with whole(path) as temporary:
        temporary.write_text(f"{_digest(text)}\n{text}", "utf-8")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
