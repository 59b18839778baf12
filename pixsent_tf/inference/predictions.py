"""What did one model say about pictures? The one reader and writer of such tables.

    id, fold, label, answer, prob_negative, prob_positive, status

`label` is what annotators said, `answer` what the model said. The table of another
program may hold `path` instead of `id`, and answers only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pixsent_tf.config import CLASS_NAMES, PROB
from pixsent_tf.data.class_names import canonical, index_labels, name_classes
from pixsent_tf.data.lists.columns import as_text, find_columns
from pixsent_tf.data.lists.tables import read_rows
from pixsent_tf.errors import DataError
from pixsent_tf.inference.prediction import ANSWERED, OK
from pixsent_tf.runs import Run
from pixsent_tf.texts import why_no_file

if TYPE_CHECKING:
    from pixsent_tf.results.unreadable import Unreadable

FILE = "predictions.csv"
TEN_CROP_PREFIX = "ten_crop_"
ID_COLUMNS = ("id", "path")

_Row = Mapping[str, str]


@dataclass(frozen=True)
class Failure:
    """A picture that got no answer.

    Attributes:
        id: Its name.
        reason: One of `data.decode.opening.REASONS`.
        message: The same in a line for people.
        label: Its label, a class index; None where there is none.
        fold: Its test fold; None where there are none.
    """

    id: str
    reason: str
    message: str
    label: int | None = None
    fold: int | None = None

    def to_json(self) -> Unreadable:
        """Give what results tell of it.

        Returns:
            An entry of `unreadable`.
        """
        return {"id": self.id, "reason": self.reason, "message": self.message}


@dataclass(frozen=True)
class Predictions:
    """What one model said about pictures.

    Attributes:
        name: For tables and messages.
        ids: Unique name of each picture that got an answer, [N].
        probs: Probabilities, float [N, K]; one-hot where only answers are known.
        class_names: Names by class index, [K].
        labels: What annotators said, class indices, int [N]; None where nobody did.
        folds: Test fold of each picture, int [N]; None where there are none.
        has_probs: Whether `probs` are probabilities, not just answers.
        failures: The pictures that got no answer.
    """

    name: str
    ids: tuple[str, ...]
    probs: np.ndarray
    class_names: tuple[str, ...]
    labels: np.ndarray | None = None
    folds: np.ndarray | None = None
    has_probs: bool = True
    failures: tuple[Failure, ...] = ()

    @property
    def answers(self) -> np.ndarray:
        """The most probable class of each picture, int [N]."""
        return self.probs.argmax(axis=1)

    @property
    def fold_numbers(self) -> tuple[int, ...]:
        """The test folds that occur; a single one where none are told apart."""
        if self.folds is None:
            return (1,)
        return tuple(np.unique(self.folds).tolist())

    @property
    def asked(self) -> tuple[str, ...]:
        """All pictures that the model was asked about, with an answer or without."""
        return (*self.ids, *(failure.id for failure in self.failures))

    @classmethod
    def read(cls, path: str | Path) -> Predictions:
        """Read the predictions of a run, or of any program.

        Args:
            path: A run folder, or a table with a column `id` or `path`, and one of
                `prob_NAME` for each class, `prob` of the positive class, or `answer`.
                The columns `label`, `fold` and `status` are read where they are there.
                Classes may be spelled as in any table of labels.

        Returns:
            The predictions, in the order of the file.

        Raises:
            DataError: If the file is missing, empty or lacks columns, or a line cannot
                be read.
            RunError: If the folder is no run, or one without predictions.
        """
        path = Path(path)
        if path.is_dir():
            name, rows = path.resolve().name, Run.open(path).read_table(FILE)
            return _parse(name, str(path / FILE), rows)
        if why := why_no_file(path):
            raise DataError(f"{why}; give a run folder or a CSV file.")
        return _parse(path.stem, str(path), _rows(path))

    def write(self, run: Run, *, ten_crop: np.ndarray | None = None) -> None:
        """Write them into a run's folder, those without an answer last.

        Args:
            run: The folder.
            ten_crop: What ten crops say, float [N, K], for columns of their own.
        """
        names = self.class_names
        columns = [
            "id",
            "fold",
            "label",
            "answer",
            *(PROB + name for name in names),
        ]
        numbers = self.probs
        if ten_crop is not None:
            columns += [TEN_CROP_PREFIX + name for name in names]
            numbers = np.concatenate([numbers, ten_crop], axis=1)
        rows = []
        for i, answer in enumerate(self.answers):
            fold = 1 if self.folds is None else int(self.folds[i])
            label = "" if self.labels is None else names[self.labels[i]]
            probs = [f"{prob:.9f}" for prob in numbers[i]]
            rows.append([self.ids[i], fold, label, names[answer], *probs, OK])
        for one in self.failures:
            label = "" if one.label is None else names[one.label]
            blank = [""] * (1 + numbers.shape[1])
            rows.append([one.id, one.fold or 1, label, *blank, one.reason])
        run.write_table(FILE, [*columns, "status"], rows)


def _finite(cell: str) -> float:
    number = float(cell)
    if not np.isfinite(number):
        raise ValueError(cell)
    return number


def _rows(path: Path) -> list[_Row]:
    """The rows of any program's table, paths and labels under our names."""
    rows = [{n: as_text(cell) for n, cell in row.items()} for row in read_rows(path)]
    if not rows:
        return []
    found = find_columns(tuple(rows[0]), path)
    roles = {role: found[role] for role in ("path", "label") if role in found}
    return [{**row, **{r: row.get(c, "") for r, c in roles.items()}} for row in rows]


def _parse(name: str, where: str, rows: Sequence[_Row]) -> Predictions:
    if not rows:
        raise DataError(f"{where} holds no predictions.")
    columns = set(rows[0])
    id_column = next((c for c in ID_COLUMNS if c in columns), None)
    names = tuple(c.removeprefix(PROB) for c in rows[0] if c.startswith(PROB))
    if names == ("positive",):  # `prob_positive` alone says the same as `prob`
        names = ()
    has_probs = bool(names or {"prob", f"{PROB}positive"} & columns)
    if id_column is None or not (has_probs or "answer" in columns):
        raise DataError(
            f"{where} has the columns {', '.join(rows[0])}; it needs id or path, and "
            f"prob_NAME of each class, prob or answer."
        )
    if any(row.get("status") == "" for row in rows):
        raise DataError(f"{where} has a row without a status; it was cut off.")
    answered = [row for row in rows if row.get("status", OK) in ANSWERED]
    ids = tuple(row[id_column] for row in answered)
    if len(set(ids)) < len(ids):
        twice = next(i for i in ids if ids.count(i) > 1)
        raise DataError(f"{where} names {twice!r} twice; name every picture once.")
    names = names or _names(answered, None if has_probs else "answer")
    index: dict[str, int] = {}
    for column in ("label", "answer"):  # each may spell classes in its own way
        index |= index_labels([row.get(column) or "" for row in rows], names)
    table = _Table(where, names, index)
    probs = np.array([table.probs(row) for row in answered], dtype="float64")
    return Predictions(
        name=name,
        ids=ids,
        probs=probs.reshape(len(ids), len(names)),
        class_names=canonical(names),
        labels=table.labels(answered),
        folds=table.folds(answered),
        has_probs=has_probs,
        failures=tuple(
            table.failure(row, row[id_column])
            for row in rows
            if row.get("status", OK) not in ANSWERED
        ),
    )


def _names(rows: Sequence[_Row], column: str | None) -> tuple[str, ...]:
    """Class names where no column names them."""
    found = [row[column] for row in rows] if column else []
    names = name_classes(found, "").class_names
    return CLASS_NAMES if set(names) <= set(CLASS_NAMES) else names


@dataclass(frozen=True)
class _Table:
    """What the cells of a table mean.

    Attributes:
        where: The table, for messages.
        names: Of the classes.
        index: Classes by label and answer.
    """

    where: str
    names: tuple[str, ...]
    index: Mapping[str, int]

    def probs(self, row: _Row) -> list[float]:
        """One row's probabilities; an answer without any becomes 0 and 1."""
        try:
            if PROB + self.names[0] in row:
                return [_finite(row[PROB + name]) for name in self.names]
            positive = row.get("prob", row.get(f"{PROB}positive"))
            if positive is not None:
                return [1 - _finite(positive), _finite(positive)]
        except (KeyError, ValueError):
            raise DataError(
                f"{self.where} has a row without numbers: {dict(row)}."
            ) from None
        answer = self._class(row, "answer")
        return [float(k == answer) for k in range(len(self.names))]

    def labels(self, rows: Sequence[_Row]) -> np.ndarray | None:
        """The labels; None where no row has one."""
        if not any(row.get("label") for row in rows):
            return None
        return np.array([self._class(row, "label") for row in rows])

    def folds(self, rows: Sequence[_Row]) -> np.ndarray | None:
        """The test folds; None where no row has one."""
        if not any(row.get("fold") for row in rows):
            return None
        return np.array([self._fold(row) for row in rows])

    def failure(self, row: _Row, name: str) -> Failure:
        """A row without an answer."""
        reason = row["status"]
        return Failure(
            id=name,
            reason=reason,
            message=f"{name} cannot be read: {reason}.",
            label=self._class(row, "label") if row.get("label") else None,
            fold=self._fold(row) if row.get("fold") else None,
        )

    def _class(self, row: _Row, column: str) -> int:
        text = row[column]
        if text in self.index:
            return self.index[text]
        if text.isdecimal() and int(text) < len(self.names):
            return int(text)
        raise DataError(
            f"{self.where} has the {column} {text!r}; it knows {', '.join(self.names)}."
        )

    def _fold(self, row: _Row) -> int:
        if not row["fold"].isdecimal():
            raise DataError(
                f"{self.where} has the fold {row['fold']!r}; folds are numbers."
            )
        return int(row["fold"])
