"""How far do people agree on labels, and how far could a model agree with them?"""

from __future__ import annotations

import numpy as np


def cohen_kappa(first: np.ndarray, second: np.ndarray) -> float | None:
    """Measure how far two annotators agree beyond chance.

    Args:
        first: Class indices, int [N].
        second: Those of the other for the same pictures, int [N].

    Returns:
        1 for full agreement, 0 for that of chance; None without pictures, or where both
        know one class only.

    Reference:
        Cohen, "A Coefficient of Agreement for Nominal Scales", Educational and
        Psychological Measurement 20 (1960).
    """
    if not len(first):
        return None
    num_classes = int(max(first.max(), second.max())) + 1
    shares = [np.bincount(one, minlength=num_classes) for one in (first, second)]
    by_chance = float(shares[0] @ shares[1]) / len(first) ** 2
    if by_chance == 1:
        return None
    return float(((first == second).mean() - by_chance) / (1 - by_chance))


def krippendorff_alpha(votes: np.ndarray) -> float | None:
    """Measure how far any number of annotators agree beyond chance.

    Args:
        votes: How many annotators gave each class, int [N, K]; pictures with fewer than
            two votes tell nothing and are passed over.

    Returns:
        1 for full agreement, 0 for that of chance; None where nothing can be compared.

    Reference:
        Krippendorff, "Content Analysis", chapter 11; nominal data.
    """
    votes = votes[votes.sum(axis=1) > 1]
    totals = votes.sum(axis=1)
    by_class = votes.sum(axis=0)
    count = int(by_class.sum())
    expected = float(count**2 - (by_class**2).sum())
    if expected == 0:
        return None
    differing = (totals**2 - (votes**2).sum(axis=1)) / np.maximum(totals - 1, 1)
    return 1 - (count - 1) * float(differing.sum()) / expected


def ceiling(votes: np.ndarray) -> float | None:
    """Say how often an annotator gives the label that the others would vote for.

    No model can be expected to agree with labels more often than people do.

    Args:
        votes: How many annotators gave each class, int [N, K].

    Returns:
        The mean over all labels with another beside them, 0…1; a tie of the others
        counts by halves, thirds and so on. None where there is none.
    """
    votes = votes[votes.sum(axis=1) > 1]
    agreed, count = 0.0, 0
    for given in votes:
        for k in np.flatnonzero(given):
            others = given.copy()
            others[k] -= 1
            best = np.flatnonzero(others == others.max())
            agreed += given[k] * (k in best) / len(best)
            count += int(given[k])
    return agreed / count if count else None
