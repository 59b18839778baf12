"""How far from its answer may a rating be? As far as others were that trained nothing.

A model errs on new pictures as it does on those that it has not seen: the quantile of
these errors is half an interval that holds as many ratings as it promises, whatever the
errors' distribution.

Reference:
    Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005, chapter
    2; Barber et al., "Predictive inference with the jackknife+", Annals of Statistics
    49 (2021), on errors out of folds.
"""

from __future__ import annotations

import math

import numpy as np

from pixsent_tf.evaluation.intervals import wilson_interval
from pixsent_tf.results.ratings import Covered

COVERAGE = 0.9  # of the intervals that verbs print


def half_width(errors: np.ndarray, *, coverage: float = COVERAGE) -> float:
    """Say how far around an answer an interval has to reach.

    Args:
        errors: Absolute errors on pictures that did not train, float [M], 0 or more.
        coverage: Share of the ratings that intervals are to hold, 0…1.

    Returns:
        The smallest error that ceil((M + 1) coverage) of the M are not above; the
        largest of them where M is too small for the coverage.

    Raises:
        ValueError: If there are no errors.

    Example:
        >>> half_width(np.arange(1.0, 10.0), coverage=0.9)
        9.0
    """
    count = len(errors)
    if count == 0:
        raise ValueError("An interval needs errors, and there are none.")
    rank = min(count, math.ceil(round((count + 1) * coverage, 9)))
    return float(np.sort(errors)[rank - 1])


def covered(
    *,
    ratings: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    nominal: float = COVERAGE,
) -> Covered:
    """Count the ratings that intervals hold.

    Args:
        ratings: What raters said, float [N].
        low: Lower ends, float [N].
        high: Upper ends, float [N].
        nominal: What they were made to hold, 0…1.

    Returns:
        The share that they hold, and how wide they are.
    """
    held = (low <= ratings) & (ratings <= high)
    return {
        "nominal": nominal,
        "observed": float(held.mean()),
        "observed_interval": list(wilson_interval(int(held.sum()), len(held))),
        "mean_width": float((high - low).mean()),
    }
