"""Can this data be trusted? (`pixsent-tf audit DATA`)

Counts, files that cannot be read, copies within and across the folds, labels that
contradict each other, and how often people themselves agree with the labels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import permutations
from pathlib import Path

import numpy as np

from pixsent_tf.config import LEVELS, DataConfig
from pixsent_tf.data.copies.duplicates import Duplicates, find_copies
from pixsent_tf.data.decode.jpeg import is_repaired
from pixsent_tf.data.levels import agreement, layout
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import DataError
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.results.audits import (
    AcrossParts,
    AuditFold,
    AuditPart,
    AuditResults,
    CopiedPair,
)
from pixsent_tf.results.unreadable import unreadable

# A fold is unstratified where a class is off its share by more than both.
_MAX_MISPLACED = 2  # pictures
_MAX_SHARE_ERROR = 0.01  # of the fold


def open_parts(
    data: DataConfig, *, seed: int = 0, progress: Progress = NO_PROGRESS
) -> list[Dataset]:
    """Open everything that a source holds.

    Args:
        data: The source; a DeepSent folder without a level is opened at every
            agreement level that has a list.
        seed: Of the drawn sample.
        progress: Hears what was found that is good to know.

    Returns:
        One data set, or one for each agreement level.

    Raises:
        DataError: As `sources.open_dataset` does.
    """
    folder = Path(data.source)
    if data.level is None and folder.is_dir() and layout.is_deepsent(folder):
        return [
            layout.open_deepsent(folder, level, group=data.group)
            for level in LEVELS
            if (folder / f"twitter_{level}.txt").is_file()
        ]
    return [open_dataset(data, seed=seed, progress=progress)]


def audit(
    parts: Sequence[Dataset], *, progress: Progress = NO_PROGRESS
) -> AuditResults:
    """Examine data sets that share pictures, or a single one.

    Args:
        parts: Selections of the same pictures, such as agreement levels.
        progress: Hears how far it is.

    Returns:
        The findings.

    Raises:
        DataError: If there is nothing to examine.
    """
    if not parts:
        raise DataError("There is no data set to audit; name a folder or a list.")
    paths = list(dict.fromkeys(path for part in parts for path in part.paths))
    duplicates = find_copies(paths, progress=progress)
    position = {path: i for i, path in enumerate(paths)}
    examined = [_examine(part, duplicates, position) for part in parts]
    across = _across_parts(parts)
    leaks = sum(len(part["crossing"]) for part in examined)
    return {
        "num_examples": len(paths),
        "exact_pairs": int(duplicates.is_exact.sum()),
        "near_pairs": int((~duplicates.is_exact).sum()),
        "parts": examined,
        "across_parts": across,
        "has_leak": bool(leaks or any(sum(row["leaked"]) for row in across)),
    }


def _examine(
    part: Dataset, duplicates: Duplicates, position: dict[str, int]
) -> AuditPart:
    """Examine one data set."""
    index = {position[path]: i for i, path in enumerate(part.paths)}
    pairs = [
        _pair(part, index[a], index[b], bool(is_exact), float(distance))
        for (a, b), is_exact, distance in zip(
            duplicates.pairs.tolist(),
            duplicates.is_exact,
            duplicates.distances,
            strict=True,
        )
        if a in index and b in index
    ]
    failures = [
        unreadable(part.ids[index[i]], error)
        for i, error in sorted(duplicates.failures.items())
        if i in index
    ]
    crossing = [pair for pair in pairs if _crosses(pair)]
    return {
        "name": part.name,
        "num_examples": len(part),
        "classes": _classes(part, np.ones(len(part), dtype=bool)),
        "majority_rate": round(part.majority_rate, 4),
        "unreadable": failures,
        "repaired": _repaired(part, {row["id"] for row in failures}),
        "unreadable_by_reason": _count(row["reason"] for row in failures),
        "splits": None if part.splits is None else _count(part.splits.tolist()),
        "notes": list(part.notes),
        "in_folds": None if part.folds is None else int((part.folds > 0).sum()),
        "folds": _folds(part, crossing),
        "is_stratified": None if part.folds is None else _is_stratified(part),
        "exact_pairs": sum(pair["kind"] == "exact" for pair in pairs),
        "near_pairs": sum(pair["kind"] == "near" for pair in pairs),
        "pairs": pairs,
        "crossing": crossing,
        "conflicting": [pair for pair in pairs if len(set(pair["labels"])) > 1],
        "num_groups": None if part.groups is None else len(np.unique(part.groups)),
        "crossing_groups": _crossing_groups(part),
        "label_ceiling": _label_ceiling(part),
        "suspects": None,
    }


def _repaired(part: Dataset, unreadable: Collection[str]) -> list[str]:
    """Name the JPEGs that were read although they lack their end marker."""
    files = zip(part.ids, part.paths, strict=True)
    return [
        name for name, path in files if name not in unreadable and is_repaired(path)
    ]


def _pair(
    part: Dataset, first: int, second: int, is_exact: bool, distance: float
) -> CopiedPair:
    both = sorted((first, second))
    return {
        "ids": [part.ids[i] for i in both],
        "paths": [part.paths[i] for i in both],
        "kind": "exact" if is_exact else "near",
        "distance": round(distance, 4),
        "labels": [part.class_names[part.labels[i]] for i in both],
        "folds": None if part.folds is None else [int(part.folds[i]) for i in both],
        "splits": None if part.splits is None else [str(part.splits[i]) for i in both],
    }


def _crosses(pair: CopiedPair) -> bool:
    """Tell whether one picture of a pair trains what tests the other."""
    if pair["splits"] is not None and len(set(pair["splits"])) > 1:
        return True
    return pair["folds"] is not None and len({0, *pair["folds"]}) == 3


def _folds(part: Dataset, crossing: list[CopiedPair]) -> list[AuditFold]:
    if part.folds is None:
        return []
    copied = defaultdict(set)  # test pictures with a copy in training, by fold
    for pair in crossing:
        for name, fold in zip(pair["ids"], pair["folds"] or (), strict=True):
            copied[fold].add(name)
    rows: list[AuditFold] = []
    for fold in range(1, int(part.folds.max()) + 1):
        mask = part.folds == fold
        classes = _classes(part, mask)
        rows.append(
            {
                "fold": fold,
                "num_examples": int(mask.sum()),
                "classes": classes,
                "majority_rate": round(max(classes.values()) / int(mask.sum()), 4),
                "copied_from_training": len(copied[fold]),
            }
        )
    return rows


def _is_stratified(part: Dataset) -> bool:
    """Tell whether each fold has the share of each class that all folds have."""
    assert part.folds is not None
    dealt = part.folds > 0
    table = np.zeros((int(part.folds.max()), part.num_classes))
    np.add.at(table, (part.folds[dealt] - 1, part.labels[dealt]), 1)
    sizes = table.sum(axis=1, keepdims=True)
    misplaced = np.abs(table - sizes * table.sum(axis=0) / table.sum())
    return not (
        (misplaced > _MAX_MISPLACED) & (misplaced > _MAX_SHARE_ERROR * sizes)
    ).any()


def _crossing_groups(part: Dataset) -> list[str] | None:
    """Name the groups with pictures in two published folds or more."""
    if part.groups is None or part.folds is None:
        return None
    dealt = part.folds > 0
    places = np.unique(np.stack([part.groups[dealt], part.folds[dealt]]), axis=1)
    groups, counts = np.unique(places[0], return_counts=True)
    return sorted(part.group_names[group] for group in groups[counts > 1])


def _label_ceiling(part: Dataset) -> float | None:
    """Expected agreement of one more annotator; None without votes that differ."""
    if part.votes is None or not part.has_counts or part.num_classes != 2:
        return None
    whole = part.whole or part
    beta = None if whole.votes is None else agreement.fit_beta(whole.votes)
    if beta is None:
        return None
    value = agreement.expected_agreement(
        votes=part.votes, labels=part.labels, beta=beta
    )
    return round(value, 4)


def _across_parts(parts: Sequence[Dataset]) -> list[AcrossParts]:
    """Count, by fold, the test pictures of one part that another part trains on."""
    rows: list[AcrossParts] = []
    for trained, tested in permutations(parts, 2):
        if trained.folds is None or tested.folds is None:
            continue
        home = dict(zip(trained.paths, trained.folds.tolist(), strict=True))
        elsewhere = np.array([home.get(path, 0) for path in tested.paths])
        numbers = range(1, int(tested.folds.max()) + 1)
        test_masks = [tested.folds == fold for fold in numbers]
        rows.append(
            {
                "trained": trained.name,
                "tested": tested.name,
                "leaked": [
                    int((mask & (elsewhere > 0) & (elsewhere != fold)).sum())
                    for fold, mask in zip(numbers, test_masks, strict=True)
                ],
                "num_examples": [int(mask.sum()) for mask in test_masks],
            }
        )
    return rows


def _classes(part: Dataset, mask: np.ndarray) -> dict[str, int]:
    counts = np.bincount(part.labels[mask], minlength=part.num_classes)
    return dict(zip(part.class_names, counts.tolist(), strict=True))


def _count(words: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for word in words:
        counts[word] += 1
    return dict(sorted(counts.items()))
