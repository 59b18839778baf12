"""How well do raters know what raters think? The ceiling of whatever predicts them.

A rating is the mean of a panel. Another panel of as many people would give another
mean, and no model can be expected to foretell this panel better than that one would.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import norm

from pixsent_tf.results.intervals import Interval
from pixsent_tf.results.ratings import Ceiling


def noise(spreads: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Give the variance of means of ratings.

    Args:
        spreads: Standard deviation among the raters of each picture, float [...].
        counts: How many rated it, [...], 1 or more.

    Returns:
        float64 [...], in squared units of the scale.
    """
    return np.asarray(spreads, "float64") ** 2 / counts


def largest_differences(
    first: np.ndarray,
    second: np.ndarray,
    noise_of_both: np.ndarray,
    *,
    count: int,
    confidence: float = 0.95,
) -> list[tuple[int, float, Interval | None]]:
    """Find the pictures on which two panels differ most.

    Args:
        first: Means of the one panel, float [N].
        second: Means of the other, float [N].
        noise_of_both: Sum of the variances of both means, float [N]; NaN where unknown.
        count: How many to give.
        confidence: Of the intervals, 0…1, each by itself.

    Returns:
        Positions, the farthest apart first, with first less second and its interval,
        by the normal distribution; None where the variances are not known.
    """
    differences = first - second
    z = float(norm.ppf((1 + confidence) / 2))
    found: list[tuple[int, float, Interval | None]] = []
    for i in np.argsort(-np.abs(differences), kind="stable")[:count].tolist():
        middle, reach = float(differences[i]), z * math.sqrt(noise_of_both[i])
        known = math.isfinite(reach)
        found.append((i, middle, [middle - reach, middle + reach] if known else None))
    return found


def another_panel(
    ratings: np.ndarray, spreads: np.ndarray, counts: np.ndarray
) -> Ceiling | None:
    """Expect what another panel of as many raters would reach.

    Args:
        ratings: Mean of each picture's panel, float [N].
        spreads: Standard deviation among its raters, float [N].
        counts: How many they were, [N].

    Returns:
        What the means of two such panels have to do with each other; None where a
        single picture leaves nothing to correlate.

    Reference:
        Lord and Novick, "Statistical Theories of Mental Test Scores", 1968, chapter 3:
        parallel measurements correlate by the share of the variance that is true.
    """
    if len(ratings) < 2:
        return None
    errors = noise(spreads, counts)
    observed = float(np.var(ratings, ddof=1))
    if observed <= 0:
        return None
    reliability = max(observed - float(errors.mean()), 0.0) / observed
    return {
        "pearson_r": reliability,
        "ccc": reliability,  # of equal means and variances
        "rmse": math.sqrt(2 * errors.mean()),
        # the difference of two normal means of variance e is normal, of variance 2e
        "mae": float((2 * np.sqrt(errors / math.pi)).mean()),
    }
