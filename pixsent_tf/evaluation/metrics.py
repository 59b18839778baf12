"""How good are these predictions?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import (
    confusion_matrix,
    precision_recall_fscore_support,
    roc_auc_score,
)

from pixsent_tf.evaluation import reliability
from pixsent_tf.evaluation.intervals import (
    auc_interval,
    bootstrap_means,
    grouped_auc_interval,
    percentile_interval,
    wilson_interval,
)
from pixsent_tf.results.studies import ClassMetrics, Metrics

SMALLEST_PROB = 1e-7  # of float32; one sure mistake must not make the mean infinite


def summarize(
    *,
    labels: np.ndarray,
    probs: np.ndarray,
    folds: np.ndarray | None = None,
    class_names: Sequence[str] | None = None,
    groups: np.ndarray | None = None,
) -> Metrics:
    """Compute the numbers that every verb reports.

    Args:
        labels: Class indices, int [N].
        probs: Probabilities, float [N, K].
        folds: Test fold of each picture, int [N]; None for a single held-out part.
        class_names: Names by class index; the indices as text if None.
        groups: Group of each picture, int [N], where groups are known: intervals are
            then bootstrapped over groups, whose pictures err together.

    Returns:
        The numbers.
    """
    names = class_names or [str(k) for k in range(probs.shape[1])]
    answers = probs.argmax(axis=1)
    correct = answers == labels
    fold_ids = np.zeros(len(labels), int) if folds is None else folds
    means, intervals = _means(labels, probs, groups)
    of_accuracy = list(wilson_interval(int(correct.sum()), len(labels)))
    predicted, happened = reliability.events(labels=labels, probs=probs)
    return {
        "accuracy": float(correct.mean()),
        "accuracy_interval": of_accuracy if groups is None else intervals["accuracy"],
        "interval_unit": "picture" if groups is None else "group",
        "majority_rate": float(np.bincount(labels).max() / len(labels)),
        "balanced_accuracy": means["balanced_accuracy"],
        "auc": auc(labels=labels, probs=probs),
        "auc_interval": _auc_interval(labels, probs, groups),
        "log_loss": means["log_loss"],
        "brier": means["brier"],
        "ece": reliability.reliability(predicted, happened).error,
        "ece_null_band": list(reliability.null_band(predicted)),
        "bootstrap_intervals": intervals,
        "per_class": _per_class(labels, answers, names),
        "confusion": confusion_matrix(
            labels, answers, labels=range(len(names))
        ).tolist(),
        "num_examples": len(labels),
        "per_fold": [
            float(correct[fold_ids == fold].mean()) for fold in np.unique(fold_ids)
        ],
    }


def auc(*, labels: np.ndarray, probs: np.ndarray) -> float | None:
    """Measure how well probabilities rank.

    Args:
        labels: Class indices, int [N].
        probs: Probabilities, float [N, K].

    Returns:
        Area under the ROC curve, 0…1; with more than two classes the mean over classes
        of one against the rest. None where only one class occurs.
    """
    present = np.unique(labels)
    if len(present) < 2:
        return None
    if probs.shape[1] == 2:
        return float(roc_auc_score(labels, probs[:, 1]))
    return float(np.mean([roc_auc_score(labels == k, probs[:, k]) for k in present]))


def log_losses(*, labels: np.ndarray, probs: np.ndarray) -> np.ndarray:
    """Charge each picture for the probability that the truth was given.

    Args:
        labels: Class indices, int [N].
        probs: Probabilities, float [N, K].

    Returns:
        Minus the natural logarithm of that probability, float64 [N].
    """
    given = probs[np.arange(len(labels)), labels].astype("float64")
    return -np.log(np.clip(given, SMALLEST_PROB, None))


def brier_scores(*, labels: np.ndarray, probs: np.ndarray) -> np.ndarray:
    """Charge each picture for the squared distance of its probabilities to the truth.

    Args:
        labels: Class indices, int [N].
        probs: Probabilities, float [N, K].

    Returns:
        float64 [N]: with two classes the squared error of one probability, 0…1; with
        more the sum over classes, 0…2.
    """
    truth = np.eye(probs.shape[1])[labels]
    total = ((probs - truth) ** 2).sum(axis=1)
    return total / 2 if probs.shape[1] == 2 else total


def _means(
    labels: np.ndarray, probs: np.ndarray, groups: np.ndarray | None
) -> tuple[dict[str, float], dict[str, list[float]]]:
    """The metrics that are means, or ratios of means, and their intervals."""
    correct = probs.argmax(axis=1) == labels
    member = labels[:, None] == np.unique(labels)  # [N, classes that occur]
    columns = np.column_stack(
        [
            correct,
            log_losses(labels=labels, probs=probs),
            brier_scores(labels=labels, probs=probs),
            member & correct[:, None],
            member,
        ]
    )

    def table(means: np.ndarray) -> dict[str, np.ndarray]:
        right, of_class = np.split(means[:, 3:], 2, axis=1)
        with np.errstate(invalid="ignore"):  # a sample without some class
            recalls = right / of_class
        return {
            "accuracy": means[:, 0],
            "balanced_accuracy": recalls.mean(axis=1),
            "log_loss": means[:, 1],
            "brier": means[:, 2],
        }

    point = table(columns.mean(axis=0, keepdims=True))
    samples = table(bootstrap_means(columns, groups=groups))
    return (
        {name: float(value[0]) for name, value in point.items()},
        {name: list(percentile_interval(value)) for name, value in samples.items()},
    )


def _auc_interval(
    labels: np.ndarray, probs: np.ndarray, groups: np.ndarray | None
) -> list[float] | None:
    counts = np.bincount(labels, minlength=2)
    if probs.shape[1] != 2 or counts.min() < 2:
        return None
    scores = probs[:, 1]
    if groups is not None:
        bounds = grouped_auc_interval(labels=labels, scores=scores, groups=groups)
        return list(bounds)
    return list(auc_interval(labels=labels, scores=scores))


def _per_class(
    labels: np.ndarray, answers: np.ndarray, names: Sequence[str]
) -> list[ClassMetrics]:
    columns = precision_recall_fscore_support(
        labels, answers, labels=range(len(names)), zero_division=0
    )
    return [
        {
            "name": name,
            "precision": float(precision),
            "recall": float(recall),
            "f1": float(f1),
            "num_examples": int(count),
        }
        for name, precision, recall, f1, count in zip(names, *columns, strict=True)
    ]
