"""Which pictures shall people label, and how likely was each of them to be asked for?

Every scheme gives each picture its exact probability of being drawn, which is what puts
a share right that was counted on pictures that were not drawn alike.

Reference:
    Horvitz and Thompson, "A Generalization of Sampling Without Replacement From a
    Finite Universe", JASA 47 (1952); Madow, "On the Theory of Systematic Sampling, II",
    Annals of Mathematical Statistics 20 (1949).
"""

from __future__ import annotations

import numpy as np
from sklearn.cluster import KMeans

EVEN_FRACTION = 0.5  # of the chances, given to all alike: none is left without


def uncertainty(scores: np.ndarray) -> np.ndarray:
    """Say how much each picture deserves to be asked for, by how unsure the answer is.

    Args:
        scores: Probabilities by class, [N, K].

    Returns:
        Sizes with a mean of 1, [N]: half of each is the same for all, half grows with
        the chance that two draws from its probabilities differ. So no weight is more
        than twice that of a random sample, however sure the model is where it errs.
    """
    unsure = 1 - (scores**2).sum(axis=1)
    mean = unsure.mean()
    relative = unsure / mean if mean > 0 else np.ones(len(scores))
    return EVEN_FRACTION + (1 - EVEN_FRACTION) * relative


def inclusion_probabilities(sizes: np.ndarray, num_drawn: int) -> np.ndarray:
    """Give the probabilities of a sample whose chances follow sizes.

    Args:
        sizes: Above 0, [N].
        num_drawn: How many to draw, n; N or fewer.

    Returns:
        Probabilities proportional to the sizes, summing to n, [N]; what would exceed 1
        is certain.

    Example:
        >>> inclusion_probabilities(np.array([1.0, 1, 2, 6]), 2).tolist()
        [0.25, 0.25, 0.5, 1.0]
    """
    certain = np.zeros(len(sizes), dtype=bool)
    while True:
        left = num_drawn - certain.sum()
        chances = left * sizes / sizes[~certain].sum() if left else np.zeros_like(sizes)
        beyond = ~certain & (chances >= 1)
        if not beyond.any():
            return np.where(certain, 1.0, chances)
        certain |= beyond


def draw(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw without replacement, each picture with exactly its probability.

    Systematic sampling of the pictures in random order: a comb with teeth at a distance
    of 1 is laid over their probabilities, end to end. Where all are alike it is simple
    random sampling.

    Args:
        probabilities: Summing to a whole number n, [N].
        rng: Of the draw.

    Returns:
        Indices in random order, int [n]; so any first part is a sample, too.
    """
    certain = np.flatnonzero(probabilities >= 1)
    others = rng.permutation(np.flatnonzero(probabilities < 1))
    ends = probabilities[others].cumsum()
    num_left = round(float(ends[-1])) if len(ends) else 0
    teeth = rng.random() + np.arange(num_left)
    hit = np.searchsorted(ends, teeth, side="right").clip(max=len(others) - 1)
    return rng.permutation(np.concatenate([certain, others[hit]]).astype(int))


def draw_diverse(
    features: np.ndarray, num_drawn: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one picture at random from each of as many clusters as pictures are wanted.

    Args:
        features: What a network sees in each picture, [N, F].
        num_drawn: How many to draw; N or fewer.
        rng: Of the draw.

    Returns:
        Indices in random order and their probabilities, 1 to the size of their cluster;
        fewer than asked where fewer pictures differ.
    """
    distinct = len(np.unique(features, axis=0))
    means = KMeans(
        min(num_drawn, distinct), n_init=1, random_state=int(rng.integers(2**31))
    )
    clusters = means.fit_predict(features)
    sizes = np.bincount(clusters)
    chosen = [rng.choice(np.flatnonzero(clusters == k)) for k in np.unique(clusters)]
    indices = rng.permutation(np.array(chosen, dtype=int))
    return indices, 1 / sizes[clusters[indices]]
