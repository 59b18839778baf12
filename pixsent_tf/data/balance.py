"""How much does each source, and each class, weigh in a training?

A training sees as many pictures of each kind as happen to be there. Balanced, the kinds
weigh the same in total, whatever their numbers, so that the answers favor neither the
larger class nor the larger source.
"""

from __future__ import annotations

import numpy as np

from pixsent_tf.config import Balance


def balanced(
    targets: np.ndarray,
    *,
    by: Balance,
    sources: np.ndarray | None = None,
    among: np.ndarray | None = None,
) -> np.ndarray:
    """Scale weights so that every kind of picture has the same total.

    Args:
        targets: Target probabilities times the weight of the picture, float [N, K].
        by: What a kind is: "classes" for a class, "sources" for a source, "both" for a
            class of a source, which must occur to count; "none" changes nothing.
        sources: Number of each picture's source, int [N]; None for a single one.
        among: Positions of the pictures whose totals count, those that train, int [M];
            all if None. The others are scaled as they would be among them.

    Returns:
        float32 [N, K]; within a kind, weights keep their ratios, and over `among` they
        sum to M.
    """
    if by == "none":
        return targets
    among = np.arange(len(targets)) if among is None else among
    numbers = np.zeros(len(targets), int) if sources is None else sources
    totals = np.zeros((numbers.max() + 1, targets.shape[1]))  # [S, K]
    np.add.at(totals, numbers[among], targets[among])
    if by != "both":
        axis = 0 if by == "classes" else 1
        totals = np.broadcast_to(totals.sum(axis=axis, keepdims=True), totals.shape)
    factors = np.divide(1, totals, out=np.zeros_like(totals), where=totals > 0)
    scaled = targets * factors[numbers]
    total = scaled[among].sum()  # 0 where nothing trains, which the learner refuses
    return (scaled * (len(among) / total if total else 1)).astype("float32")
