"""How sure may a fine-tuned network be? What networks of its inner folds say.

Early stopping has a part of its own within what trains each of them, so that no
picture is predicted that had a say in the weights.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pixsent_tf.data.lists.rated import ranges
from pixsent_tf.data.splits import stratified_folds
from pixsent_tf.errors import DataError
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.training.logistic import (
    NUM_INNER_FOLDS,
    InnerPredictions,
    deal_inner_folds,
)

NUM_JUDGING = 5  # parts of a single inner fold
SEED = 0  # of the dealing: the members of an ensemble predict the same folds

Predict = Callable[[np.ndarray, np.ndarray], np.ndarray]


def predict_inner_folds(
    predict: Predict,
    targets: np.ndarray,
    *,
    units: np.ndarray | None = None,
    count: int,
    progress: Progress = NO_PROGRESS,
) -> InnerPredictions | None:
    """Predict some inner folds, each by a training on all others.

    Args:
        predict: Trains on the examples of some ranks, and gives the probabilities of
            others, [n, K].
        targets: Target probabilities times weights of the training pictures, [M, K].
        units: Pictures that belong together share a number, int [M]; they share a fold.
        count: How many of five folds to predict.
        progress: Hears of each fold.

    Returns:
        What was said; None where no fold is asked for, or a class has a single picture.
    """
    try:
        dealt = deal_inner_folds(targets, units, SEED) if count else None
    except DataError:
        dealt = None
    if dealt is None:
        return None
    log_probs, folds = np.zeros(targets.shape), np.zeros(len(targets), dtype=int)
    numbers = range(1, min(count, int(dealt.max())) + 1)
    with progress.step(len(numbers), "calibrating"):
        for number in numbers:
            is_out = dealt == number
            probs = predict(np.flatnonzero(~is_out), np.flatnonzero(is_out))
            log_probs[is_out] = np.log(probs + np.finfo("float32").tiny)
            folds[is_out] = number
            progress.advance(1)
    if len(numbers) == 1:  # a temperature is judged on what did not choose it
        folds[folds > 0] = np.arange(np.count_nonzero(folds)) % NUM_JUDGING + 1
    return InnerPredictions(log_probs, folds)


def rate_inner_folds(
    predict: Predict,
    values: np.ndarray,
    *,
    units: np.ndarray | None = None,
    count: int,
    progress: Progress = NO_PROGRESS,
) -> np.ndarray:
    """Rate the pictures of some inner folds, each by a training on all others.

    Args:
        predict: Trains on the pictures of some ranks, and rates others, [n, T].
        values: What raters said of the training pictures, float [M, T].
        units: As in `predict_inner_folds`.
        count: How many of five folds to predict, one or more.
        progress: Hears of each fold.

    Returns:
        What was said, float64 [M, T]; NaN of the pictures of other folds.

    Raises:
        DataError: If units tie the pictures together.
    """
    labels, _ = ranges(values[:, 0])
    dealt = stratified_folds(labels, NUM_INNER_FOLDS, seed=SEED, units=units)
    said = np.full(values.shape, np.nan)
    with progress.step(count, "calibrating"):
        for number in range(1, min(count, int(dealt.max())) + 1):
            is_out = dealt == number
            said[is_out] = predict(np.flatnonzero(~is_out), np.flatnonzero(is_out))
            progress.advance(1)
    return said
