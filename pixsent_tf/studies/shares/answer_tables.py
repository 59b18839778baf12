"""What do large tables of answers add up to? Read batch by batch, kept as sums.

Tables are what `predict` or `score` wrote: CSV, JSON Lines or parquet. Only the rows of
labelled pictures are kept, so that memory does not grow with the table.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pixsent_tf.data.class_names import canonical
from pixsent_tf.data.lists.tables import Batch, Row, count_rows
from pixsent_tf.errors import DataError
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.studies.shares.answer_reader import AnswerReader

Key = tuple[str, ...]
PERIODS: dict[str, Callable[[datetime.date], str]] = {
    "day": lambda date: date.isoformat(),
    "week": lambda date: f"{date.isocalendar().year}-W{date.isocalendar().week:02}",
    "month": lambda date: f"{date:%Y-%m}",
    "year": lambda date: f"{date:%Y}",
}


@dataclass
class Sums:
    """What the answers of a cell add up to.

    Attributes:
        count: Pictures that got an answer.
        unreadable: Pictures that got none.
        answered: Answers by class, [K].
        totals: Sums of the scores by class, [K].
        squares: Sums of their squares, [K].
        groups: Count and sums of the scores by group, [1 + K].
    """

    count: int = 0
    unreadable: int = 0
    answered: np.ndarray = field(default_factory=lambda: np.zeros(0))
    totals: np.ndarray = field(default_factory=lambda: np.zeros(0))
    squares: np.ndarray = field(default_factory=lambda: np.zeros(0))
    groups: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, answers: np.ndarray, scores: np.ndarray) -> None:
        """Add pictures.

        Args:
            answers: Class indices, `UNSURE` where there is none, int [n].
            scores: By class, [n, K].
        """
        num_classes = scores.shape[1]
        if not len(self.totals):
            self.answered = np.zeros(num_classes, dtype=int)
            self.totals, self.squares = np.zeros(num_classes), np.zeros(num_classes)
        self.count += len(scores)
        self.answered += np.bincount(answers + 1, minlength=num_classes + 1)[1:]
        self.totals += scores.sum(axis=0)
        self.squares += (scores**2).sum(axis=0)


@dataclass(frozen=True)
class Wanted:
    """How a table is cut.

    Attributes:
        by: Columns whose values make a cell.
        over: Column with a date; None where time does not matter.
        period: One of `PERIODS`.
        group: Column that names what is not independent, such as a user; or None.
        known: More columns by id or path, from another table.
    """

    by: tuple[str, ...] = ()
    over: str | None = None
    period: str = "week"
    group: str | None = None
    known: Mapping[str, Row] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of what makes a cell, the date last."""
        return (*self.by, *([self.over] if self.over else []))

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are needed besides the answers."""
        return (*self.names, *([self.group] if self.group else []))


@dataclass
class AnswerSums:
    """A table of answers, added up.

    Attributes:
        class_names: Names by class index, [K].
        cells: Sums by cell.
        labelled: Cell, group and scores [K] of each labelled picture, by name.
    """

    class_names: tuple[str, ...] = ()
    cells: dict[Key, Sums] = field(default_factory=dict)
    labelled: dict[str, tuple[Key, str, list[float]]] = field(default_factory=dict)


def add_up(
    path: Path,
    wanted: Wanted,
    labelled: frozenset[str],
    *,
    progress: Progress = NO_PROGRESS,
) -> AnswerSums:
    """Read a table once, batch by batch.

    Args:
        path: What `predict` or `score` wrote: .csv, .jsonl or .parquet.
        wanted: How it is cut.
        labelled: Names of pictures whose rows are kept.
        progress: Hears how far it is.

    Returns:
        Its sums.

    Raises:
        DataError: If a column is missing, or a row cannot be understood.
        UsageError: If the table is of a kind that cannot be read.
    """
    found, reader = AnswerSums(), AnswerReader(path)
    cutter = _Cutter(path, wanted)
    batches = reader.batches()
    first = next(batches)  # so that what is wrong with the file is said first
    with progress.step(count_rows(path), "reading"):
        for batch in itertools.chain([first], batches):
            _add(found, batch, reader, cutter, labelled)
            progress.advance(batch.count)
    found.class_names = canonical(reader.class_names)
    return found


def _add(
    found: AnswerSums,
    batch: Batch,
    reader: AnswerReader,
    cutter: _Cutter,
    labelled: frozenset[str],
) -> None:
    """Add a batch to the sums of its cells."""
    names = reader.names(batch)
    answered = reader.read(batch)
    extra = cutter.columns(batch, names)
    keys = cutter.keys(extra, batch)
    groups = cutter.groups(extra, names)
    number: dict[Key, int] = {}
    cells = np.array([number.setdefault(key, len(number)) for key in keys])
    ok = np.zeros(batch.count, dtype=bool)
    ok[answered.rows] = True
    own_cells = cells[answered.rows]
    for key, cell in number.items():
        sums = found.cells.setdefault(key, Sums())
        sums.unreadable += int((~ok & (cells == cell)).sum())
        chosen = own_cells == cell
        if not chosen.any():
            continue
        scores = answered.scores[chosen]
        sums.add(answered.answers[chosen], scores)
        if groups is not None:
            _add_groups(sums, [groups[i] for i in answered.rows[chosen]], scores)
    if labelled:
        for row, name in _find(names, labelled).items():
            if not ok[row]:
                continue
            if name in found.labelled:
                raise DataError(f"{reader.path} names {name!r} twice; name it once.")
            group = "" if groups is None else groups[row]
            scores = answered.scores[np.searchsorted(answered.rows, row)].tolist()
            found.labelled[name] = keys[row], group, scores


def _find(names: Sequence[list[str]], labelled: frozenset[str]) -> dict[int, str]:
    """The rows that are labelled, by whichever of their names."""
    return {
        row: name
        for column in reversed(names)
        for row, name in enumerate(column)
        if name in labelled
    }


def _add_groups(sums: Sums, groups: Sequence[str], scores: np.ndarray) -> None:
    number: dict[str, int] = {}
    places = np.array([number.setdefault(group, len(number)) for group in groups])
    parts = np.stack(
        [
            np.bincount(places),
            *(np.bincount(places, column) for column in scores.T),
        ],
        axis=1,
    )  # [G, 1 + K]
    for group, place in number.items():
        sums.groups[group] = sums.groups.get(group, 0) + parts[place]


class _Cutter:
    """Says of each row which cell and which group it is of.

    Args:
        path: The table, for messages.
        wanted: How it is cut.
    """

    def __init__(self, path: Path, wanted: Wanted) -> None:
        self.path, self.wanted = path, wanted
        self._periods: dict[str, str] = {}

    def columns(self, batch: Batch, names: Sequence[list[str]]) -> dict[str, list[str]]:
        """The wanted columns as text, from the table or from the one that is joined."""
        wanted, found = self.wanted, {}
        joined: list[Row] = []
        if wanted.known and wanted.columns:
            joined = [_known(own, wanted.known) for own in zip(*names, strict=True)]
        for name in wanted.columns:
            own = batch.columns.get(name)
            cells: list[Any] = [None] * batch.count if own is None else list(own)
            has = [own is not None] * batch.count
            for i, row in enumerate(joined):
                if name in row:
                    cells[i], has[i] = row[name], True
            if not all(has):
                columns = ", ".join(str(each) for each in batch.columns)
                raise DataError(
                    f"{self.path}, row {batch.start + has.index(False) + 1} has no "
                    f"column {name!r}, nor has --meta for it; it has {columns}."
                )
            found[name] = ["" if cell is None else str(cell) for cell in cells]
        return found

    def keys(self, columns: Mapping[str, list[str]], batch: Batch) -> list[Key]:
        """The cell of each row."""
        parts = [columns[name] for name in self.wanted.by]
        if self.wanted.over:
            parts.append(
                [
                    self._period(text, batch.start + i)
                    for i, text in enumerate(columns[self.wanted.over], start=1)
                ]
            )
        return list(zip(*parts, strict=True)) if parts else [()] * batch.count

    def groups(
        self, columns: Mapping[str, list[str]], names: Sequence[list[str]]
    ) -> list[str] | None:
        """The group of each row; a picture without one is on its own."""
        if not self.wanted.group:
            return None
        own = columns[self.wanted.group]
        return [
            text or next(filter(None, each))
            for text, each in zip(own, zip(*names, strict=True), strict=True)
        ]

    def _period(self, text: str, number: int) -> str:
        day = text[:10]
        if day not in self._periods:
            try:
                date = datetime.date.fromisoformat(day)
            except ValueError:
                raise DataError(
                    f"{self.path}, row {number} has the {self.wanted.over} {text!r}; "
                    f"dates are written 2024-12-31."
                ) from None
            self._periods[day] = PERIODS[self.wanted.period](date)
        return self._periods[day]


def _known(names: Sequence[str], known: Mapping[str, Row]) -> Row:
    """What another table says of a picture, by whichever of its names."""
    return next((known[name] for name in names if name in known), {})
