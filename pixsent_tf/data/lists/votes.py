"""What did several annotators say of each picture of a table? Votes, or shares of them.

    votes_*, vote_*       how many named a class: whole numbers
    share_*, shares_*     which part of them did: rows sum to 1, or to 100

Numbers in columns of votes that are not whole are shares, too. Where columns have
other names, `--columns votes=anger|disgust|fear` names them; with `--labels votes`
all columns of numbers are votes that are nothing else. What whole numbers tell and
shares do not is how many were asked, so that only votes say how far those of other
annotators would be from them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pixsent_tf.data.class_names import name_classes
from pixsent_tf.data.lists.columns import Rows, as_text, named_column, numbers_of
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ConfigError, DataError, shown

_VOTES = re.compile(r"(?:votes?|shares?)[ _-](.+)", re.IGNORECASE)
_SHARES = re.compile(r"shares?[ _-]", re.IGNORECASE)
_MOST_OFF = 0.05  # of the sum of a picture's shares, which tables round


def votes_columns(
    columns: Sequence[str], path: Path, named: Sequence[str] | None = None
) -> dict[str, str]:
    """Find the columns of votes or shares.

    Args:
        columns: Of a table.
        path: The table, for messages.
        named: Those that the user named; None to go by their names.

    Returns:
        The class that each is of, by column; none for no votes.

    Raises:
        ConfigError: If a named column is not there, or only one is named.
    """
    if named is None:
        by_column = {
            name: match[1] for name in columns if (match := _VOTES.fullmatch(name))
        }
        if len(by_column) < 2:
            return {}
    else:
        own = [named_column(columns, part, path) for part in named]
        by_column = {name: _VOTES.sub(r"\1", name) for name in own}
        if len(by_column) == 1:
            raise ConfigError(
                f"--columns votes={own[0]} names one column; votes need two or more, "
                f"such as votes=anger|disgust."
            )
    by_label = name_classes(by_column.values(), "").by_label if by_column else {}
    return {name: by_label[label] for name, label in by_column.items()}


def columns_of_numbers(
    columns: Sequence[str], taken: Collection[str], rows: Iterable[Mapping[str, Any]]
) -> list[str] | None:
    """Find the columns that can only be votes, where votes must be somewhere.

    Args:
        columns: Of a table.
        taken: Those that hold something else.
        rows: Its rows, cells by column.

    Returns:
        All others that hold nothing but numbers from 0 up; None if they are not two.
    """
    left = dict.fromkeys(name for name in columns if name not in taken)
    for row in rows:
        left = {name: None for name in left if _is_count(as_text(row.get(name)))}
    return list(left) if len(left) > 1 else None


def _is_count(cell: str) -> bool:
    try:
        return 0 <= float(cell) < np.inf
    except ValueError:
        return False


def labels_of_votes(
    path: Path, rows: Rows, votes: Mapping[str, str]
) -> tuple[list[dict[str, str]], int]:
    """Label pictures by what most annotators say.

    Args:
        path: The table, for messages.
        rows: Its rows.
        votes: Class by column.

    Returns:
        The rows with a label, and how many were tied and are left out.

    Raises:
        DataError: If a number of votes is none.
    """
    counts = np.stack([numbers_of(path, rows, name) for name in votes], axis=1)
    names = list(votes.values())
    labelled = [
        {**row, "label": names[int(own.argmax())]}
        for row, own in zip(rows, counts, strict=True)
        if (own == own.max()).sum() == 1
    ]
    return labelled, len(rows) - len(labelled)


def add_votes(
    dataset: Dataset, path: Path, rows: Rows, votes: Mapping[str, str]
) -> Dataset:
    """Add what annotators said, where it is of the classes of the labels.

    Args:
        dataset: The pictures with their labels.
        path: The table, for messages.
        rows: A row for each picture.
        votes: Class by column, as `votes_columns` gives them; none for no votes.

    Returns:
        The data set with votes, or with shares where the columns are called so or hold
        no whole numbers.

    Raises:
        DataError: If a number of votes is none, a picture has no votes, or its shares
            sum to neither 1 nor 100.
    """
    if not votes:
        return dataset
    if sorted(votes.values()) != sorted(dataset.class_names):
        note = (
            f"{path.name}: the columns {', '.join(votes)} are left alone, since the "
            f"classes are {', '.join(dataset.class_names)}"
        )
        return replace(dataset, notes=(*dataset.notes, note))
    column = {name: column for column, name in votes.items()}
    counts = np.stack(
        [numbers_of(path, rows, column[name]) for name in dataset.class_names], axis=1
    )
    if (none := counts.sum(axis=1) == 0).any():
        raise DataError(
            f"{shown(path)} has no votes for {shown(dataset.ids[int(none.argmax())])}; "
            f"fill them in, or take the row away."
        )
    is_of_shares = any(_SHARES.match(name) for name in votes)
    if not is_of_shares and (counts == np.rint(counts)).all():
        return replace(dataset, votes=counts.astype("int32"))
    shares = _shares(path, dataset.ids, counts)
    names = ", ".join(votes.values())
    note = f"{path.name}: shares of {names}; how many voted is not told"
    return replace(dataset, votes=shares, notes=(*dataset.notes, note))


def _shares(path: Path, ids: Sequence[str], values: np.ndarray) -> np.ndarray:
    """Let the shares of each picture sum to 1, float32 [N, K]."""
    totals = values.sum(axis=1)
    whole = 100.0 if np.median(totals) > 10 else 1.0
    is_off = np.abs(totals / whole - 1) > _MOST_OFF
    if is_off.any():
        first = int(is_off.argmax())
        raise DataError(
            f"{shown(path)} has shares of {shown(ids[first])} that sum to "
            f"{totals[first]:g}; those of a picture sum to 1 or to 100, and votes are "
            f"whole numbers."
        )
    return (values / totals[:, None]).astype("float32")
