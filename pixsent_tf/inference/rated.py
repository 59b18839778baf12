"""What did one model say about pictures, in ratings? As a table, like `predictions`.

    id, fold, label_valence, answer_valence, low_valence, high_valence, status

`label_` is what raters said, `answer_` what the model said, and `low_` to `high_` holds
nine of ten ratings. Each target has these columns; a table of another program may leave
out all but `answer_`, and name pictures by `path`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from pixsent_tf.config import CLASS_NAMES
from pixsent_tf.config.scales import logistic_scale
from pixsent_tf.errors import DataError
from pixsent_tf.inference.prediction import ANSWERED, OK
from pixsent_tf.inference.predictions import (
    FILE,
    ID_COLUMNS,
    Failure,
    Predictions,
)
from pixsent_tf.runs import Run
from pixsent_tf.texts import read_table, why_no_file

if TYPE_CHECKING:
    from pixsent_tf.results.ratings import RatedRow

LABEL, ANSWER, LOW, HIGH = "label_", "answer_", "low_", "high_"
_DIGITS = 6


@dataclass(frozen=True)
class RatedTable:
    """What one model said about pictures.

    Attributes:
        name: For tables and messages.
        ids: Unique name of each picture that got an answer, [N].
        targets: Names of the ratings, [T].
        answers: What the model said, float64 [N, T].
        labels: What raters said, float64 [N, T]; None where nobody did.
        low: Lower ends of intervals, float64 [N, T]; None where there are none.
        high: Upper ends, likewise.
        folds: Test fold of each picture, int [N]; None where there are none.
        failures: The pictures that got no answer.
    """

    name: str
    ids: tuple[str, ...]
    targets: tuple[str, ...]
    answers: np.ndarray
    labels: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    folds: np.ndarray | None = None
    failures: tuple[Failure, ...] = ()

    @property
    def fold_numbers(self) -> tuple[int, ...]:
        """The test folds that occur; a single one where none are told apart."""
        if self.folds is None:
            return (1,)
        return tuple(np.unique(self.folds).tolist())

    @property
    def asked(self) -> int:
        """How many pictures the model was asked about."""
        return len(self.ids) + len(self.failures)

    @classmethod
    def read(cls, path: str | Path) -> RatedTable:
        """Read the ratings of a run, or of any program.

        Args:
            path: A run folder, or a CSV file.

        Returns:
            The ratings, in the order of the file.

        Raises:
            DataError: If the file is missing, lacks columns, or a cell is no number.
            RunError: If the folder is no run, or one without predictions.
        """
        rows = _rows(Path(path))
        targets = _targets(rows)
        id_column = next((c for c in ID_COLUMNS if rows and c in rows[0]), None)
        if not targets or id_column is None:
            raise DataError(
                f"{path} holds no ratings; it needs id or path, and answer_NAME of "
                f"each target, such as answer_valence."
            )
        answered = [row for row in rows if row.get("status", OK) in ANSWERED]

        def column(prefix: str) -> np.ndarray | None:
            if any(not row.get(prefix + t) for row in answered for t in targets):
                return None
            return _numbers(str(path), answered, [prefix + t for t in targets])

        ids = tuple(row[id_column] for row in answered)
        if len(set(ids)) < len(ids):
            twice = next(i for i in ids if ids.count(i) > 1)
            raise DataError(f"{path} names {twice!r} twice; name every picture once.")
        has_folds = any(row.get("fold") for row in answered)
        return cls(
            name=Path(path).resolve().stem,
            ids=ids,
            targets=targets,
            answers=_numbers(str(path), answered, [ANSWER + t for t in targets]),
            labels=column(LABEL),
            low=column(LOW),
            high=column(HIGH),
            folds=_numbers(str(path), answered, ["fold"])[:, 0].astype(int)
            if has_folds
            else None,
            failures=tuple(
                Failure(
                    row[id_column],
                    row["status"],
                    f"{row[id_column]} cannot be read: {row['status']}.",
                )
                for row in rows
                if row.get("status", OK) not in ANSWERED
            ),
        )

    def write(self, run: Run) -> None:
        """Write them into a run's folder, those without an answer last.

        Args:
            run: The folder.
        """
        columns = ["id", "fold"]
        parts = {LABEL: self.labels, ANSWER: self.answers}
        parts |= {LOW: self.low, HIGH: self.high}
        kept = {prefix: part for prefix, part in parts.items() if part is not None}
        for target in self.targets:
            columns += [prefix + target for prefix in kept]
        cells = np.stack(list(kept.values()), axis=2).reshape(len(self.ids), -1)
        rows: list[list[Any]] = []
        for i, name in enumerate(self.ids):
            fold = 1 if self.folds is None else int(self.folds[i])
            numbers = [f"{number:.{_DIGITS}f}" for number in cells[i]]
            rows.append([name, fold, *numbers, OK])
        blank = [""] * cells.shape[1]
        for one in self.failures:
            rows.append([one.id, one.fold or 1, *blank, one.reason])
        run.write_table(FILE, [*columns, "status"], rows)

    def at_threshold(self, threshold: float) -> Predictions:
        """Say the same in two classes.

        Args:
            threshold: Rating of valence, or of the first target where there is none,
                from which a picture is positive.

        Returns:
            Labels and answers on either side of it; probabilities where intervals tell
            how far answers are off.
        """
        k = self.targets.index("valence") if "valence" in self.targets else 0
        above = self.answers[:, k] - threshold
        positive = (above >= 0).astype("float64")
        has_probs = self.low is not None and self.high is not None
        if has_probs:
            positive = expit(above / self._scales(k))
        return Predictions(
            name=self.name,
            ids=self.ids,
            probs=np.stack([1 - positive, positive], axis=1),
            class_names=CLASS_NAMES,
            labels=None
            if self.labels is None
            else (self.labels[:, k] >= threshold).astype(int),
            folds=self.folds,
            has_probs=has_probs,
            failures=self.failures,
        )

    def _scales(self, k: int) -> np.ndarray:
        """Scale of the distribution around each answer, by the widths of its fold."""
        assert self.low is not None
        assert self.high is not None
        reach = np.maximum(self.answers - self.low, self.high - self.answers)[:, k]
        folds = np.ones(len(self.ids), int) if self.folds is None else self.folds
        scales = np.empty(len(self.ids))
        for fold in np.unique(folds):  # the widest is not cut by the end of the scale
            scales[folds == fold] = logistic_scale(float(reach[folds == fold].max()))
        return scales


def is_rated_table(path: str | Path) -> bool:
    """Tell whether a run or a table holds ratings.

    Args:
        path: A run folder, or a CSV file.

    Returns:
        True if a column `answer_NAME` is there.

    Raises:
        DataError: If the file is missing.
        RunError: If the folder is no run, or one without predictions.
    """
    return bool(_targets(_rows(Path(path))))


def rated_columns(targets: Sequence[str]) -> list[str]:
    """Name the columns of a table that `predict` writes.

    Args:
        targets: Names of the ratings, [T].

    Returns:
        `path`, an answer with its interval for each target, and `status`.
    """
    each = [prefix + target for target in targets for prefix in (ANSWER, LOW, HIGH)]
    return ["path", *each, "status"]


def rated_cells(row: RatedRow, targets: Sequence[str]) -> list[Any]:
    """Give what stands below these columns.

    Args:
        row: What was said of one file.
        targets: Names of the ratings, [T].

    Returns:
        One cell for each column; None where there was no answer.
    """
    parts = (row["ratings"] or {}, row["low"] or {}, row["high"] or {})
    each = [part.get(target) for target in targets for part in parts]
    return [row["path"], *each, row["status"]]


def _rows(path: Path) -> list[dict[str, str]]:
    if path.is_dir():
        return Run.open(path).read_table(FILE)
    if why := why_no_file(path):
        raise DataError(f"{why}; give a run folder or a CSV file.")
    return list(read_table(path)[1])


def _targets(rows: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    names = rows[0] if rows else ()
    return tuple(c.removeprefix(ANSWER) for c in names if c.startswith(ANSWER))


def _numbers(
    where: str, rows: Sequence[Mapping[str, str]], columns: Sequence[str]
) -> np.ndarray:
    try:
        cells = [[float(row[column]) for column in columns] for row in rows]
    except (KeyError, ValueError):
        raise DataError(
            f"{where} has a row without numbers in {', '.join(columns)}."
        ) from None
    found = np.array(cells, dtype="float64").reshape(len(rows), len(columns))
    if not np.isfinite(found).all():
        raise DataError(f"{where} has numbers that are not finite.")
    return found
