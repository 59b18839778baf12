"""How does a table of ratings become labelled pictures?

    path,valence[,valence_sd,valence_n][,group]

Valence is the mean of what people said on a scale of 1 to 7. Pictures at its ends have
a label; those between them have none that most would share, and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtr

from pixsent_tf.config import CLASS_NAMES
from pixsent_tf.data.table import Dataset, build_dataset
from pixsent_tf.errors import DataError

NEGATIVE_TO, POSITIVE_FROM = 3.5, 5.0  # on the scale of 1 to 7
MIDDLE = (NEGATIVE_TO + POSITIVE_FROM) / 2
SPREAD, COUNT = 1.3, 20  # of ratings whose deviation or number is not told
RATED = ("valence", "valence_sd", "valence_n")
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
) -> Dataset:
    """Read pictures and their ratings.

    Args:
        path: The table, for the name and for messages.
        rows: Its rows.
        images: The folder that the paths are relative to.
        group: The column that tells which pictures belong together. None for those of
            a numbered series, such as `harbor_1.jpg` and `harbor_2.jpg`.

    Returns:
        Negative pictures up to a valence of 3.5 and positive ones from 5.0, in the
        order of the table. Votes are how many raters would stand on either side of the
        middle if ratings were normal: the farther from it, the more agree.

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
    chosen = np.flatnonzero((valence <= NEGATIVE_TO) | (valence >= POSITIVE_FROM))
    kept = [rows[int(i)] for i in chosen]
    labels = (valence[chosen] >= MIDDLE).astype(int)
    dataset = build_dataset(
        name=path.parent.resolve().name,
        ids=[row["path"] for row in kept],
        paths=[images / row["path"] for row in kept],
        labels=[CLASS_NAMES[label] for label in labels],
        class_names=CLASS_NAMES,
    ).grouped([_group(row, group) for row in kept])
    in_favor = ndtr((valence - MIDDLE) / np.maximum(spread, 1e-3))
    positive = np.rint(counts * in_favor).astype("int32")
    votes = np.stack([counts.astype("int32") - positive, positive], axis=1)
    return replace(dataset, votes=votes[chosen])


def _number(
    path: Path, row: Mapping[str, Any], column: str, default: float | None
) -> float:
    text = row.get(column) or ""
    try:
        return float(text) if text or default is None else default
    except ValueError:
        raise DataError(
            f"{path} has the {column} {text!r} for {row['path']!r}; it is a number."
        ) from None


def _group(row: Mapping[str, str], column: str | None) -> str:
    if column is not None:
        return (row[column] or "").strip()
    if row.get("group"):
        return row["group"].strip()
    stem = Path(row["path"]).stem
    series = _NUMBER.sub("", stem)
    return "" if series == stem else series
