"""How good are these predictions?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import norm
from sklearn.metrics import balanced_accuracy_score, roc_auc_score


def wilson_interval(
    successes: int, trials: int, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Bound a share by the score interval.

    Args:
        successes: Number of successes.
        trials: Number of trials, 1 or more.
        confidence: Coverage, 0…1.

    Returns:
        The lower and the upper bound, 0…1.

    Raises:
        ValueError: If there are no trials, or more successes than trials.

    Reference:
        Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
        JASA 22 (1927).
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"{successes} successes in {trials} trials are impossible.")
    z = float(norm.ppf(0.5 + confidence / 2))
    share = successes / trials
    center = share + z**2 / (2 * trials)
    margin = z * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    scale = 1 + z**2 / trials
    return max(0.0, (center - margin) / scale), min(1.0, (center + margin) / scale)


def summarize(
    *, labels: np.ndarray, probs: np.ndarray, folds: np.ndarray | None = None
) -> dict[str, Any]:
    """Compute the numbers that every verb reports.

    Args:
        labels: Class indices, int [N]; at least two classes occur.
        probs: Probabilities, float [N, K].
        folds: Test fold of each picture, int [N]; None for a single held-out part.

    Returns:
        `accuracy`, `accuracy_interval`, `majority_rate`, `balanced_accuracy`, `auc`
        (one against the rest, averaged over classes, where there are more than two),
        `num_examples` and `per_fold`, the accuracy of each fold in order.
    """
    correct = probs.argmax(axis=1) == labels
    num_correct = int(correct.sum())
    fold_ids = np.zeros(len(labels), int) if folds is None else folds
    return {
        "accuracy": float(correct.mean()),
        "accuracy_interval": list(wilson_interval(num_correct, len(labels))),
        "majority_rate": float(np.bincount(labels).max() / len(labels)),
        "balanced_accuracy": float(
            balanced_accuracy_score(labels, probs.argmax(axis=1))
        ),
        "auc": auc(labels=labels, probs=probs),
        "num_examples": len(labels),
        "per_fold": [
            float(correct[fold_ids == fold].mean()) for fold in np.unique(fold_ids)
        ],
    }


def auc(*, labels: np.ndarray, probs: np.ndarray) -> float:
    """Measure how well probabilities rank.

    Args:
        labels: Class indices, int [N].
        probs: Probabilities, float [N, K].

    Returns:
        Area under the ROC curve, 0…1; with more than two classes the mean over classes
        of one against the rest.
    """
    if probs.shape[1] == 2:
        return float(roc_auc_score(labels, probs[:, 1]))
    present = np.unique(labels)
    return float(np.mean([roc_auc_score(labels == k, probs[:, k]) for k in present]))


def describe(results: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Put results into words.

    Args:
        results: What `summarize` returned.

    Returns:
        Pairs of a name and its value, in the order of reading.
    """
    low, high = results["accuracy_interval"]
    rows = [
        (
            "accuracy",
            f"{results['accuracy']:.3f}  (95 % interval {low:.3f} to {high:.3f})",
        ),
        ("majority rate", f"{results['majority_rate']:.3f}"),
        ("balanced accuracy", f"{results['balanced_accuracy']:.3f}"),
        ("AUC", f"{results['auc']:.3f}"),
        ("pictures", f"{results['num_examples']}"),
    ]
    if len(results["per_fold"]) > 1:
        folds = results["per_fold"]
        spread = f"{np.mean(folds):.3f} ± {np.std(folds, ddof=1):.3f}"
        rows.insert(1, ("mean over folds", spread))
        rows.append(("each fold", "  ".join(f"{fold:.3f}" for fold in folds)))
    return rows
