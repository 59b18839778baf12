"""Which pictures do how many annotators agree on, in a set that was never voted on?

A DeepSent folder has its three agreement levels. Any other set gets stand-ins, nested
and of the same proportions, so that the same studies can be run on it; what they say
about agreement means nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from pixsent_tf.config import DataConfig
from pixsent_tf.data import splits
from pixsent_tf.data.levels import layout
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.data.table import Dataset
from pixsent_tf.progress import NO_PROGRESS, Progress

# Pictures of each level among the 1,269
SHARES = {"five_agrees": 882 / 1269, "four_agrees": 1116 / 1269, "three_agrees": 1.0}


def has_levels(source: str) -> bool:
    """Tell whether a source knows how many annotators agree.

    Args:
        source: As in `DataConfig`.

    Returns:
        Whether its levels are its own; they are stand-ins otherwise.
    """
    return Path(source).is_dir() and layout.is_deepsent(Path(source))


def open_level(
    data: DataConfig,
    *,
    example_fraction: float = 1.0,
    seed: int = 0,
    progress: Progress = NO_PROGRESS,
) -> Dataset:
    """Open one agreement level of any source.

    Args:
        data: The source; its `level` is the level, three_agrees if None.
        example_fraction: Part of the pictures to keep, the same in each class and fold,
            above 0 and at most 1. It does not depend on the machine.
        seed: Of the drawn sample, and of folds where none are published.
        progress: Hears how far the search for copies is.

    Returns:
        The level with its folds; the levels of stand-ins are dealt together.

    Raises:
        DataError: If the source cannot be opened, or a class is too small for the
            folds.
    """
    level = data.level or "three_agrees"
    deal = partial(
        splits.published_or_stratified,
        num_folds=data.num_folds,
        seed=seed,
        progress=progress,
    )
    if has_levels(data.source):
        dataset = open_dataset(replace(data, level=level), seed=seed, progress=progress)
        folds = deal(dataset)
        dataset = replace(dataset, folds=folds)
        return dataset.take(
            _first(dataset.ids, example_fraction, dataset.labels, folds)
        )
    whole = open_dataset(replace(data, level=None), seed=seed)
    whole = whole.take(_first(whole.ids, example_fraction, whole.labels))
    folds = deal(whole)
    whole = replace(whole, name=f"{whole.name}-{level}", folds=folds)
    return whole.take(_first(whole.ids, SHARES[level], whole.labels, folds))


def _first(
    ids: Sequence[str], example_fraction: float, *groups: np.ndarray
) -> np.ndarray:
    """Keep a share of each group, the same whenever asked, bool [N]."""
    numbers = [int(hashlib.sha256(name.encode()).hexdigest()[:15], 16) for name in ids]
    keys = np.stack(groups)  # [groups, N]
    kept = np.zeros(len(ids), dtype=bool)
    for key in np.unique(keys, axis=1).T:
        members = np.flatnonzero((keys == key[:, None]).all(axis=0))
        order = members[np.argsort(np.array(numbers)[members], kind="stable")]
        kept[order[: max(1, round(example_fraction * len(order)))]] = True
    return kept
