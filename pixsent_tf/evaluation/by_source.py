"""How good are the answers on pictures of each source?

A pooled number hides what changes from one source to the next: answers may be right on
tweets and wrong on paintings, and the share of each in the pool is an accident.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pixsent_tf.evaluation import calibration, metrics
from pixsent_tf.results.studies import Answering, SourceMetrics

PRECISION = 0.95  # that the threshold for `unsure` is chosen for


def summarize_sources(
    *,
    labels: np.ndarray,
    probs: np.ndarray,
    folds: np.ndarray,
    sources: np.ndarray,
    source_names: Sequence[str],
    class_names: Sequence[str],
    groups: np.ndarray | None = None,
) -> list[SourceMetrics]:
    """Compute the numbers of each source.

    Args:
        labels: Class indices, int [N].
        probs: Probabilities, float [N, K].
        folds: Test fold of each picture, int [N].
        sources: Number of each picture's source, int [N].
        source_names: Names by that number.
        class_names: Names by class index, [K].
        groups: Group of each picture, int [N], where groups are known.

    Returns:
        The sources that occur, in the order of their numbers.
    """
    found: list[SourceMetrics] = []
    for number in np.unique(sources):
        own = sources == number
        numbers = metrics.summarize(
            labels=labels[own],
            probs=probs[own],
            class_names=class_names,
            groups=None if groups is None else groups[own],
        )
        found.append(
            {
                "source": source_names[number],
                "num_examples": numbers["num_examples"],
                "accuracy": numbers["accuracy"],
                "accuracy_interval": numbers["accuracy_interval"],
                "majority_rate": numbers["majority_rate"],
                "balanced_accuracy": numbers["balanced_accuracy"],
                "recalls": {
                    row["name"]: row["recall"]
                    for row in numbers["per_class"]
                    if row["num_examples"]
                },
                "auc": numbers["auc"],
                "ece": numbers["ece"],
                "answering": _answering(labels, probs, folds, own),
            }
        )
    return found


def _answering(
    labels: np.ndarray, probs: np.ndarray, folds: np.ndarray, own: np.ndarray
) -> Answering | None:
    """Choose each fold's threshold on all others, measure it on one source's pictures.

    None where there is only one fold, so that no other could choose.
    """
    numbers = np.unique(folds)
    if len(numbers) < 2:
        return None
    right = answered = 0
    for fold in numbers:
        tested = own & (folds == fold)
        chosen = calibration.abstention_for_precision(
            probs=probs[folds != fold],
            labels=labels[folds != fold],
            precision=PRECISION,
        )
        is_answered = probs[tested].max(axis=1) >= chosen.threshold
        is_right = probs[tested].argmax(axis=1) == labels[tested]
        answered += int(is_answered.sum())
        right += int((is_answered & is_right).sum())
    return {
        "precision": right / answered if answered else 1.0,
        "coverage": answered / int(own.sum()),
        "num_answered": answered,
    }
