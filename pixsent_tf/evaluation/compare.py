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
from pixsent_tf.inference.pairing import Aligned


def compare(aligned: Aligned) -> list[dict[str, Any]]:
    """Compare every two models.

    Args:
        aligned: Their answers.

    Returns:
        One entry for each pair: `first` and `second`, `accuracies`,
        `accuracy_difference` (first less second) with its `_interval` by a paired
        bootstrap, `only_first_right` and `only_second_right`, McNemar's exact
        `mcnemar_p` and, corrected by Holm for the number of pairs, `mcnemar_p_holm`.
        Where both gave probabilities of two classes also `aucs`, `auc_difference`,
        its `_interval`, `delong_p` and `delong_p_holm`; None elsewhere.
    """
    pairs = [
        _compare_two(aligned, a, b)
        for a, b in combinations(range(len(aligned.names)), 2)
    ]
    for test in ("mcnemar_p", "delong_p"):
        tested = [pair for pair in pairs if pair[test] is not None]
        corrected = holm([pair[test] for pair in tested])
        for pair in pairs:
            pair[f"{test}_holm"] = None
        for pair, value in zip(tested, corrected, strict=True):
            pair[f"{test}_holm"] = value
    return pairs


def _compare_two(aligned: Aligned, a: int, b: int) -> dict[str, Any]:
    first, second = aligned.correct[a], aligned.correct[b]
    difference = first.astype(float) - second
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    pair: dict[str, Any] = {
        "first": aligned.names[a],
        "second": aligned.names[b],
        "num_examples": len(aligned.ids),
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
    ranks = aligned.has_probs[a] and aligned.has_probs[b]
    counts = np.bincount(aligned.labels, minlength=2)
    if ranks and len(aligned.class_names) == 2 and counts.min() > 1:
        pair |= compare_aucs(labels=aligned.labels, scores=aligned.probs[[a, b], :, 1])
    return pair


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


def describe(
    aligned: Aligned, pairs: Sequence[dict[str, Any]]
) -> list[tuple[str, str]]:
    """Put a comparison into words.

    Args:
        aligned: The answers.
        pairs: What `compare` found.

    Returns:
        Pairs of a name and its value.
    """
    rows = [("pictures", str(len(aligned.ids)))]
    several = len(pairs) > 1
    for pair in pairs:
        low, high = pair["accuracy_difference_interval"]
        first, second = pair["accuracies"]
        rows += [
            (f"{pair['first']} – {pair['second']}", ""),
            (
                "  accuracy",
                f"{first:.3f} – {second:.3f} = {pair['accuracy_difference']:+.3f}  "
                f"(95 % interval {low:+.3f} to {high:+.3f})",
            ),
            (
                "  only one is right",
                f"{pair['only_first_right']} : {pair['only_second_right']}",
            ),
            ("  McNemar", _p(pair, "mcnemar_p", several)),
        ]
        if pair["aucs"] is not None:
            low, high = pair["auc_difference_interval"]
            first, second = pair["aucs"]
            rows += [
                (
                    "  AUC",
                    f"{first:.3f} – {second:.3f} = {pair['auc_difference']:+.3f}  "
                    f"(95 % interval {low:+.3f} to {high:+.3f})",
                ),
                ("  DeLong", _p(pair, "delong_p", several)),
            ]
    return rows


def _p(pair: dict[str, Any], test: str, several: bool) -> str:
    text = f"p = {pair[test]:.4f}" if pair[test] >= 1e-4 else f"p = {pair[test]:.1e}"
    if not several:
        return text
    return f"{text}, by Holm {pair[f'{test}_holm']:.4f}"
