"""How good are answers that are numbers on a scale?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from scipy.stats import norm, t

from pixsent_tf.evaluation.compare import holm
from pixsent_tf.evaluation.intervals import percentile_interval, resample_counts
from pixsent_tf.results.ratings import RatingPair, TargetMetrics

MEASURES = ("pearson_r", "spearman", "ccc", "rmse", "mae")
_FLAT = 1e-10  # of a variance by its mean square: rounding, not a difference

Numbers = dict[str, np.ndarray]


def summarize(
    *,
    target: str,
    ratings: np.ndarray,
    answers: np.ndarray,
    folds: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> TargetMetrics:
    """Compute the numbers of one target; ceiling and coverage are left to be filled.

    Args:
        target: Its name.
        ratings: What raters said, float [N].
        answers: What the model said, float [N].
        folds: Test fold of each picture, int [N]; None for a single held-out part.
        groups: Group of each picture, int [N], where groups are known: intervals are
            then drawn over groups, whose pictures err together.

    Returns:
        The numbers.
    """
    found = measure(ratings=ratings, answers=answers)
    drawn = [
        _measures(ratings, answers, counts)
        for counts in _draws(len(ratings), groups=groups)
    ]
    intervals = {
        name: None
        if found[name] is None
        else list(percentile_interval(np.concatenate([one[name] for one in drawn])))
        for name in MEASURES
    }
    fold_ids = np.zeros(len(ratings), int) if folds is None else folds
    each = [
        measure(ratings=ratings[fold_ids == k], answers=answers[fold_ids == k])
        for k in np.unique(fold_ids)
    ]
    return {
        "target": target,
        "pearson_r": found["pearson_r"],
        "pearson_r_null_band": list(null_band(len(ratings))),
        "spearman": found["spearman"],
        "ccc": found["ccc"] or 0.0,
        "rmse": _number(found["rmse"]),
        "mae": _number(found["mae"]),
        "rating_sd": float(np.std(ratings)),
        "bootstrap_intervals": intervals,
        "per_fold_r": [one["pearson_r"] for one in each],
        "per_fold_rmse": [_number(one["rmse"]) for one in each],
        "ceiling": None,
        "coverage": None,
    }


def measure(*, ratings: np.ndarray, answers: np.ndarray) -> dict[str, float | None]:
    """Compute correlation, rank correlation, concordance and errors.

    Args:
        ratings: What raters said, float [N].
        answers: What the model said, float [N].

    Returns:
        `MEASURES` by name; None for a correlation where ratings or answers are all the
        same.

    Reference:
        Lin, "A concordance correlation coefficient to evaluate reproducibility",
        Biometrics 45 (1989), for `ccc`.
    """
    found = _measures(ratings, answers, np.ones((1, len(ratings))))
    return {
        name: float(values[0]) if np.isfinite(values[0]) else None
        for name, values in found.items()
    }


def null_band(num_examples: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Say where the correlation is if ratings have nothing to do with the pictures.

    Args:
        num_examples: N.
        confidence: Share of the shuffled ratings that correlate within, 0…1.

    Returns:
        The lower and the upper bound. Shuffling gives r a variance of 1 / (N - 1).
    """
    if num_examples < 2:
        return -1.0, 1.0
    bound = float(norm.ppf((1 + confidence) / 2)) / math.sqrt(num_examples - 1)
    return max(-1.0, -bound), min(1.0, bound)


def compare(
    *,
    names: Sequence[str],
    targets: Sequence[str],
    ratings: np.ndarray,
    answers: np.ndarray,
) -> list[RatingPair]:
    """Compare every two models, for each target.

    Args:
        names: Of the models, [M].
        targets: Their names, [T].
        ratings: What raters said, float [N, T].
        answers: What each model says of the same pictures, float [M, N, T].

    Returns:
        One entry for each pair and target. p-values are also corrected by Holm.
    """
    pairs: list[RatingPair] = []
    for a, b in combinations(range(len(names)), 2):
        for k, target in enumerate(targets):
            found = _compare(ratings[:, k], answers[a, :, k], answers[b, :, k])
            found |= {"first": names[a], "second": names[b], "target": target}
            pairs.append(found)
    tested = [(pair, p) for pair in pairs if (p := pair["williams_p"]) is not None]
    corrected = holm([p for _, p in tested])
    for (pair, _), value in zip(tested, corrected, strict=True):
        pair["williams_p_holm"] = value
    return pairs


def _compare(ratings: np.ndarray, first: np.ndarray, second: np.ndarray) -> RatingPair:
    both = [measure(ratings=ratings, answers=one) for one in (first, second)]
    r, rmse = ([one[name] for one in both] for name in ("pearson_r", "rmse"))
    drawn: dict[str, list[np.ndarray]] = {"pearson_r": [], "rmse": []}
    for counts in _draws(len(ratings)):
        each = [_measures(ratings, one, counts) for one in (first, second)]
        for name, differences in drawn.items():
            differences.append(each[0][name] - each[1][name])
    intervals = {name: np.concatenate(values) for name, values in drawn.items()}
    has_both = r[0] is not None and r[1] is not None
    return {
        "first": "",
        "second": "",
        "target": "",
        "pearson_r": r,
        "pearson_r_difference": _number(r[0]) - _number(r[1]) if has_both else None,
        "pearson_r_difference_interval": list(
            percentile_interval(intervals["pearson_r"])
        )
        if has_both
        else None,
        "williams_p": williams(ratings, first, second) if has_both else None,
        "williams_p_holm": None,
        "rmse": [_number(value) for value in rmse],
        "rmse_difference": _number(rmse[0]) - _number(rmse[1]),
        "rmse_difference_interval": list(percentile_interval(intervals["rmse"])),
    }


def williams(ratings: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """Test whether two models' answers correlate alike with the same ratings.

    Args:
        ratings: What raters said, float [N], not all the same.
        first: What one model said, float [N], not all the same.
        second: What another said, likewise.

    Returns:
        The two-sided p-value; 1 where both say the same, or of fewer than 4 pictures.

    Reference:
        Williams, "The comparison of regression variables", JRSS B 21 (1959), in the
        form of Steiger, Psychological Bulletin 87 (1980), equation 7.
    """
    count = len(ratings)
    correlations = np.corrcoef([ratings, first, second])
    a, b, c = correlations[0, 1], correlations[0, 2], correlations[1, 2]
    if count < 4 or 1 - c < 1e-12:
        return 1.0
    determinant = float(np.linalg.det(correlations))
    mean = (a + b) / 2
    below = 2 * (count - 1) / (count - 3) * determinant + mean**2 * (1 - c) ** 3
    if below <= 0:
        return 0.0 if abs(a - b) > 1e-12 else 1.0
    statistic = (a - b) * math.sqrt((count - 1) * (1 + c) / below)
    return float(2 * t.sf(abs(statistic), count - 3))


def _draws(
    num_examples: int, *, groups: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """How often each example occurs in bootstrap samples, float [r, N]."""
    if groups is None:
        yield from resample_counts(num_examples)
        return
    _, numbers = np.unique(groups, return_inverse=True)
    for counts in resample_counts(int(numbers.max()) + 1):
        yield counts[:, numbers]


def _measures(ratings: np.ndarray, answers: np.ndarray, counts: np.ndarray) -> Numbers:
    """`MEASURES` of samples that hold each example so often; NaN where undefined."""
    ratings, answers = np.asarray(ratings, "float64"), np.asarray(answers, "float64")
    counts = np.asarray(counts, "float64")  # [r, N]
    totals = counts.sum(axis=1)
    errors = answers - ratings
    x, y, xx, yy, xy = _moments(ratings, answers, counts)
    ranked = _moments(_ranks(ratings, counts), _ranks(answers, counts), counts)
    return {
        "pearson_r": _correlation(xx, yy, xy, x, y),
        "spearman": _correlation(*ranked[2:], *ranked[:2]),
        "ccc": _divide(2 * xy, xx + yy + (x - y) ** 2, at_least=_FLAT * (x**2 + 1e-12)),
        "rmse": np.sqrt(counts @ errors**2 / totals),
        "mae": counts @ np.abs(errors) / totals,
    }


def _moments(
    x: np.ndarray, y: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Means, variances and covariance of each sample, [r], from [N] or [r, N]."""
    shares = counts / counts.sum(axis=1, keepdims=True)
    mean_x, mean_y = ((shares * one).sum(axis=1) for one in (x, y))
    x, y = x - mean_x[:, None], y - mean_y[:, None]
    return (
        mean_x,
        mean_y,
        (shares * x * x).sum(axis=1),
        (shares * y * y).sum(axis=1),
        (shares * x * y).sum(axis=1),
    )


def _correlation(
    xx: np.ndarray, yy: np.ndarray, xy: np.ndarray, x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    found = _divide(xy, np.sqrt(xx * yy), at_least=0.0)
    is_flat = (xx <= _FLAT * x**2) | (yy <= _FLAT * y**2)
    return np.where(is_flat, np.nan, np.clip(found, -1, 1))


def _divide(above: np.ndarray, below: np.ndarray, *, at_least: object) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > at_least, above / below, np.nan)


def _ranks(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Rank of each example in each sample, [r, N]; ties share the mean of theirs."""
    order = np.argsort(values, kind="stable")
    _, starts, ties = np.unique(values[order], return_index=True, return_inverse=True)
    each = np.add.reduceat(counts[:, order], starts, axis=1)
    middle = each.cumsum(axis=1) - each / 2  # [r, distinct values]
    ranks = np.empty_like(counts)
    ranks[:, order] = middle[:, ties]
    return ranks


def _number(value: float | None) -> float:
    assert value is not None
    return value
