"""How does a table of ratings become labelled pictures, or rated ones?

    path,valence[,valence_sd,valence_n][,arousal...][,group]

Valence is the mean of what people said on a scale of 1 to 7. Pictures at its ends have
a label; those between them have none that most would share, and are left out, unless a
threshold says where negative ends and positive begins. With a target nothing is left
out: the ratings themselves are what a model is to answer with.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtr

from pixsent_tf.config import CLASS_NAMES, DataConfig
from pixsent_tf.config.scales import Scale, read_scale
from pixsent_tf.data.lists.perspectives import spread_groups
from pixsent_tf.data.lists.rated import Ratings, ranges
from pixsent_tf.data.table import Dataset, build_dataset, check_pictures
from pixsent_tf.errors import DataError

NEGATIVE_TO, POSITIVE_FROM = 3.5, 5.0  # on the scale of 1 to 7
MIDDLE = (NEGATIVE_TO + POSITIVE_FROM) / 2
SPREAD, COUNT = 1.3, 20  # of ratings whose deviation or number is not told
RATED = ("valence", "valence_sd", "valence_n")
SERIES = "series"  # the group that is a rule and no column
LARGE = 50  # pictures of a table whose largest series says what numbers mean
_NUMBER = re.compile(r"[ _-]*\d+$")


def is_rated(columns: Sequence[str]) -> bool:
    """Tell whether a table holds ratings instead of labels.

    Args:
        columns: Of the table.

    Returns:
        True if it has the columns `path` and `valence` and no column `label`.
    """
    return {"path", "valence"} <= set(columns) and "label" not in columns


def open_ratings(
    path: Path,
    rows: Sequence[Mapping[str, str]],
    images: Path,
    *,
    group: str | None = None,
    threshold: float | None = None,
) -> Dataset:
    """Read pictures and their ratings as two classes.

    Args:
        path: The table, for the name and for messages.
        rows: Its rows.
        images: The folder that the paths are relative to.
        group: The column that tells which pictures belong together, or "series". None
            for a column `group`, or where there is none for numbered series.
        threshold: Valence from which a picture is positive; None leaves the middle out.

    Returns:
        Negative pictures up to a valence of 3.5 and positive ones from 5.0, or on both
        sides of the threshold, in the order of the table. Votes are how many raters
        would stand on either side of the middle if ratings were normal: the farther
        from it, the more agree.

    Raises:
        DataError: If a rating is no number from 1 to 7, or a class is missing.
    """
    valence = np.array([_number(path, row, "valence", None) for row in rows])
    if len(rows) and not (1 <= valence.min() <= valence.max() <= 7):
        raise DataError(
            f"{path} rates from {valence.min():g} to {valence.max():g}; valence is on "
            f"a scale of 1 to 7."
        )
    spread = np.array([_number(path, row, "valence_sd", SPREAD) for row in rows])
    counts = np.array([_number(path, row, "valence_n", COUNT) for row in rows])
    low, middle, high = NEGATIVE_TO, MIDDLE, POSITIVE_FROM
    if threshold is not None:
        low = middle = high = threshold
    chosen = np.flatnonzero((valence <= low) | (valence >= high) | (low == high))
    kept = [rows[int(i)] for i in chosen]
    labels = (valence[chosen] >= middle).astype(int)
    dataset = build_dataset(
        name=path.parent.resolve().name,
        ids=[row["path"] for row in kept],
        paths=[images / row["path"] for row in kept],
        labels=[CLASS_NAMES[label] for label in labels],
        class_names=CLASS_NAMES,
    ).grouped(find_groups(kept, group))
    in_favor = ndtr((valence - middle) / np.maximum(spread, 1e-3))
    positive = np.rint(counts * in_favor).astype("int32")
    votes = np.stack([counts.astype("int32") - positive, positive], axis=1)
    return replace(dataset, votes=votes[chosen])


def open_rated(
    path: Path, rows: Sequence[Mapping[str, str]], images: Path, data: DataConfig
) -> Dataset:
    """Read pictures and their ratings as numbers.

    Args:
        path: The table, for the name and for messages.
        rows: Its rows.
        images: The folder that the paths are relative to.
        data: Names the targets, the scale and the groups.

    Returns:
        All pictures, in the order of the table, with their ratings; their labels are
        ranges of the first target, which folds are balanced by. Columns TARGET_sd and
        TARGET_n tell deviation and number of raters where they are there. A column
        `rater_group` gives each group of raters targets of its own.

    Raises:
        DataError: If a rating is no number, or none of the scale.
    """
    asked = len({row["path"] for row in rows})
    rows, targets, perspectives = spread_groups(path, rows, data.target)
    values = np.array(
        [[_number(path, row, name, None) for name in targets] for row in rows]
    ).reshape(len(rows), len(targets))
    scale = _scale(path, values, data)
    if len(np.unique(values[:, 0])) < 2:
        raise DataError(
            f"{path} rates every picture {values[0, 0]:g} in {targets[0]}; there "
            f"is nothing to learn."
        )
    spreads, counts = (
        np.array(
            [
                [_number(path, row, name + end, np.nan) for name in targets]
                for row in rows
            ]
        )
        for end in ("_sd", "_n")
    )
    if (spreads < 0).any() or (counts < 1).any():
        raise DataError(
            f"{path} has a deviation below 0 or fewer than one rater; leave cells that "
            f"are not known empty."
        )
    labels, names = ranges(values[:, 0])
    ids = [row["path"].strip() for row in rows]
    paths = [images / name for name in ids]
    check_pictures(path.stem, ids, paths)
    dataset = Dataset(
        name=path.parent.resolve().name,
        ids=tuple(ids),
        paths=tuple(map(str, paths)),
        labels=labels,
        class_names=tuple(f"{targets[0]} {name}" for name in names),
        ratings=Ratings(targets, values, scale, spreads, counts, perspectives),
        notes=_left_out(path, asked - len(rows)),
    )
    groups = find_groups(rows, data.group)
    return dataset.grouped(groups) if any(groups) else dataset


def _left_out(path: Path, count: int) -> tuple[str, ...]:
    if not count:
        return ()
    return (f"{path.name}: {count} pictures that not all groups rated are left out",)


def _scale(path: Path, values: np.ndarray, data: DataConfig) -> Scale:
    """The scale that was named, or the whole numbers around the ratings."""
    if not len(values):
        raise DataError(f"{path} holds no pictures.")
    low, high = values.min(), values.max()
    if data.scale is None:
        return float(np.floor(low)), float(np.ceil(high))
    least, most = read_scale(data.scale)
    if not least <= low <= high <= most:
        raise DataError(
            f"{path} rates from {low:g} to {high:g}, and --scale says {data.scale}; "
            f"correct the one or the other."
        )
    return least, most


def _number(
    path: Path, row: Mapping[str, Any], column: str, default: float | None
) -> float:
    text = (row.get(column) or "").strip()
    try:
        number = float(text) if text or default is None else default
    except ValueError:
        number = np.inf
    if np.isinf(number) or (text and np.isnan(number)):
        raise DataError(
            f"{path} has the {column} {text!r} for {row['path']!r}; it is a number."
        )
    return number


def find_groups(rows: Sequence[Mapping[str, str]], group: str | None) -> list[str]:
    """Tell which rated pictures belong together.

    Args:
        rows: Of the table.
        group: A column; "series" for numbered series, such as `harbor_1.jpg` and
            `harbor_2.jpg`. None takes a column `group`, or where there is none the
            series, unless one holds more than a tenth of the pictures, as the numbers
            that a camera gives do.

    Returns:
        Name of each picture's group; "" for a picture on its own.
    """
    column = group or "group"
    if rows and column in rows[0]:
        return [(row[column] or "").strip() for row in rows]
    series = [_series(row["path"]) for row in rows]
    sizes = Counter(name for name in series if name)
    is_camera = max(sizes.values(), default=0) > len(rows) / 10
    if group is None and is_camera and len(rows) >= LARGE:
        return [""] * len(rows)
    return series


def _series(path: str) -> str:
    stem = Path(path).stem
    series = _NUMBER.sub("", stem)
    return "" if series == stem else series
