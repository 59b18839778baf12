"""What else does a table say of its pictures? Splits, folds, weights, sources.

Each becomes a part of the data set, and how it was read a line of its notes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pixsent_tf.data.folders.classes import SPLITS
from pixsent_tf.data.folders.source import describe_splits
from pixsent_tf.data.lists.columns import Rows, numbers_of
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import DataError, shown

_SPLITS = {**SPLITS, **dict.fromkeys(("eval", "evaluation", "holdout"), "test")}
_WHOLE = re.compile(r"(\d+)(?:\.0*)?")


def add_given(
    dataset: Dataset,
    path: Path,
    rows: Rows,
    roles: Sequence[str],
    chosen: Mapping[str, str],
) -> Dataset:
    """Add what a table says of its pictures.

    Args:
        dataset: The pictures with their labels.
        path: The table, for messages.
        rows: A row for each picture, cells by column.
        roles: What columns of the table hold.
        chosen: Columns by role that the user named: what they hold must fit.

    Returns:
        The data set with what else is known, and with notes.

    Raises:
        DataError: If a cell cannot be read.
    """
    for role, add in _READERS.items():
        if role in roles:
            cells = [row[role] for row in rows]
            dataset = add(dataset, path, cells, role in chosen)
    return dataset


def _with_sources(
    dataset: Dataset, path: Path, names: Sequence[str], _: bool
) -> Dataset:
    """Tell where each picture comes from."""
    if "" in names:
        raise DataError(
            f"{path} gives {dataset.ids[names.index('')]!r} no source; fill the column "
            f"or leave it out."
        )
    unique = tuple(dict.fromkeys(names))
    if len(unique) < 2:
        return dataset
    numbers = np.array([unique.index(name) for name in names], dtype="int32")
    return replace(dataset, sources=numbers, source_names=unique)


def _with_splits(
    dataset: Dataset, path: Path, cells: Sequence[str], is_chosen: bool
) -> Dataset:
    """Tell what trains and what tests."""
    read = [_SPLITS.get(cell.casefold(), "") for cell in cells]
    strange = next((c for c, own in zip(cells, read, strict=True) if not own), None)
    if strange is not None and is_chosen:
        raise DataError(
            f"{shown(path)} has the split {strange!r}; a split is train, val or test."
        )
    if strange is not None or "train" not in read or len(set(read)) < 2:
        what = repr(strange) if strange is not None else f"{read[0]!r} only"
        note = f"{path.name}: its column of splits holds {what}, and is left alone"
        return replace(dataset, notes=(*dataset.notes, note))
    splits = np.array(read)
    note = f"{path.name}: {describe_splits(splits)}"
    return replace(dataset, splits=splits, notes=(*dataset.notes, note))


def _with_folds(
    dataset: Dataset, path: Path, cells: Sequence[str], is_chosen: bool
) -> Dataset:
    """Take folds as published ones; they are numbered from 1."""
    unique = sorted(set(cells) - {""}, key=_by_value)
    if len(unique) < 2:
        if is_chosen:
            raise DataError(f"{shown(path)} has one fold only; two or more are needed.")
        return dataset
    number = {cell: i for i, cell in enumerate(unique, start=1)}
    folds = np.array([number.get(cell, 0) for cell in cells], dtype="int32")
    told = f"{path.name}: {len(unique)} folds of {_sizes(folds)} pictures"
    if unique != [str(i) for i in number.values()]:
        told += f", {shown(unique[0])} to {shown(unique[-1])} as 1 to {len(unique)}"
    if (outside := int((folds == 0).sum())) > 0:
        told += f"; in none {outside}, which neither train nor test"
    return replace(dataset, folds=folds, notes=(*dataset.notes, told))


def _sizes(folds: np.ndarray) -> str:
    sizes = np.bincount(folds)[1:]
    low, high = int(sizes.min()), int(sizes.max())
    return str(low) if low == high else f"{low} to {high}"


def _by_value(cell: str) -> tuple[int, str]:
    match = _WHOLE.fullmatch(cell)
    return (int(match[1]) if match else 0, cell)


def _with_weights(
    dataset: Dataset, path: Path, cells: Sequence[str], _: bool
) -> Dataset:
    """Let pictures count as much as they are said to."""
    rows = [
        {"path": name, "weight": c} for name, c in zip(dataset.ids, cells, strict=True)
    ]
    weights = numbers_of(path, rows, "weight").astype("float32")
    if not weights.any():
        raise DataError(
            f"{shown(path)} has only weights of 0; give some pictures a larger one, or "
            f"leave the column alone with --columns weight=."
        )
    note = (
        f"{path.name}: its weights, {weights.min():g} to {weights.max():g}, count in "
        f"training"
    )
    return replace(dataset, weights=weights, notes=(*dataset.notes, note))


_READERS: dict[str, Callable[[Dataset, Path, Sequence[str], bool], Dataset]] = {
    "source": _with_sources,
    "split": _with_splits,
    "fold": _with_folds,
    "weight": _with_weights,
}
