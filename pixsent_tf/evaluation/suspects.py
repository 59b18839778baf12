"""Which labels does a model that has not seen them find least believable?

A class is believed of a picture where its probability reaches what pictures with that
label have in the mean; so a class that the model is shy of is not accused as a whole.

Reference:
    Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset
    Labels", Journal of Artificial Intelligence Research 70 (2021).
"""

from __future__ import annotations

import numpy as np


def find_suspects(
    *, probs: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """List the pictures that are answered by another class than their label.

    Args:
        probs: Probabilities by models that have not seen the picture, float [N, K].
        labels: Class indices, int [N].

    Returns:
        Positions, int [M], the least probable label first, and whether another class is
        believed of each, bool [M]: about as many labels are wrong. On photographs with
        planted errors this order was better than by the distance to the mean or to the
        other classes, and the list that ends where belief does left some out.
    """
    means = np.full(probs.shape[1], np.inf)  # a class without labels is never believed
    for k in np.unique(labels):
        means[k] = probs[labels == k, k].mean()
    rows = np.arange(len(labels))
    believed = probs >= means
    believed[rows, labels] = False
    own = probs[rows, labels]
    order = np.argsort(own, kind="stable")
    order = order[probs.argmax(axis=1)[order] != labels[order]]
    return order, believed[order].any(axis=1)
