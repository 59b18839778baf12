"""Which pictures train, and which test?

All files of one picture go to the same side, and the agreement levels of one data set
are dealt together: no picture trains one level's fold and tests another's.
"""

from __future__ import annotations

import numpy as np

from pixsent_tf.data.copies.duplicates import find_copies
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import DataError

_COARSER = 0.5


def published_or_stratified(
    dataset: Dataset, num_folds: int, *, seed: int = 0
) -> np.ndarray:
    """Take the published folds where the data has them, else make stratified ones.

    Args:
        dataset: The data set.
        num_folds: Number of folds to make; the published number stands.
        seed: Of the shuffle.

    Returns:
        Test fold of each picture, int32 [N], from 1; 0 = in no published fold. Folds
        that are made here keep the copies of a picture together. Pictures that join
        the training are in none.

    Raises:
        DataError: If a class has fewer different pictures than there are folds to make.
    """
    if dataset.folds is not None:
        if dataset.joined is None:
            return dataset.folds
        return np.where(dataset.only_trains, 0, dataset.folds)
    whole = dataset.whole or dataset
    folds = stratified_folds(
        whole.labels,
        num_folds,
        seed=seed,
        groups=find_copies(whole.paths).groups,
        strata=_agreement(whole),
    )
    return np.where(dataset.only_trains, 0, folds[_positions(dataset, whole)])


def held_out(dataset: Dataset, fraction: float, *, seed: int = 0) -> np.ndarray:
    """Hold a stratified part of a data set out, copies of a picture together.

    Args:
        dataset: The data set; its published folds play no part.
        fraction: Share of the pictures to hold out, above 0 and at most 0.5.
        seed: Of the shuffle.

    Returns:
        True where a picture is held out, bool [N].

    Raises:
        DataError: If the share is out of range or a class is too small for it.
    """
    whole = dataset.whole or dataset
    mask = holdout(
        whole.labels,
        fraction,
        seed=seed,
        groups=find_copies(whole.paths).groups,
        strata=_agreement(whole),
    )
    return mask[_positions(dataset, whole)] & ~dataset.only_trains


def stratified_folds(
    labels: np.ndarray,
    num_folds: int,
    *,
    seed: int = 0,
    groups: np.ndarray | None = None,
    strata: np.ndarray | None = None,
) -> np.ndarray:
    """Deal pictures into folds that have the same share of each class.

    Args:
        labels: Class indices, int [N].
        num_folds: Number of folds, 2 or more.
        seed: Of the shuffle.
        groups: Pictures of one group stay in one fold, int [N]; duplicates, say.
        strata: A finer division to balance as well, int [N]; agreement, say.

    Returns:
        Test fold of each picture, int32 [N], from 1.

    Raises:
        DataError: If a class has fewer different pictures than there are folds.
    """
    if num_folds < 2:
        raise DataError(
            f"{num_folds} folds leave nothing to train on; ask for 2 or more."
        )
    shares = np.full(num_folds, 1 / num_folds)
    return _deal(labels, shares, num_folds, seed, groups, strata) + 1


def holdout(
    labels: np.ndarray,
    fraction: float,
    *,
    seed: int = 0,
    groups: np.ndarray | None = None,
    strata: np.ndarray | None = None,
) -> np.ndarray:
    """Hold a stratified part out.

    Args:
        labels: Class indices, int [N].
        fraction: Share of the pictures to hold out, above 0 and at most 0.5.
        seed: Of the shuffle.
        groups: Pictures of one group stay together, int [N].
        strata: A finer division to balance as well, int [N].

    Returns:
        True where a picture is held out, bool [N].

    Raises:
        DataError: If the share is out of range or a class is too small for it.
    """
    if not 0 < fraction <= 0.5:
        raise DataError(f"The held-out share {fraction} must be above 0, at most 0.5.")
    shares = np.array([fraction, 1 - fraction])
    return _deal(labels, shares, round(1 / fraction), seed, groups, strata) == 0


def _deal(
    labels: np.ndarray,
    shares: np.ndarray,
    fewest: int,
    seed: int,
    groups: np.ndarray | None,
    strata: np.ndarray | None,
) -> np.ndarray:
    """Deal groups to parts of the given shares, int32 [N], from 0.

    Each group goes where its kinds of picture are missed most, large groups first.
    """
    groups = np.arange(len(labels)) if groups is None else groups
    _require(labels, groups, fewest)
    _, groups = np.unique(groups, return_inverse=True)
    kinds = [labels, np.zeros_like(labels)]  # the class, and the total
    if strata is not None:
        both = np.stack([labels, strata])
        kinds.insert(0, np.unique(both, axis=1, return_inverse=True)[1])
    counts = [_count(groups, kind) for kind in kinds]  # each [G, kinds]
    missing = [shares[:, None] * count.sum(axis=0) for count in counts]
    sizes = counts[-1][:, 0]
    order = np.random.default_rng(seed).permutation(len(sizes))
    parts = np.zeros(len(sizes), dtype="int32")
    for group in order[np.argsort(-sizes[order], kind="stable")]:
        rows = [count[group] for count in counts]
        wishes = [lack @ row for lack, row in zip(missing, rows, strict=True)]
        # The finest division weighs most; the others settle where rounding leaves room.
        wish = wishes[0] + _COARSER * sum(wishes[1:])
        parts[group] = part = int(np.argmax(wish.round(6)))
        for lack, row in zip(missing, rows, strict=True):
            lack[part] -= row
    return parts[groups]


def _count(groups: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    counts = np.zeros((groups.max() + 1, kinds.max() + 1))
    np.add.at(counts, (groups, kinds), 1)
    return counts


def _require(labels: np.ndarray, groups: np.ndarray, fewest: int) -> None:
    """Refuse classes that cannot be in every part."""
    for label, num_files in enumerate(np.bincount(labels)):
        num_pictures = len(np.unique(groups[labels == label]))
        if 0 < num_pictures < fewest:
            copies = num_files - num_pictures
            raise DataError(
                f"{fewest} parts need {fewest} different pictures of each class; class "
                f"{label} has {num_pictures}"
                + (f" ({copies} more files are copies of these)." if copies else ".")
            )


def _agreement(dataset: Dataset) -> np.ndarray | None:
    """How many annotators agree on each picture, int [N]."""
    return None if dataset.votes is None else dataset.votes.max(axis=1)


def _positions(dataset: Dataset, whole: Dataset) -> np.ndarray:
    position = {name: i for i, name in enumerate(whole.ids)}
    return np.array([position[name] for name in dataset.ids])
