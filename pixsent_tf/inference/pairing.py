"""Which answers of several models belong to the same picture?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PureWindowsPath

import numpy as np

from pixsent_tf.errors import DataError
from pixsent_tf.evaluation.intervals import auc_interval, wilson_interval
from pixsent_tf.inference.predictions import Predictions


@dataclass(frozen=True)
class Aligned:
    """Answers of several models to the same pictures.

    Attributes:
        names: Of the models, unique, [M].
        ids: Of the pictures that all of them answered, [N].
        labels: What annotators said, class indices, int [N].
        probs: Float [M, N, K].
        class_names: Names by class index, [K].
        has_probs: Whether each model gave probabilities, [M].
        notes: What does not fit together.
    """

    names: tuple[str, ...]
    ids: tuple[str, ...]
    labels: np.ndarray
    probs: np.ndarray
    class_names: tuple[str, ...]
    has_probs: tuple[bool, ...]
    notes: tuple[str, ...]

    @property
    def correct(self) -> np.ndarray:
        """Whether each answer is right, bool [M, N]."""
        return self.probs.argmax(axis=2) == self.labels


def align(tables: Sequence[Predictions]) -> Aligned:
    """Find the pictures that all models answered.

    Args:
        tables: Two or more; one of them at least has labels.

    Returns:
        The answers in the order of the first table. Its notes say which rows match no
        other, and which model seems to have its labels inverted.

    Raises:
        DataError: If no picture is common to all, if classes or labels contradict each
            other, or if no table has labels.
    """
    names = unique_names([table.name for table in tables])
    class_names = tables[0].class_names
    for name, table in zip(names, tables, strict=True):
        if set(table.class_names) != set(class_names):
            raise DataError(
                f"{name} answers {', '.join(table.class_names)}, {names[0]} "
                f"{', '.join(class_names)}; they cannot be compared."
            )
    rows = rows_by_picture([table.ids for table in tables])
    common = [key for key in rows[0] if all(key in part for part in rows[1:])]
    if not common:
        raise DataError(
            f"{names[0]} and {', '.join(names[1:])} share no picture: the first names "
            f"{next(iter(rows[0]))!r}, the second {next(iter(rows[1]))!r}."
        )
    probs = np.stack(
        [
            table.probs[[part[key] for key in common]][
                :, [table.class_names.index(name) for name in class_names]
            ]
            for table, part in zip(tables, rows, strict=True)
        ]
    )
    labels = _labels(tables, rows, names, common, class_names)
    notes = [
        f"{len(part) - len(common)} of the {len(part)} pictures of {name} are not in "
        f"all of the others, and are left out."
        for name, part in zip(names, rows, strict=True)
        if len(part) > len(common)
    ]
    notes += [
        note
        for name, one, table in zip(names, probs, tables, strict=True)
        if (note := _inversion(name, labels, one, table.has_probs))
    ]
    return Aligned(
        names=names,
        ids=tuple(common),
        labels=labels,
        probs=probs,
        class_names=class_names,
        has_probs=tuple(table.has_probs for table in tables),
        notes=tuple(notes),
    )


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Tell models of one name apart.

    Args:
        names: Of the models, [M].

    Returns:
        The same names, with a number where they are not unique.
    """
    if len(set(names)) == len(names):
        return tuple(names)
    return tuple(f"{name} ({number})" for number, name in enumerate(names, start=1))


def rows_by_picture(tables: Sequence[Sequence[str]]) -> list[dict[str, int]]:
    """Find the row of each picture in each of several tables.

    Args:
        tables: Names of the pictures, or paths, of each table.

    Returns:
        Rows, for each table, by as much of the end of the path as tells all pictures of
        all tables apart: the name of the file, the folder that it is in, and so on.
    """
    # which knows both slashes
    parts = [[PureWindowsPath(name).parts for name in ids] for ids in tables]
    longest = max((len(each) for ids in parts for each in ids), default=1)
    keys: list[list[str]] = [list(ids) for ids in tables]
    for depth in range(1, longest + 1):
        ends = [["/".join(each[-depth:]) for each in ids] for ids in parts]
        if all(len(set(each)) == len(each) for each in ends):
            keys = ends
            break
    return [{key: i for i, key in enumerate(each)} for each in keys]


def _labels(
    tables: Sequence[Predictions],
    rows: Sequence[dict[str, int]],
    names: Sequence[str],
    common: Sequence[str],
    class_names: tuple[str, ...],
) -> np.ndarray:
    found: np.ndarray | None = None
    source = ""
    for table, part, name in zip(tables, rows, names, strict=True):
        if table.labels is None:
            continue
        to_common = np.array([class_names.index(n) for n in table.class_names])
        labels = to_common[table.labels[[part[key] for key in common]]]
        if found is None:
            found, source = labels, name
        elif (found != labels).any():
            first = int(np.argmax(found != labels))
            raise DataError(
                f"{source} and {name} label {int((found != labels).sum())} pictures "
                f"differently, first {common[first]}; they were tested on other labels."
            )
    if found is None:
        raise DataError(
            "None of the tables says what is right; add a column `label` to one, such "
            "as predictions.csv."
        )
    return found


def _inversion(
    name: str, labels: np.ndarray, probs: np.ndarray, has_probs: bool
) -> str | None:
    """Say so where a model is wrong too often for that to be chance."""
    if probs.shape[1] != 2 or len(np.unique(labels)) < 2:
        return None
    if has_probs and np.bincount(labels).min() > 1:
        high, what = auc_interval(labels=labels, scores=probs[:, 1])[1], "AUC"
    else:
        right = int((probs.argmax(axis=1) == labels).sum())
        high, what = wilson_interval(right, len(labels))[1], "accuracy"
    if high >= 0.5:
        return None
    return (
        f"{name} is far worse than chance ({what} at most {high:.3f}): its classes are "
        f"most likely swapped."
    )
