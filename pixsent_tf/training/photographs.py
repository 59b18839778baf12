"""What tells photographs from pictures of nothing? A line through the features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pixsent_tf.data.balance import balanced
from pixsent_tf.models.joined import FeatureBlock
from pixsent_tf.training.logistic import LinearHead, fit_head

INVERSE_PENALTY = 10.0  # 10 and 100 tell all of them; 1 mistakes some


def fit_photograph_score(
    photographs: np.ndarray,
    drawn: np.ndarray,
    *,
    blocks: Sequence[FeatureBlock] = (),
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Train a score that is above zero for photographs.

    Args:
        photographs: Their features, float [N, F].
        drawn: Features of pictures of nothing, float [M, F]; both weigh the same.
        blocks: Which features belong together, as `logistic.fit_head` takes them.
        seed: Of the inner folds.

    Returns:
        Kernel, float32 [F, 1], and bias, float32 [1], as `models.gate` takes them.
    """
    labels = np.repeat([0, 1], [len(drawn), len(photographs)])
    head: LinearHead = fit_head(
        np.concatenate([drawn, photographs]),
        balanced(np.eye(2, dtype="float32")[labels], by="classes"),
        blocks=blocks,
        inverse_penalties=[INVERSE_PENALTY],
        seed=seed,
    )
    difference = head.kernel[:, 1:] - head.kernel[:, :1]
    return difference, head.bias[1:] - head.bias[:1]
