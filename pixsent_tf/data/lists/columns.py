"""Which column of a table holds what?

    path      path, filename, file, image, image_path, img, picture, photo
    label     label, class, sentiment, target, category, polarity
    split     split, subset, partition             train, val or test
    fold      fold, kfold                          the test fold of each picture
    group source weight annotator                  by these names only
    votes_*   how many annotators named each class; see `votes`
    share_*   which part of them did

Case, spaces, hyphens and underscores do not matter. `--columns path=img,label=mood`
names others; `--columns fold=` has a column left alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pixsent_tf.config.values import nearest
from pixsent_tf.errors import ConfigError, DataError, shown

_NAMES = {
    "path": (
        *("path", "filename", "file", "image", "filepath", "imagepath", "imagename"),
        *("imagefile", "img", "imgpath", "imgname", "picture", "photo", "filenames"),
        *("images", "paths", "files"),
    ),
    "label": (
        *("label", "class", "sentiment", "target", "labels", "classname", "classlabel"),
        *("category", "polarity", "classes"),
    ),
    "split": ("split", "subset", "partition"),
    "fold": ("fold", "folds", "kfold", "foldid"),
    "group": ("group", "groups"),
    "source": ("source",),
    "weight": ("weight", "weights", "sampleweight", "exampleweight"),
    "annotator": ("annotator",),
}
ROLES = tuple(_NAMES)
VOTES = "votes"  # the role of several columns, which `--columns` parts by bars
Rows = Sequence[Mapping[str, str]]
_IS_PICTURE = re.compile(r"\.(jpe?g|png|gif|bmp|webp|tiff?|heic)$", re.IGNORECASE)


def find_columns(
    columns: Sequence[str],
    path: Path,
    chosen: Mapping[str, str] | None = None,
    more: Sequence[str] = (),
) -> dict[str, str]:
    """Find which column holds what.

    Args:
        columns: Of the table.
        path: The table, for messages.
        chosen: Columns by role, from `--columns`; "" for none.
        more: Further roles that `chosen` may name, such as those of ratings.

    Returns:
        Columns by role, for each role that the table has.

    Raises:
        ConfigError: If `chosen` names no role, or no column of the table.
        DataError: If two columns have the name of a role.
    """
    by_key = {_key(name): name for name in reversed(columns)}
    found: dict[str, str] = {}
    for role, names in _NAMES.items():
        own = [by_key[name] for name in names if name in by_key]
        if own:
            found[role] = own[0]
    for role, column in (chosen or {}).items():
        known = (*ROLES, VOTES, *more)
        if role not in known:
            raise ConfigError(
                f"--columns knows no {role!r}{nearest(role, known)}; it knows "
                f"{', '.join(known)}."
            )
        if not column:
            found.pop(role, None)
        elif role != VOTES:
            found[role] = named_column(columns, column, path)
    twice = [name for name in found.values() if list(columns).count(name) > 1]
    if twice:
        raise DataError(
            f"{shown(path)} has two columns {twice[0]!r}; take one of them away."
        )
    return {role: found[role] for role in (*ROLES, *more) if role in found}


def named_column(columns: Sequence[str], name: str, path: Path) -> str:
    """Find the column that `--columns` names.

    Args:
        columns: Of the table.
        name: As it was given; case, spaces, hyphens and underscores do not matter.
        path: The table, for the message.

    Returns:
        Its name in the table.

    Raises:
        ConfigError: If there is none.
    """
    for column in columns:
        if _key(column) == _key(name):
            return column
    raise ConfigError(
        f"{shown(path)} has no column {name!r}, which --columns names; it has "
        f"{listed(columns)}."
    )


def refuse_columns(path: Path, columns: Sequence[str], lacking: str) -> DataError:
    """Say that a table lacks what it needs.

    Args:
        path: The table.
        columns: Its columns.
        lacking: The role that none of them has, "path" or "label".

    Returns:
        The error to raise.
    """
    if any(_IS_PICTURE.search(name) for name in columns):
        return DataError(
            f"{shown(path)} begins with {listed(columns)}, which is a picture and no "
            f"header; write path,label above it."
        )
    if not columns:
        return DataError(
            f"{shown(path)} is empty; a table begins with the names of its columns, "
            f"such as path,label."
        )
    names = ", ".join(_NAMES[lacking][:4])
    votes = f", or votes with --columns {VOTES}=COLUMN|COLUMN" * (lacking == "label")
    return DataError(
        f"{shown(path)} has the columns {listed(columns)}; none is called like a "
        f"{lacking} ({names}): name it with --columns {lacking}=COLUMN{votes}."
    )


def describe_columns(found: Mapping[str, str]) -> str:
    """Say what is read from columns of other names.

    Args:
        found: Columns by role.

    Returns:
        Such as "path from 'img', label from 'mood'"; "" where names are as expected.
    """
    return ", ".join(
        f"{role} from {column!r}" for role, column in found.items() if column != role
    )


def listed(columns: Sequence[str]) -> str:
    """Name columns on one line.

    Args:
        columns: Their names.

    Returns:
        The names, cut where they are many.
    """
    text = ", ".join(shown(str(name)) for name in columns) or "none"
    return text if len(text) <= 200 else f"{text[:200]}…"


def as_text(cell: Any) -> str:
    """Read a cell of a table of any kind as text.

    Args:
        cell: Text, a number, or nothing.

    Returns:
        The text without space around it; "" for nothing and for NaN.
    """
    if cell is None or cell != cell:  # NaN is not itself
        return ""
    return str(cell).strip()


def as_path(cell: Any, table: Path) -> str:
    """Read a cell that names a file.

    Args:
        cell: Of the column of paths.
        table: For the message.

    Returns:
        The name; "" where there is none.

    Raises:
        DataError: If the cell is a picture itself.
    """
    if isinstance(cell, (bytes, Mapping, list)):
        raise DataError(
            f"{shown(table)} holds the pictures themselves where paths should be; "
            f"write them to files, and name these."
        )
    return as_text(cell)


def numbers_of(path: Path, rows: Rows, column: str) -> np.ndarray:
    """Read a column of numbers.

    Args:
        path: The table, for the message.
        rows: Its rows.
        column: Which.

    Returns:
        Its numbers, float64 [N].

    Raises:
        DataError: If one is no number from 0 up.
    """
    found = np.empty(len(rows))
    for i, row in enumerate(rows):
        try:
            found[i] = float(row[column] or "nan")
        except ValueError:
            found[i] = np.nan
        if not (found[i] >= 0 and np.isfinite(found[i])):
            raise DataError(
                f"{shown(path)} has the {column} {row[column]!r} in the row of "
                f"{shown(row['path'])}; it is a number from 0 up."
            )
    return found


def _key(name: str) -> str:
    return re.sub(r"[ _-]+", "", str(name)).casefold()
