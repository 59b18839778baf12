"""Which pictures train, and which test?"""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from pixsent_tf.data.dataset import Dataset
from pixsent_tf.errors import DataError


def stratified_folds(
    labels: np.ndarray,
    num_folds: int,
    *,
    seed: int = 0,
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """Deal pictures into folds that have the same share of each class.

    Args:
        labels: Class indices, int [N].
        num_folds: Number of folds, 2 or more.
        seed: Of the shuffle.
        groups: Pictures of one group stay in one fold, int [N]; duplicates, say.

    Returns:
        Test fold of each picture, int32 [N], from 1.

    Raises:
        DataError: If a class has fewer pictures than there are folds.
    """
    fewest = int(np.bincount(labels).min())
    if fewest < num_folds:
        raise DataError(
            f"{num_folds} folds need {num_folds} pictures of each class; one class has "
            f"{fewest}."
        )
    if groups is None:
        splitter = StratifiedKFold(num_folds, shuffle=True, random_state=seed)
    else:
        splitter = StratifiedGroupKFold(num_folds, shuffle=True, random_state=seed)
    folds = np.zeros(len(labels), dtype="int32")
    parts = splitter.split(np.zeros(len(labels)), labels, groups)
    for fold, (_, test) in enumerate(parts, start=1):
        folds[test] = fold
    return folds


def published_or_stratified(
    dataset: Dataset, num_folds: int, *, seed: int = 0
) -> np.ndarray:
    """Take the published folds where the data has them, else make stratified ones.

    Args:
        dataset: The data set.
        num_folds: Number of folds to make; the published number stands.
        seed: Of the shuffle.

    Returns:
        Test fold of each picture, int32 [N], from 1; 0 = in no published fold.

    Raises:
        DataError: If a class has fewer pictures than there are folds to make.
    """
    if dataset.folds is not None:
        return dataset.folds
    return stratified_folds(dataset.labels, num_folds, seed=seed)


def holdout(
    labels: np.ndarray,
    fraction: float,
    *,
    seed: int = 0,
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """Hold a stratified part out.

    Args:
        labels: Class indices, int [N].
        fraction: Share of the pictures to hold out, above 0 and at most 0.5.
        seed: Of the shuffle.
        groups: Pictures of one group stay together, int [N].

    Returns:
        True where a picture is held out, bool [N].

    Raises:
        DataError: If the share is out of range or a class is too small for it.
    """
    if not 0 < fraction <= 0.5:
        raise DataError(f"The held-out share {fraction} must be above 0, at most 0.5.")
    num_folds = max(2, round(1 / fraction))
    return stratified_folds(labels, num_folds, seed=seed, groups=groups) == 1
