"""How large is the share of each class, and how sure is that? (`pixsent-tf share`)

Loads no TensorFlow: what a model said is a table, and a few labels put it right.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixsent_tf.data.class_names import index_labels
from pixsent_tf.data.lists.columns import find_columns
from pixsent_tf.data.lists.tables import Row, read_header, read_rows
from pixsent_tf.errors import DataError, UsageError
from pixsent_tf.evaluation.compare import holm
from pixsent_tf.evaluation.share import (
    FEW_LABELS,
    Answers,
    Estimate,
    Labels,
    combine,
    estimate,
    labels_for,
    may_borrow,
    trend,
)
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.results.shares import (
    Cell,
    CellDifference,
    Share,
    ShareResults,
    Trend,
)
from pixsent_tf.studies.shares.answer_tables import (
    PERIODS,
    AnswerSums,
    Key,
    Sums,
    Wanted,
    add_up,
)
from pixsent_tf.studies.shares.label_tables import LabelTable, read_labels
from pixsent_tf.studies.shares.words import methods, notes

MOST_COMPARED = 10  # cells; 45 differences
HALF_WIDTHS = (0.1, 0.05, 0.03, 0.02)
Place = str | os.PathLike[str]


def share(
    table: Place,
    labels: Place | None = None,
    *,
    by: str | Sequence[str] = (),
    over: str | None = None,
    group: str | None = None,
    meta: Place | None = None,
    progress: Progress = NO_PROGRESS,
) -> ShareResults:
    """Estimate the share of each class among many pictures, from a few labels.

    Args:
        table: What `predict` or `score` wrote: .csv, .jsonl or .parquet.
        labels: A CSV file with path and label, perhaps probability (of having been
            sampled) and annotator; without it the shares are plain counts.
        by: Columns whose values make cells; one name, or several.
        over: Column with a date, and perhaps how to cut it, as `"date:week"`; also day,
            month or year.
        group: Column that names what is not independent, such as a user.
        meta: A table with more columns, joined by id or path.
        progress: Hears how far it is.

    Returns:
        The shares by cell, their differences and trends.

    Raises:
        UsageError: If a setting makes no sense.
        DataError: If a table cannot be read, or the labels are of other pictures.
    """
    names = (by,) if isinstance(by, str) else tuple(by)
    column, period = _over(over)
    wanted = Wanted(names, column, period, group)
    if meta is not None:
        known = _read_meta(Path(meta), wanted.columns)
        wanted = Wanted(names, column, period, group, known)
    told = read_labels(Path(labels)) if labels is not None else None
    labelled = frozenset(told.votes if told else ())
    sums = add_up(Path(table), wanted, labelled, progress=progress)
    if told and not sums.labelled:
        example = next(iter(told.votes))
        raise DataError(
            f"{labels} labels no picture of {table} that got an answer, as {example!r} "
            f"does not; write paths alike."
        )
    study = _Study(wanted, sums, _Sample.of(sums, told) if told else None)
    cells = [study.cell(key) for key in study.keys]
    results: ShareResults = {
        "cells": cells,
        "differences": study.differences(),
        "trends": study.trends(),
        "labels_needed": [
            {"half_width": half, "num_labels": labels_for(half)} for half in HALF_WIDTHS
        ],
        "methods": "",
        "notes": [*(told.notes if told else ()), *notes(cells, sums, told, group)],
        "out": None,
    }
    results["methods"] = methods(results, sums, told, group)
    return results


def _over(text: str | None) -> tuple[str | None, str]:
    column, _, period = (text or "").partition(":")
    period = period or "week"
    if period not in PERIODS:
        raise UsageError(f"{text!r} is cut by {period!r}; use {', '.join(PERIODS)}.")
    return column or None, period


def _read_meta(path: Path, columns: Sequence[str]) -> dict[str, Row]:
    """Columns by each picture's name: those that are wanted, and no others."""
    known: dict[str, Row] = {}
    named = find_columns(read_header(path), path).get("path", "path")
    for row in read_rows(path):
        kept = {column: row[column] for column in columns if column in row}
        for column in ("id", named):
            if row.get(column):
                known[str(row[column])] = kept
    if not known:
        raise DataError(f"{path} has no rows with an id or a path to join by.")
    return known


@dataclass(frozen=True)
class _Sample:
    """The labelled pictures, [n] in one order.

    Attributes:
        keys: Cell of each.
        truth: Share of the votes by class, [n, K].
        scores: What the model says, [n, K].
        weights: Inverse probability of having been sampled, [n].
        units: Independent unit of each, int [n].
        num_units: How many units there are; with groups, those of the table.
        groups: Unit by group; empty where pictures are independent.
    """

    keys: list[Key]
    truth: np.ndarray
    scores: np.ndarray
    weights: np.ndarray
    units: np.ndarray
    num_units: int
    groups: dict[str, int]

    @classmethod
    def of(cls, sums: AnswerSums, told: LabelTable) -> _Sample:
        """Bring labels and answers together."""
        ids = list(sums.labelled)
        classes = sums.class_names
        index = index_labels(told.labels, classes)
        truth = np.zeros((len(ids), len(classes)))
        for i, name in enumerate(ids):
            for label, count in told.votes[name].items():
                if label not in index:
                    raise DataError(
                        f"{name!r} is labelled {label!r}; the answers know "
                        f"{', '.join(classes)}."
                    )
                truth[i, index[label]] += count / told.votes[name].total()
        found = {group for cell in sums.cells.values() for group in cell.groups}
        groups = {group: i for i, group in enumerate(sorted(found))}
        rows = [sums.labelled[name] for name in ids]
        return cls(
            keys=[key for key, _, _ in rows],
            truth=truth,
            scores=np.array([scores for _, _, scores in rows]),
            weights=np.array([1 / told.probabilities.get(name, 1.0) for name in ids]),
            units=np.array(
                [groups[group] if groups else i for i, (_, group, _) in enumerate(rows)]
            ),
            num_units=len(groups) or len(ids),
            groups=groups,
        )

    def labels(self, k: int) -> Labels:
        """All labels for one class."""
        return Labels(self.truth[:, k], self.scores[:, k], self.weights, self.units)


class _Study:
    """Sums and labels, cut into cells.

    Args:
        wanted: How.
        sums: Of the answers.
        sample: The labelled pictures; None without labels.
    """

    def __init__(
        self, wanted: Wanted, sums: AnswerSums, sample: _Sample | None
    ) -> None:
        self.wanted, self.sums, self.sample = wanted, sums, sample
        self.keys: list[Key] = sorted(sums.cells)
        self.borrowing = {key: self._borrows(key) for key in self.keys}
        self.estimates = {
            (key, k): self._estimate(key, k)
            for key in self.keys
            for k in range(len(sums.class_names))
            if sample is not None and sums.cells[key].count
        }

    def by(self, key: Key) -> dict[str, str]:
        """What the pictures of a cell have in common."""
        return dict(zip(self.wanted.names, key, strict=True))

    def cell(self, key: Key) -> Cell:
        """Everything about a cell."""
        cell = self.sums.cells[key]
        return {
            "by": self.by(key),
            "num_examples": cell.count,
            "num_labels": int(self._own(key).sum()) if self.sample else 0,
            "num_unreadable": cell.unreadable,
            "borrowed": self.borrowing[key],
            "shares": {
                name: _share(cell, k, self.estimates.get((key, k)))
                for k, name in enumerate(self.sums.class_names)
            },
        }

    def differences(self) -> list[CellDifference]:
        """Any two cells, class by class; none where there are too many."""
        if not 2 <= len(self.keys) <= MOST_COMPARED:
            return []
        found: list[CellDifference] = []
        for k, name in enumerate(self.sums.class_names):
            pairs = [
                (first, second)
                for first, second in itertools.combinations(self.keys, 2)
                if {(first, k), (second, k)} <= set(self.estimates)
            ]
            parts = [
                combine([self.estimates[a, k], self.estimates[b, k]], [1, -1])
                for a, b in pairs
            ]
            for (a, b), one, corrected in zip(pairs, parts, _holm(parts), strict=True):
                found.append(
                    {
                        "first": self.by(a),
                        "second": self.by(b),
                        "class_name": name,
                        "difference": one.value,
                        "interval": _listed(one.interval),
                        "p": one.p,
                        "p_holm": corrected,
                    }
                )
        return found

    def trends(self) -> list[Trend]:
        """Through the periods, for each combination of the other columns."""
        if not self.wanted.over:
            return []
        found: list[Trend] = []
        for k, name in enumerate(self.sums.class_names):
            lines: dict[Key, list[Estimate]] = {}
            for key in self.keys:
                if (key, k) in self.estimates:
                    lines.setdefault(key[:-1], []).append(self.estimates[key, k])
            lines = {key: line for key, line in lines.items() if len(line) > 2}
            slopes = [trend(line) for line in lines.values()]
            for key, one, corrected in zip(lines, slopes, _holm(slopes), strict=True):
                found.append(
                    {
                        "by": dict(zip(self.wanted.by, key, strict=True)),
                        "class_name": name,
                        "slope": one.value,
                        "interval": _listed(one.interval),
                        "p": one.p,
                        "p_holm": corrected,
                    }
                )
        return found

    def _own(self, key: Key) -> np.ndarray:
        assert self.sample is not None
        return np.array([one == key for one in self.sample.keys])

    def _borrows(self, key: Key) -> bool:
        if self.sample is None:
            return False
        own = self._own(key)
        if own.sum() >= FEW_LABELS or own.all():
            return False
        labels = map(self.sample.labels, range(len(self.sums.class_names)))
        return all(may_borrow(one.take(own), one.take(~own)) for one in labels)

    def _estimate(self, key: Key, k: int) -> Estimate:
        assert self.sample is not None
        labels = self.sample.labels(k)
        if not self.borrowing[key]:
            labels = labels.take(self._own(key))
        answers = _answers(self.sums.cells[key], k, self.sample.groups)
        return estimate(answers, labels, num_units=self.sample.num_units)


def _answers(cell: Sums, k: int, groups: dict[str, int]) -> Answers:
    counts = totals = None
    if groups:
        counts, totals = np.zeros(len(groups)), np.zeros(len(groups))
        for group, group_sums in cell.groups.items():
            counts[groups[group]] = group_sums[0]
            totals[groups[group]] = group_sums[1 + k]
    return Answers(cell.count, cell.totals[k], cell.squares[k], counts, totals)


def _share(cell: Sums, k: int, found: Estimate | None) -> Share:
    plain = cell.answered[k] / cell.count if cell.count else None
    # Without two degrees of freedom an estimate has no error that could be known.
    known = found is not None and found.degrees >= 1
    value = min(max(found.value, 0.0), 1.0) if found is not None and known else None
    bounds = None
    if cell.unreadable and (middle := plain if value is None else value) is not None:
        every = cell.count + cell.unreadable
        lowest = middle * cell.count / every
        bounds = [lowest, lowest + cell.unreadable / every]
    return {
        "plain": plain,
        "corrected": value,
        "interval": _listed(found.interval) if found is not None and known else None,
        "bounds": bounds,
    }


def _listed(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else list(interval)


def _holm(estimates: Sequence[Estimate]) -> list[float | None]:
    """Corrected p of those that have one."""
    known = [p for one in estimates if (p := one.p) is not None]
    corrected = iter(holm(known)) if known else iter(())
    return [None if one.p is None else next(corrected) for one in estimates]
