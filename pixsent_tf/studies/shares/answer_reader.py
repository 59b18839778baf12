"""What did a model say, in a table of any of our kinds? Batches of arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pixsent_tf.config import CLASS_NAMES, PROB
from pixsent_tf.data.class_names import index_labels
from pixsent_tf.data.lists.columns import as_text, find_columns
from pixsent_tf.data.lists.tables import Batch, read_batches
from pixsent_tf.errors import DataError
from pixsent_tf.inference.prediction import ANSWERED, OK
from pixsent_tf.inference.predictions import ID_COLUMNS

UNSURE = -1  # where an answer has no class


@dataclass(frozen=True)
class Answered:
    """What a model said of some pictures that it could read.

    Attributes:
        rows: Their places in the batch, int [n].
        answers: Class indices, `UNSURE` where there is none, int [n].
        scores: Probabilities, or the answer as 0 and 1, [n, K].
    """

    rows: np.ndarray
    answers: np.ndarray
    scores: np.ndarray


class AnswerReader:
    """Reads batches of a table of answers.

    Args:
        path: The table.

    Attributes:
        class_names: Names by class index, [K]; empty before the first answer.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.class_names: tuple[str, ...] = ()

    def batches(self) -> Iterator[Batch]:
        """Read the table.

        Yields:
            Batches of one row or more.

        Raises:
            DataError: If it cannot be read, or holds no rows.
            UsageError: If it is of a kind that cannot be read.
        """
        number = 0
        for batch in read_batches(self.path, ("prob",)):
            number += batch.count
            yield batch
        if not number:
            raise DataError(
                f"{self.path} holds no rows; give what predict or score wrote."
            )

    def names(self, batch: Batch) -> list[list[str]]:
        """Find what names pictures.

        Args:
            batch: Some rows.

        Returns:
            The columns of ids and paths, one or both.

        Raises:
            DataError: If a row has neither.
        """
        found = [
            ["" if cell is None else str(cell) for cell in batch.columns[name]]
            for name in self._id_columns(batch)
        ]
        if not found or not all(map(any, zip(*found, strict=True))):
            columns = ", ".join(map(str, batch.columns))
            raise DataError(f"{self.path} has a row without id or path: {columns}.")
        return found

    def _id_columns(self, batch: Batch) -> list[str]:
        """Ours, or else the one that is called like a path."""
        own = [name for name in ID_COLUMNS if name in batch.columns]
        path = find_columns(tuple(batch.columns), self.path).get("path")
        return own or ([path] if path else [])

    def read(self, batch: Batch) -> Answered:
        """Read what a model said.

        Args:
            batch: Some rows.

        Returns:
            The answers of those that it could read.

        Raises:
            DataError: If they cannot be understood.
        """
        status = batch.columns.get("status", ())
        is_ok = np.array(
            [(each or OK) in ANSWERED for each in status] or [True] * batch.count
        )
        rows = np.flatnonzero(is_ok)
        if not len(rows):
            return Answered(rows, np.zeros(0, int), np.zeros((0, 0)))
        self.class_names = self.class_names or _class_names(batch.columns)
        said = batch.columns.get("answer")
        told = [None] * len(rows) if said is None else [said[i] for i in rows.tolist()]
        index = index_labels({as_text(each) for each in told}, self.class_names)
        answers = np.array([index.get(as_text(each), UNSURE) for each in told])
        scores = self._probs(batch, rows)
        if scores is None:
            if (answers == UNSURE).any():
                at = int((answers == UNSURE).argmax())
                raise DataError(
                    f"{self._where(batch, rows[at])} has the answer {told[at]!r}; it "
                    f"knows {', '.join(self.class_names)}."
                )
            return Answered(rows, answers, np.eye(len(self.class_names))[answers])
        silent = np.array([not each for each in told])
        return Answered(rows, np.where(silent, scores.argmax(axis=1), answers), scores)

    def _probs(self, batch: Batch, rows: np.ndarray) -> np.ndarray | None:
        """Probabilities [n, K]; None where the table has none."""
        columns, names = batch.columns, self.class_names
        if PROB + names[0] in columns:
            found = [self._numbers(batch, PROB + name, rows) for name in names]
        elif f"{PROB}positive" in columns or "prob" in columns:
            one = f"{PROB}positive" if f"{PROB}positive" in columns else "prob"
            positive = self._numbers(batch, one, rows)
            found = [1 - positive, positive]
        else:
            return None
        return np.stack(found, axis=1)

    def _numbers(self, batch: Batch, name: str, rows: np.ndarray) -> np.ndarray:
        cells = batch.columns.get(name, [None] * batch.count)
        try:
            if isinstance(cells, np.ndarray):
                numbers = cells[rows].astype(float)
            else:
                numbers = np.array([cells[i] for i in rows.tolist()], dtype=float)
        except (TypeError, ValueError):
            numbers = np.array([_number(cells[i]) for i in rows.tolist()])
        wrong = ~((numbers >= 0) & (numbers <= 1))
        if wrong.any():
            where = self._where(batch, rows[wrong.argmax()])
            raise DataError(f"{where} has probabilities that are not 0…1.")
        return numbers

    def _where(self, batch: Batch, row: int) -> str:
        return f"{self.path}, row {batch.start + int(row) + 1}"


def _number(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError):
        return -1.0


def _class_names(columns: Mapping[str, Any]) -> tuple[str, ...]:
    names = tuple(c.removeprefix(PROB) for c in columns if str(c).startswith(PROB))
    return CLASS_NAMES if names in ((), ("positive",)) else names
