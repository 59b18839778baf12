"""What do large tables of answers add up to? Read line by line, kept as sums.

Tables are what `predict` or `score` wrote: CSV, JSON Lines or parquet. Only the rows of
labelled pictures are kept, so that memory does not grow with the table.
"""

from __future__ import annotations

import csv
import datetime
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixsent_tf.config import CLASS_NAMES
from pixsent_tf.errors import DataError, UsageError
from pixsent_tf.inference.predictions import ID_COLUMNS, OK, PREFIX

Row = Mapping[str, Any]
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
        groups: Count and sums of the scores by group.
    """

    count: int = 0
    unreadable: int = 0
    answered: list[int] = field(default_factory=list)
    totals: list[float] = field(default_factory=list)
    squares: list[float] = field(default_factory=list)
    groups: dict[str, list[float]] = field(default_factory=dict)

    def add(self, answer: int | None, scores: Sequence[float], group: str) -> None:
        """Add a picture.

        Args:
            answer: Class index of the answer; None where the model was unsure.
            scores: By class, [K].
            group: Its group; empty where pictures are independent.
        """
        if not self.totals:
            self.answered = [0] * len(scores)
            self.totals, self.squares = [0.0] * len(scores), [0.0] * len(scores)
        self.count += 1
        if answer is not None:
            self.answered[answer] += 1
        for k, score in enumerate(scores):
            self.totals[k] += score
            self.squares[k] += score * score
        if group:
            sums = self.groups.setdefault(group, [0.0] * (1 + len(scores)))
            sums[0] += 1
            for k, score in enumerate(scores, start=1):
                sums[k] += score


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


def add_up(path: Path, wanted: Wanted, labelled: frozenset[str]) -> AnswerSums:
    """Read a table once, line by line.

    Args:
        path: What `predict` or `score` wrote: .csv, .jsonl or .parquet.
        wanted: How it is cut.
        labelled: Names of pictures whose rows are kept.

    Returns:
        Its sums.

    Raises:
        DataError: If a column is missing, or a row cannot be understood.
        UsageError: If the table is of a kind that cannot be read.
    """
    found = AnswerSums()
    number = 0
    for number, raw in enumerate(read_rows(path), start=1):
        own_names = names_of(raw, path)
        row = {**raw, **_known(own_names, wanted.known)}
        key = tuple(_cell(row, wanted, path, number))
        sums = found.cells.setdefault(key, Sums())
        if (row.get("status") or OK) != OK:
            sums.unreadable += 1
            continue
        found.class_names = found.class_names or class_names_of(row)
        answer, scores = said(row, found.class_names, f"{path}, row {number}")
        group = ""
        if wanted.group:
            group = _text(row, wanted.group, path, number) or own_names[0]
        sums.add(answer, scores, group)
        if name := next((one for one in own_names if one in labelled), None):
            if name in found.labelled:
                raise DataError(f"{path} names {name!r} twice; name it once.")
            found.labelled[name] = key, group, scores
    if not number:
        raise DataError(f"{path} holds no rows; give what predict or score wrote.")
    return found


def _known(names: Sequence[str], known: Mapping[str, Row]) -> Row:
    """What another table says of a picture, by whichever of its names."""
    return next((known[name] for name in names if name in known), {})


def read_rows(path: Path) -> Iterator[Row]:
    """Read the rows of a table, a few at a time.

    Args:
        path: .csv, .jsonl or .parquet.

    Yields:
        Each row by column; the probabilities of JSON Lines as columns `prob_NAME`.

    Raises:
        DataError: If there is no such file, or a line is no JSON object.
        UsageError: If it is of another kind, or parquet cannot be read here.
    """
    if not path.is_file():
        raise DataError(f"{path} does not exist; give a .csv, .jsonl or .parquet file.")
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(file)
    elif path.suffix == ".jsonl":
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                yield _flat(line, f"{path}, line {number}")
    elif path.suffix == ".parquet":
        yield from _parquet(path)
    else:
        raise UsageError(f"{path} is not a .csv, .jsonl or .parquet file.")


def _flat(line: str, where: str) -> Row:
    try:
        row = dict(json.loads(line))
        probs = dict(row.pop("probs", None) or {})
    except (TypeError, ValueError):
        raise DataError(f"{where} is no JSON object: {line.strip()[:60]!r}.") from None
    if probs:
        row.pop(f"{PREFIX}positive", None)
    return {**row, **{PREFIX + name: prob for name, prob in probs.items()}}


def _parquet(path: Path) -> Iterator[Row]:
    try:
        import pyarrow.parquet as pq
        from pyarrow import ArrowInvalid
    except ImportError:
        raise UsageError(
            f"{path} cannot be read without pyarrow; get it with: pip install pyarrow."
        ) from None
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=8192):
                yield from batch.to_pylist()
    except ArrowInvalid as error:
        raise DataError(f"{path} is no readable parquet: {error}.") from None


def names_of(row: Row, path: Path) -> list[str]:
    """Name a picture.

    Args:
        row: Of a table of answers.
        path: The table, for messages.

    Returns:
        Its id, its path, or both.

    Raises:
        DataError: If it has neither.
    """
    names = [str(row[column]) for column in ID_COLUMNS if row.get(column)]
    if not names:
        columns = ", ".join(map(str, row))
        raise DataError(f"{path} has a row without id or path: {columns}.")
    return names


def _cell(row: Row, wanted: Wanted, path: Path, number: int) -> Iterator[str]:
    for column in wanted.by:
        yield _text(row, column, path, number)
    if wanted.over:
        text = _text(row, wanted.over, path, number)
        try:
            date = datetime.date.fromisoformat(text[:10])
        except ValueError:
            raise DataError(
                f"{path}, row {number} has the {wanted.over} {text!r}; "
                f"dates are written 2024-12-31."
            ) from None
        yield PERIODS[wanted.period](date)


def _text(row: Row, column: str, path: Path, number: int) -> str:
    if column not in row:
        columns = ", ".join(str(name) for name in row)
        raise DataError(
            f"{path}, row {number} has no column {column!r}, nor has --meta for it; "
            f"it has {columns}."
        )
    value = row[column]
    return "" if value is None else str(value)


def class_names_of(row: Row) -> tuple[str, ...]:
    """Name the classes of a table of answers.

    Args:
        row: One that got an answer.

    Returns:
        Names by class index, [K].
    """
    names = tuple(c.removeprefix(PREFIX) for c in row if str(c).startswith(PREFIX))
    return CLASS_NAMES if names in ((), ("positive",)) else names


def said(
    row: Row, names: tuple[str, ...], where: str
) -> tuple[int | None, list[float]]:
    """Read what a model said.

    Args:
        row: One that got an answer.
        names: Of the classes, [K].
        where: It stands, for messages.

    Returns:
        The class index of the answer, None where the model was unsure; and scores [K]:
        probabilities, or the answer as 0 and 1.

    Raises:
        DataError: If they cannot be understood.
    """
    answer = row.get("answer")
    index = names.index(answer) if answer in names else None
    try:
        if PREFIX + names[0] in row:
            scores = [float(row[PREFIX + name]) for name in names]
        elif (positive := row.get(f"{PREFIX}positive", row.get("prob"))) is not None:
            scores = [1 - float(positive), float(positive)]
        elif index is None:
            raise DataError(
                f"{where} has the answer {answer!r}; it knows {', '.join(names)}."
            )
        else:
            return index, [float(k == index) for k in range(len(names))]
        if not all(0 <= score <= 1 for score in scores):
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise DataError(f"{where} has probabilities that are not 0…1.") from None
    return (index if answer else scores.index(max(scores))), scores
