"""Which pictures train, and which test?

What must not be torn apart is a unit: all files of one picture, and all pictures of
one group where groups are known. Units go to one side as a whole, and the agreement
levels of one data set are dealt together: no picture trains one level's fold and tests
another's.
"""

from __future__ import annotations

import numpy as np

from pixsent_tf.data.copies.duplicates import connect, find_copies
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import DataError
from pixsent_tf.progress import NO_PROGRESS, Progress

_COARSER = 0.5


def find_units(dataset: Dataset, *, progress: Progress = NO_PROGRESS) -> np.ndarray:
    """Tell which pictures must stay together: copies, and groups where they are known.

    Args:
        dataset: The data set.
        progress: Hears how far the search for copies is.

    Returns:
        One number for all pictures that hang together, by copies, by groups or by a
        chain of both, int32 [N].

    Raises:
        DataError: If no picture can be read.
    """
    whole = dataset.whole or dataset
    units = find_copies(whole.paths, progress=progress).groups
    if whole.groups is not None:
        count = int(units.max()) + 1
        links = np.stack([units, count + whole.groups], axis=1)
        units = connect(count + int(whole.groups.max()) + 1, links)[units]
    return units[_positions(dataset, whole)]


def find_named_units(
    dataset: Dataset, *, progress: Progress = NO_PROGRESS
) -> np.ndarray | None:
    """Tell which pictures must stay together, where somebody said or divided them.

    Published folds without groups are taken as they are, copies on both sides included,
    so that numbers can be compared with others on the same folds. Of splits that a
    source brings, what is a copy of a test picture is left out of the training.

    Args:
        dataset: The data set.
        progress: Hears how far the search for copies is.

    Returns:
        As `find_units`; None where neither groups nor splits are known.

    Raises:
        DataError: If no picture can be read.
    """
    if dataset.groups is None and dataset.splits is None:
        return None
    return find_units(dataset, progress=progress)


def published_or_stratified(
    dataset: Dataset,
    num_folds: int,
    *,
    seed: int = 0,
    progress: Progress = NO_PROGRESS,
) -> np.ndarray:
    """Take the published folds where the data has them, else make stratified ones.

    Args:
        dataset: The data set.
        num_folds: Number of folds to make; the published number stands.
        seed: Of the shuffle.
        progress: Hears how far the search for copies is.

    Returns:
        Test fold of each picture, int32 [N], from 1; 0 = in no published fold. Folds
        that are made here keep units together; published ones may not, so that what
        belongs to a test picture must be left out of the training. Pictures that join
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
        units=find_units(whole, progress=progress),
        strata=_strata(whole),
    )
    return np.where(dataset.only_trains, 0, folds[_positions(dataset, whole)])


def held_out(
    dataset: Dataset,
    fraction: float,
    *,
    seed: int = 0,
    progress: Progress = NO_PROGRESS,
) -> np.ndarray:
    """Hold a stratified part of a data set out, units as a whole.

    Where somebody has divided the pictures, their test part is what is held out.

    Args:
        dataset: The data set; its published folds play no part.
        fraction: Share of the pictures to hold out, above 0 and at most 0.5.
        seed: Of the shuffle.
        progress: Hears how far the search for copies is.

    Returns:
        True where a picture is held out, bool [N].

    Raises:
        DataError: If the share is out of range or a class is too small for it.
    """
    if dataset.divided is not None:
        return dataset.divided & ~dataset.only_trains
    whole = dataset.whole or dataset
    mask = holdout(
        whole.labels,
        fraction,
        seed=seed,
        units=find_units(whole, progress=progress),
        strata=_strata(whole),
    )
    return mask[_positions(dataset, whole)] & ~dataset.only_trains


def stratified_folds(
    labels: np.ndarray,
    num_folds: int,
    *,
    seed: int = 0,
    units: np.ndarray | None = None,
    strata: np.ndarray | None = None,
) -> np.ndarray:
    """Deal pictures into folds that have the same share of each class.

    Args:
        labels: Class indices, int [N].
        num_folds: Number of folds, 2 or more.
        seed: Of the shuffle.
        units: Pictures of one unit stay in one fold, int [N]; None for each its own.
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
    return _deal(labels, shares, num_folds, seed, units, strata) + 1


def holdout(
    labels: np.ndarray,
    fraction: float,
    *,
    seed: int = 0,
    units: np.ndarray | None = None,
    strata: np.ndarray | None = None,
) -> np.ndarray:
    """Hold a stratified part out.

    Args:
        labels: Class indices, int [N].
        fraction: Share of the pictures to hold out, above 0 and at most 0.5.
        seed: Of the shuffle.
        units: Pictures of one unit stay together, int [N]; None for each its own.
        strata: A finer division to balance as well, int [N].

    Returns:
        True where a picture is held out, bool [N].

    Raises:
        DataError: If the share is out of range or a class is too small for it.
    """
    if not 0 < fraction <= 0.5:
        raise DataError(f"The held-out share {fraction} must be above 0, at most 0.5.")
    shares = np.array([fraction, 1 - fraction])
    return _deal(labels, shares, round(1 / fraction), seed, units, strata) == 0


def _deal(
    labels: np.ndarray,
    shares: np.ndarray,
    fewest: int,
    seed: int,
    units: np.ndarray | None,
    strata: np.ndarray | None,
) -> np.ndarray:
    """Deal units to parts of the given shares, int32 [N], from 0.

    Each unit goes where its kinds of picture are missed most, large units first.
    """
    units = np.arange(len(labels)) if units is None else units
    _require(labels, units, fewest)
    _, units = np.unique(units, return_inverse=True)
    kinds = [labels, np.zeros_like(labels)]  # the class, and the total
    if strata is not None:
        both = np.stack([labels, strata])
        kinds.insert(0, np.unique(both, axis=1, return_inverse=True)[1])
    counts = [_count(units, kind) for kind in kinds]  # each [U, kinds]
    missing = [shares[:, None] * count.sum(axis=0) for count in counts]
    sizes = counts[-1][:, 0]
    order = np.random.default_rng(seed).permutation(len(sizes))
    parts = np.zeros(len(sizes), dtype="int32")
    for unit in order[np.argsort(-sizes[order], kind="stable")]:
        rows = [count[unit] for count in counts]
        wishes = [lack @ row for lack, row in zip(missing, rows, strict=True)]
        # The finest division weighs most; the others settle where rounding leaves room.
        wish = wishes[0] + _COARSER * sum(wishes[1:])
        parts[unit] = part = int(np.argmax(wish.round(6)))
        for lack, row in zip(missing, rows, strict=True):
            lack[part] -= row
    _refuse_lopsided(labels, parts[units])
    return parts[units]


def _count(units: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    counts = np.zeros((units.max() + 1, kinds.max() + 1))
    np.add.at(counts, (units, kinds), 1)
    return counts


def _require(labels: np.ndarray, units: np.ndarray, fewest: int) -> None:
    """Refuse classes that cannot be in every part."""
    for label, num_pictures in enumerate(np.bincount(labels)):
        num_units = len(np.unique(units[labels == label]))
        if 0 < num_units < fewest:
            more = num_pictures - num_units
            others = f" ({more} more are copies, or of the same groups)" if more else ""
            raise DataError(
                f"{fewest} parts need {fewest} different pictures of each class; class "
                f"{label} has {num_units}{others}."
            )


def _refuse_lopsided(labels: np.ndarray, parts: np.ndarray) -> None:
    """Refuse parts of which one holds all of a class, so that nothing else has it."""
    for label in np.unique(labels):
        if len(np.unique(parts[labels == label])) < 2:
            raise DataError(
                f"Copies and groups tie the pictures of class {label} together, so "
                f"that no split leaves some on both sides; use smaller groups."
            )


def _strata(dataset: Dataset) -> np.ndarray | None:
    """Source of each picture, and how many tenths of its votes agree, int [N]."""
    if dataset.votes is None and dataset.sources is None:
        return None
    strata = np.zeros(len(dataset), dtype=int)
    if dataset.votes is not None:
        shares = dataset.votes.max(axis=1) / dataset.votes.sum(axis=1)
        strata += np.rint(10 * shares).astype(int)
    if dataset.sources is not None:
        strata += 100 * dataset.sources
    return strata


def _positions(dataset: Dataset, whole: Dataset) -> np.ndarray:
    position = {name: i for i, name in enumerate(whole.ids)}
    return np.array([position[name] for name in dataset.ids])
