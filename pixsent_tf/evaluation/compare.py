"""Is one model better than another, or were the pictures kind to it?

Both answer the same pictures, so every test here is paired.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy.stats import binomtest, norm

from pixsent_tf.evaluation.intervals import bootstrap_interval, delong
from pixsent_tf.results.answers import AnswersCompared, AucsCompared, Pair

NO_AUCS: AucsCompared = {
    "aucs": None,
    "auc_difference": None,
    "auc_difference_interval": None,
    "delong_p": None,
}


def compare(
    *,
    names: Sequence[str],
    labels: np.ndarray,
    probs: np.ndarray,
    has_probs: Sequence[bool],
) -> list[Pair]:
    """Compare every two models.

    Args:
        names: Of the models, [M].
        labels: Class indices, int [N].
        probs: What each model says of the same pictures, float [M, N, K].
        has_probs: Whether that are probabilities, not just answers, [M].

    Returns:
        One entry for each pair. p-values are also corrected by Holm for the number of
        pairs; areas are compared where both gave probabilities of two classes.
    """
    correct = probs.argmax(axis=2) == labels  # [M, N]
    can_rank = probs.shape[2] == 2 and np.bincount(labels, minlength=2).min() > 1
    pairs: list[Pair] = []
    for a, b in combinations(range(len(names)), 2):
        answers, aucs = compare_answers(correct[a], correct[b]), NO_AUCS
        if can_rank and has_probs[a] and has_probs[b]:
            aucs = compare_aucs(labels=labels, scores=probs[[a, b], :, 1])
        pairs.append(
            {
                "first": names[a],
                "second": names[b],
                **answers,
                **aucs,
                "mcnemar_p_holm": answers["mcnemar_p"],
                "delong_p_holm": aucs["delong_p"],
            }
        )
    corrected = holm([pair["mcnemar_p"] for pair in pairs])
    for pair, value in zip(pairs, corrected, strict=True):
        pair["mcnemar_p_holm"] = value
    ranked = [(pair, p) for pair in pairs if (p := pair["delong_p"]) is not None]
    corrected = holm([p for _, p in ranked])
    for (pair, _), value in zip(ranked, corrected, strict=True):
        pair["delong_p_holm"] = value
    return pairs


def compare_answers(
    first: np.ndarray, second: np.ndarray, *, groups: np.ndarray | None = None
) -> AnswersCompared:
    """Compare how often two models are right on the same pictures.

    Args:
        first: Whether each answer of the first is right, bool [N].
        second: The same of the second.
        groups: Pictures that share a number are drawn together, int [N]; None draws
            each on its own.

    Returns:
        The difference with its interval by a paired bootstrap, and McNemar's test.
    """
    difference = first.astype(float) - second
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    return {
        "num_examples": len(first),
        "accuracies": [float(first.mean()), float(second.mean())],
        "accuracy_difference": float(difference.mean()),
        "accuracy_difference_interval": list(
            bootstrap_interval(difference, groups=groups)
        ),
        "only_first_right": only_first,
        "only_second_right": only_second,
        "mcnemar_p": mcnemar(only_first, only_second),
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


def compare_aucs(*, labels: np.ndarray, scores: np.ndarray) -> AucsCompared:
    """Compare two areas under ROC curves on the same pictures, by DeLong's test.

    Args:
        labels: 1 for positive, 0 for negative, int [N]; both occur, twice or more.
        scores: One row per model, float [2, N].

    Returns:
        The areas, and their difference with its interval and test.
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
