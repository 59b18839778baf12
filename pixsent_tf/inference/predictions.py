"""Which answers were given, to which pictures?

A run's `predictions.csv` knows the truth; the table of another program may hold answers
only. Both become one `Answers`.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixsent_tf.config import CLASS_NAMES
from pixsent_tf.errors import DataError
from pixsent_tf.runs import Run

PREFIX = "prob_"
ID_COLUMNS = ("id", "path", "file", "image", "name")
TRUTH_COLUMNS = ("truth", "true_label")


@dataclass(frozen=True)
class Answers:
    """What one model said.

    Attributes:
        name: For tables and messages.
        ids: Unique name of each picture that got an answer, [N].
        probs: Probabilities, float64 [N, K]; one-hot where only labels are known.
        class_names: Names by class index, [K].
        labels: The truth, class indices, int [N]; None where the table holds none.
        folds: Test fold of each picture, int [N]; None where there are none.
        has_probs: Whether `probs` are probabilities, not just answers.
        failures: Why a picture got no answer, by its id.
    """

    name: str
    ids: tuple[str, ...]
    probs: np.ndarray
    class_names: tuple[str, ...]
    labels: np.ndarray | None
    folds: np.ndarray | None
    has_probs: bool
    failures: Mapping[str, str]

    @property
    def fold_numbers(self) -> tuple[int, ...]:
        """The test folds that occur; a single one where none are told apart."""
        if self.folds is None:
            return (1,)
        return tuple(np.unique(self.folds).tolist())


def read_answers(path: str | Path) -> Answers:
    """Read the predictions of a run, or of any program.

    Args:
        path: A run folder, or a CSV file with a column `id` (or `path`) and one of
            `prob_NAME` for each class, `prob` of the positive class, or `label`, the
            answer. The column `truth` is the truth; where there is a column `fold`, as
            in a run's own table, `label` is.

    Returns:
        The answers, in the order of the file.

    Raises:
        DataError: If the file is missing, empty or lacks columns, or a line cannot be
            read.
        RunError: If the folder is no run, or one without predictions.
    """
    path = Path(path)
    if path.is_dir():
        rows = Run.open(path).read_table("predictions.csv")
        name = path.resolve().name
    elif path.is_file():
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        name = path.stem
    else:
        raise DataError(f"{path} does not exist; give a run folder or a CSV file.")
    if not rows:
        raise DataError(f"{path} holds no predictions.")
    return _parse(name, str(path), rows)


def _parse(name: str, where: str, rows: Sequence[Mapping[str, str]]) -> Answers:
    columns = set(rows[0])
    id_column = next((c for c in ID_COLUMNS if c in columns), None)
    is_run = {"fold", "label"} <= columns
    known = ("label",) if is_run else TRUTH_COLUMNS
    truth = next((c for c in known if c in columns), None)
    names = tuple(c.removeprefix(PREFIX) for c in rows[0] if c.startswith(PREFIX))
    if names == ("positive",):  # `prob_positive` alone says the same as `prob`
        names = ()
    answers = {*(PREFIX + n for n in names), "prob", f"{PREFIX}positive"} & columns
    if id_column is None or not (answers or ("label" in columns and not is_run)):
        raise DataError(
            f"{where} has the columns {', '.join(rows[0])}; it needs id, and prob_NAME "
            f"of each class, prob or label."
        )
    answered = [row for row in rows if row.get("status", "ok") == "ok"]
    ids = tuple(row[id_column] for row in answered)
    if len(set(ids)) < len(ids):
        twice = next(i for i in ids if ids.count(i) > 1)
        raise DataError(f"{where} names {twice!r} twice; name every picture once.")
    names = names or _names(answered, None if answers else "label")
    probs = np.array([_probs(row, names, where) for row in answered], dtype="float64")
    labels = None
    if truth:
        labels = np.array([_index(row[truth], names, where) for row in answered])
    return Answers(
        name=name,
        ids=ids,
        probs=probs.reshape(len(ids), len(names)),
        class_names=names,
        labels=labels,
        folds=np.array([int(row["fold"]) for row in answered]) if is_run else None,
        has_probs=bool(answers),
        failures={
            row[id_column]: row["status"]
            for row in rows
            if row.get("status", "ok") != "ok"
        },
    )


def _names(rows: Sequence[Mapping[str, str]], column: str | None) -> tuple[str, ...]:
    """Class names where no column names them."""
    found = {row[column] for row in rows} if column else set()
    if found <= {"0", "1", *CLASS_NAMES}:
        return CLASS_NAMES
    return tuple(sorted(found))


def _probs(row: Mapping[str, str], names: tuple[str, ...], where: str) -> list[float]:
    """One row's probabilities; an answer without any becomes 0 and 1."""
    try:
        if PREFIX + names[0] in row:
            return [float(row[PREFIX + name]) for name in names]
        positive = row.get("prob", row.get(f"{PREFIX}positive"))
        if positive is not None:
            return [1 - float(positive), float(positive)]
    except (KeyError, ValueError):
        raise DataError(f"{where} has a row without numbers: {dict(row)}.") from None
    answer = _index(row["label"], names, where)
    return [float(k == answer) for k in range(len(names))]


def _index(label: str, names: tuple[str, ...], where: str) -> int:
    if label in names:
        return names.index(label)
    if label.isdecimal() and int(label) < len(names):
        return int(label)
    raise DataError(f"{where} has the label {label!r}; it knows {', '.join(names)}.")
