"""Is one model better than another, or were the pictures kind to it?

Both answer the same pictures, so every test here is paired.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import binomtest, norm

from pixsent_tf.evaluation.intervals import bootstrap_interval, delong


def compare(
    *,
    names: Sequence[str],
    labels: np.ndarray,
    probs: np.ndarray,
    has_probs: Sequence[bool],
) -> list[dict[str, Any]]:
    """Compare every two models.

    Args:
        names: Of the models, [M].
        labels: Class indices, int [N].
        probs: What each model says of the same pictures, float [M, N, K].
        has_probs: Whether that are probabilities, not just answers, [M].

    Returns:
        One entry for each pair: `first` and `second`, `num_examples`, `accuracies`,
        `accuracy_difference` (first less second) with its `_interval` by a paired
        bootstrap, `only_first_right` and `only_second_right`, McNemar's exact
        `mcnemar_p` and, corrected by Holm for the number of pairs, `mcnemar_p_holm`.
        Where both gave probabilities of two classes also `aucs`, `auc_difference`,
        its `_interval`, `delong_p` and `delong_p_holm`; None elsewhere.
    """
    correct = probs.argmax(axis=2) == labels  # [M, N]
    can_rank = probs.shape[2] == 2 and np.bincount(labels, minlength=2).min() > 1
    pairs = []
    for a, b in combinations(range(len(names)), 2):
        pair: dict[str, Any] = {"first": names[a], "second": names[b]}
        pair |= _compare_answers(correct[a], correct[b])
        if can_rank and has_probs[a] and has_probs[b]:
            pair |= compare_aucs(labels=labels, scores=probs[[a, b], :, 1])
        pairs.append(pair)
    for test in ("mcnemar_p", "delong_p"):
        tested = [pair for pair in pairs if pair[test] is not None]
        corrected = holm([pair[test] for pair in tested])
        for pair in pairs:
            pair[f"{test}_holm"] = None
        for pair, value in zip(tested, corrected, strict=True):
            pair[f"{test}_holm"] = value
    return pairs


def _compare_answers(first: np.ndarray, second: np.ndarray) -> dict[str, Any]:
    """Compare by which answers are right, bool [N] each."""
    difference = first.astype(float) - second
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    return {
        "num_examples": len(first),
        "accuracies": [float(first.mean()), float(second.mean())],
        "accuracy_difference": float(difference.mean()),
        "accuracy_difference_interval": list(bootstrap_interval(difference)),
        "only_first_right": only_first,
        "only_second_right": only_second,
        "mcnemar_p": mcnemar(only_first, only_second),
        "aucs": None,
        "auc_difference": None,
        "auc_difference_interval": None,
        "delong_p": None,
    }


def mcnemar(only_first: int, only_second: int) -> float:
    """Test whether two models are right equally often, exactly.

    Args:
        only_first: Pictures that only the first gets right.
        only_second: Pictures that only the second gets right.

    Returns:
        The two-sided p-value; 1 where they never differ.

    Reference:
        McNemar, "Note on the sampling error of the difference between correlated
        proportions or percentages", Psychometrika 12 (1947); exact binomial form.
    """
    differing = only_first + only_second
    if differing == 0:
        return 1.0
    return float(binomtest(only_first, differing, 0.5).pvalue)


def compare_aucs(*, labels: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    """Compare two areas under ROC curves on the same pictures, by DeLong's test.

    Args:
        labels: 1 for positive, 0 for negative, int [N]; both occur, twice or more.
        scores: One row per model, float [2, N].

    Returns:
        `aucs`, `auc_difference`, `auc_difference_interval` and `delong_p`.
    """
    areas, covariance = delong(labels=labels, scores=scores)
    difference = float(areas[0] - areas[1])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    error = math.sqrt(max(variance, 0.0))
    if error < 1e-12:
        p = 1.0 if abs(difference) < 1e-12 else 0.0
    else:
        p = float(2 * norm.sf(abs(difference) / error))
    margin = float(norm.ppf(0.975)) * error
    return {
        "aucs": [float(area) for area in areas],
        "auc_difference": difference,
        "auc_difference_interval": [difference - margin, difference + margin],
        "delong_p": p,
    }


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for being several.

    Args:
        p_values: One per test.

    Returns:
        Corrected values in the same order, at most 1.

    Reference:
        Holm, "A simple sequentially rejective multiple test procedure", Scandinavian
        Journal of Statistics 6 (1979).
    """
    order = np.argsort(p_values, kind="stable")
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, i in enumerate(order):
        highest = max(highest, (len(p_values) - rank) * p_values[i])
        corrected[i] = min(1.0, highest)
    return corrected
