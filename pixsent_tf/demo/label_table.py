"""Where does a label go when a key is pressed? Into labels.csv, at once.

    path,label,annotator,probability,seconds

A line is on the disk before the page shows the next picture. Who starts again, or
beside somebody else, goes on with the lines that are there.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pixsent_tf.demo.label_sample import Sample
from pixsent_tf.errors import DataError, UsageError
from pixsent_tf.evaluation.annotators import ceiling, cohen_kappa, krippendorff_alpha
from pixsent_tf.results.labels import Agreement, Annotated
from pixsent_tf.whole import whole

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows: one process at a time
    fcntl = None  # type: ignore[assignment]

COLUMNS = ("path", "label", "annotator", "probability", "seconds")
SKIP = "skip"
_MAX_NAME = 100  # characters of an annotator's name


@dataclass(frozen=True)
class LabelFile:
    """The table of labels, and the sample that they are of.

    Attributes:
        path: The CSV file.
        sample: What is labelled.
    """

    path: Path
    sample: Sample
    _threads: threading.Lock = field(default_factory=threading.Lock, compare=False)

    @classmethod
    def open(cls, path: Path, sample: Sample) -> LabelFile:
        """Go on with a table, or begin one.

        Args:
            path: The CSV file.
            sample: What is labelled; kept at `sample_path(path)`.

        Returns:
            The table.

        Raises:
            DataError: If the file is of something else.
        """
        opened = cls(path, sample)
        with opened._alone():
            if not path.exists():
                with whole(path) as temporary:
                    temporary.write_text(",".join(COLUMNS) + "\n", "utf-8")
            opened._cut_torn_line()
        known = {each.path for each in sample.pictures}
        strange = [row["path"] for row in opened.rows() if row["path"] not in known]
        if strange:
            raise DataError(
                f"{path} labels {strange[0]!r}, which is not in its sample; name "
                f"another --out."
            )
        return opened

    def rows(self) -> list[dict[str, str]]:
        """Read all lines.

        Returns:
            Cells by column, in the order in which keys were pressed.

        Raises:
            DataError: If it is no table of labels.
        """
        with self.path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise DataError(
                    f"{self.path} has no columns {', '.join(COLUMNS)}; name another "
                    f"--out."
                )
            return list(reader)

    def labels_of(self, annotator: str) -> dict[int, str]:
        """Find what somebody labelled.

        Args:
            annotator: Their name.

        Returns:
            Labels by number of the picture, in the order in which they were given.
        """
        number = {each.path: i for i, each in enumerate(self.sample.pictures)}
        return {
            number[row["path"]]: row["label"]
            for row in self.rows()
            if row["annotator"] == annotator
        }

    def add(self, number: int, label: str, annotator: str, seconds: float) -> bool:
        """Keep a label, on the disk when this returns.

        Args:
            number: Of the picture.
            label: A class name, or `SKIP`.
            annotator: Who says so.
            seconds: How long they looked.

        Returns:
            False where they labelled it before, perhaps in another window.
        """
        picture = self.sample.pictures[number]
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(
            [
                picture.path,
                label,
                annotator,
                f"{picture.probability!r}",
                f"{seconds:.1f}",
            ]
        )
        with self._alone():
            if number in self.labels_of(annotator):
                return False
            with self.path.open("ab") as file:
                file.write(line.getvalue().encode())
                file.flush()
                os.fsync(file.fileno())
        return True

    def undo(self, annotator: str) -> int | None:
        """Take somebody's last label back.

        Args:
            annotator: Their name.

        Returns:
            The number of its picture; None where there is none.
        """
        with self._alone():
            last = next(reversed(self.labels_of(annotator)), None)
            if last is None:
                return None
            gone = (self.sample.pictures[last].path, annotator)
            rows = [r for r in self.rows() if (r["path"], r["annotator"]) != gone]
            with whole(self.path) as temporary, temporary.open("w", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
        return last

    def annotated(self) -> list[Annotated]:
        """Count by annotator.

        Returns:
            One entry for each, sorted by name.
        """
        rows = self.rows()
        found: list[Annotated] = []
        for name in sorted({row["annotator"] for row in rows}):
            own = [row for row in rows if row["annotator"] == name]
            found.append(
                {
                    "annotator": name,
                    "num_labels": sum(row["label"] != SKIP for row in own),
                    "num_skipped": sum(row["label"] == SKIP for row in own),
                    "median_seconds": float(
                        np.median([float(row["seconds"]) for row in own])
                    ),
                }
            )
        return found

    def agreement(self) -> Agreement | None:
        """Compare what annotators say of the same pictures, skipped ones left out.

        Returns:
            How far they agree; None where no picture has two labels.
        """
        people = [self.labels_of(each["annotator"]) for each in self.annotated()]
        index = {name: k for k, name in enumerate(self.sample.class_names)}
        table = np.full((len(self.sample.pictures), len(people)), -1)
        for column, labels in enumerate(people):
            for number, label in labels.items():
                table[number, column] = index.get(label, -1)
        votes = (table[..., None] == np.arange(len(index))).sum(axis=1)  # [N, K]
        shared = votes.sum(axis=1) > 1
        if not shared.any():
            return None
        both = table[(table >= 0).all(axis=1)].T
        return {
            "num_shared": int(shared.sum()),
            "all_agree": float((votes[shared].max(1) == votes[shared].sum(1)).mean()),
            "cohen_kappa": cohen_kappa(*both) if len(people) == 2 else None,
            "krippendorff_alpha": krippendorff_alpha(votes),
            "ceiling": ceiling(votes),
        }

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the table against other windows and other processes."""
        with self._threads, sample_path(self.path).open("rb") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)  # let go of when the file is closed
            yield

    def _cut_torn_line(self) -> None:
        """Drop what a power cut left of a line: nobody was told that it is kept."""
        content = self.path.read_bytes()
        if content and not content.endswith(b"\n"):
            with self.path.open("rb+") as file:
                file.truncate(content.rfind(b"\n") + 1)


def sample_path(labels: Path) -> Path:
    """Say where the sample of a table of labels is kept.

    Args:
        labels: The CSV file.

    Returns:
        A JSON file beside it.
    """
    return labels.with_suffix(".sample.json")


def check_annotator(name: str) -> str:
    """Refuse a name that a table cannot hold.

    Args:
        name: Of the annotator.

    Returns:
        The name.

    Raises:
        UsageError: If it is empty, long, or of more than one line.
    """
    if not name.strip() or len(name) > _MAX_NAME or not name.isprintable():
        raise UsageError(
            f"--annotator {name!r:.120} is no name; use up to {_MAX_NAME} characters "
            f"on one line."
        )
    return name
