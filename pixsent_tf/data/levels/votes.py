"""How did the annotators vote? Read the table of votes that comes with DeepSent.

No description of the table was published, and copies of it differ, so any of these is
read; the first cell that ends like a picture's name is the name:

    name, five votes as words or as 0 and 1      a row for each picture
    name, [total,] votes of one kind, of the other   a row for each picture
    name, vote                                   a row for each vote

Which of two unnamed counts is the positive one follows from the labels, since these
are the majority. A table that contradicts the labels either way is not used.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

NUM_VOTES = 5
_WORDS = {"negative": 0, "neg": 0, "positive": 1, "pos": 1}
_PICTURE = re.compile(r"\.(jpe?g|png|gif)$", re.IGNORECASE)


def read_table(path: Path, labels: Mapping[str, int]) -> np.ndarray | None:
    """Read a table of votes.

    Args:
        path: A CSV file.
        labels: Labels by name, 0 or 1, in order.

    Returns:
        Votes per class, int32 [N, 2]; None if the table lacks one of the pictures, or
        its votes do not give the labels.
    """
    counts: dict[str, np.ndarray] = {}
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        for row in csv.reader(file):
            cells = [cell.strip() for cell in row]
            name = next((cell for cell in cells if _PICTURE.search(cell)), None)
            votes = None if name is None else _read_row(cells)
            if name is not None and votes is not None:
                name = re.split(r"[/\\]", name)[-1]
                counts[name] = counts.get(name, np.zeros(2, "int32")) + votes
    if not set(labels) <= set(counts):
        return None
    table = np.array([counts[name] for name in labels], dtype="int32")
    majority = np.array(list(labels.values()))
    for votes in (table, table[:, ::-1]):
        if (votes[np.arange(len(votes)), majority] * 2 > votes.sum(axis=1)).all():
            return votes
    return None


def read_nesting(agreeing: Mapping[str, int], labels: Mapping[str, int]) -> np.ndarray:
    """Tell the votes from how many annotators agree.

    Args:
        agreeing: Number of annotators behind the label, 3…5, by name.
        labels: Labels by name, 0 or 1, in order.

    Returns:
        Votes per class, int32 [N, 2].
    """
    votes = np.zeros((len(labels), 2), dtype="int32")
    for i, (name, label) in enumerate(labels.items()):
        votes[i, label] = agreeing[name]
        votes[i, 1 - label] = NUM_VOTES - agreeing[name]
    return votes


def _read_row(cells: list[str]) -> np.ndarray | None:
    """Count the votes of one row, [2]; None where it holds none."""
    words = [_WORDS[cell.lower()] for cell in cells if cell.lower() in _WORDS]
    if words:
        return np.bincount(words, minlength=2)
    numbers = [int(cell) for cell in cells if re.fullmatch(r"\d{1,2}", cell)]
    if len(numbers) == 3 and numbers[0] == numbers[1] + numbers[2]:
        return np.array(numbers[1:])
    if len(numbers) == 2 and sum(numbers) == NUM_VOTES:
        return np.array(numbers)
    if len(numbers) in (1, NUM_VOTES) and set(numbers) <= {0, 1}:
        return np.bincount(numbers, minlength=2)
    return None
