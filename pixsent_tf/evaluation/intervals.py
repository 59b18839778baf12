"""How far may a number be from the truth, given so few pictures?"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.stats import binomtest, norm, rankdata

NUM_RESAMPLES = 2000
MAX_CELLS = 4_000_000  # resampled at once, to bound the memory


def wilson_interval(
    successes: int, trials: int, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Bound a share by the score interval.

    Args:
        successes: Number of successes.
        trials: Number of trials, 1 or more.
        confidence: Coverage, 0…1.

    Returns:
        The lower and the upper bound, 0…1.

    Raises:
        ValueError: If there are no trials, or more successes than trials.

    Reference:
        Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
        JASA 22 (1927).
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"{successes} successes in {trials} trials are impossible.")
    bounds = binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    return float(bounds.low), float(bounds.high)


def resample_counts(
    num_examples: int, *, num_resamples: int = NUM_RESAMPLES, seed: int = 0
) -> Iterator[np.ndarray]:
    """Draw bootstrap samples as the number of times each example occurs.

    Args:
        num_examples: N.
        num_resamples: Number of samples R.
        seed: Of the draws.

    Yields:
        Counts, float32 [r, N], each row summing to N; together R rows, in blocks that
        bound the memory.
    """
    generator = np.random.default_rng(seed)
    block = max(1, MAX_CELLS // num_examples)
    for start in range(0, num_resamples, block):
        rows = min(block, num_resamples - start)
        draws = generator.integers(num_examples, size=(rows, num_examples))
        draws += np.arange(rows)[:, None] * num_examples
        counts = np.bincount(draws.ravel(), minlength=rows * num_examples)
        yield counts.reshape(rows, num_examples).astype("float32")


def bootstrap_means(
    values: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> np.ndarray:
    """Average values over bootstrap samples.

    Args:
        values: One row per example, float [N, M]; the M columns are resampled together.
        groups: Examples that share a number are drawn together, int [N]; None draws
            each on its own.
        num_resamples: Number of samples R.
        seed: Of the draws.

    Returns:
        float64 [R, M].
    """
    values = np.asarray(values, dtype="float64")
    if groups is not None:
        _, numbers = np.unique(groups, return_inverse=True)
        sums = np.zeros((numbers.max() + 1, values.shape[1] + 1))
        np.add.at(sums, numbers, np.column_stack([values, np.ones(len(values))]))
        drawn = resample_counts(len(sums), num_resamples=num_resamples, seed=seed)
        totals = np.concatenate([counts @ sums for counts in drawn])
        return totals[:, :-1] / totals[:, -1:]
    samples = resample_counts(len(values), num_resamples=num_resamples, seed=seed)
    return np.concatenate([counts @ values for counts in samples]) / len(values)


def percentile_interval(
    samples: np.ndarray, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Bound a statistic by the percentiles of its bootstrap samples.

    Args:
        samples: The statistic of each sample, float [R]; NaN where it is undefined.
        confidence: Coverage, 0…1.

    Returns:
        The lower and the upper bound.

    Reference:
        Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(samples, [tail, 1 - tail])
    return float(low), float(high)


def bootstrap_interval(
    values: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    confidence: float = 0.95,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> tuple[float, float]:
    """Bound a mean by the percentiles of its bootstrap samples.

    Args:
        values: One number per example, float [N].
        groups: As in `bootstrap_means`.
        confidence: Coverage, 0…1.
        num_resamples: Number of samples.
        seed: Of the draws.

    Returns:
        The lower and the upper bound.
    """
    columns = np.asarray(values)[:, None]
    means = bootstrap_means(
        columns, groups=groups, num_resamples=num_resamples, seed=seed
    )
    return percentile_interval(means[:, 0], confidence=confidence)


def grouped_auc_interval(
    *,
    labels: np.ndarray,
    scores: np.ndarray,
    groups: np.ndarray,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Bound the area under a ROC curve, whole groups of examples being drawn.

    Args:
        labels: 1 for positive, 0 for negative, int [N].
        scores: float [N]; larger means more positive.
        groups: Examples that share a number are drawn together, int [N].
        confidence: Coverage, 0…1.
        seed: Of the draws.

    Returns:
        The lower and the upper percentile of the bootstrap samples, 0…1.
    """
    order = np.argsort(scores, kind="stable")
    is_positive = np.asarray(labels)[order] == 1
    _, ties = np.unique(np.asarray(scores)[order], return_index=True)
    _, numbers = np.unique(np.asarray(groups)[order], return_inverse=True)
    areas = []
    for counts in resample_counts(int(numbers.max()) + 1, seed=seed):
        weights = counts[:, numbers].astype("float64")  # [r, N]
        positive = np.add.reduceat(weights * is_positive, ties, axis=1)
        negative = np.add.reduceat(weights * ~is_positive, ties, axis=1)
        below = negative.cumsum(axis=1) - negative / 2  # a tie is half a win
        with np.errstate(invalid="ignore"):  # a sample without some class
            pairs = positive.sum(axis=1) * negative.sum(axis=1)
            areas.append((positive * below).sum(axis=1) / pairs)
    return percentile_interval(np.concatenate(areas), confidence=confidence)


def delong(*, labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Estimate areas under ROC curves on the same examples, and their covariance.

    Args:
        labels: 1 for positive, 0 for negative, int [N]; both occur, twice or more.
        scores: One row per model, float [M, N]; larger means more positive.

    Returns:
        Areas, float [M], and their covariance, float [M, M].

    Reference:
        DeLong et al., "Comparing the Areas under Two or More Correlated Receiver
        Operating Characteristic Curves", Biometrics 44 (1988); by ranks as in Sun and
        Xu, IEEE Signal Processing Letters 21 (2014).
    """
    positive = np.asarray(labels) == 1
    num_positive, num_negative = int(positive.sum()), int((~positive).sum())
    ranks = rankdata(scores, axis=1)
    above = ranks[:, positive] - rankdata(scores[:, positive], axis=1)
    below = ranks[:, ~positive] - rankdata(scores[:, ~positive], axis=1)
    by_positive = above / num_negative  # share of negatives under each positive
    by_negative = 1 - below / num_positive  # share of positives over each negative
    covariance = (
        np.atleast_2d(np.cov(by_positive)) / num_positive
        + np.atleast_2d(np.cov(by_negative)) / num_negative
    )
    return by_positive.mean(axis=1), covariance


def auc_interval(
    *, labels: np.ndarray, scores: np.ndarray, confidence: float = 0.95
) -> tuple[float, float]:
    """Bound the area under a ROC curve.

    Where every pair is ranked right, or every one wrong, DeLong's variance is zero; the
    score interval of as many trials as the rarer class has examples stands in for it.

    Args:
        labels: 1 for positive, 0 for negative, int [N]; both occur, twice or more.
        scores: float [N]; larger means more positive.
        confidence: Coverage, 0…1.

    Returns:
        The lower and the upper bound, 0…1.
    """
    (area,), covariance = delong(labels=labels, scores=np.asarray(scores)[None])
    if area in (0.0, 1.0):
        rarer = int(min(np.sum(labels == 1), np.sum(labels != 1)))
        return wilson_interval(int(area) * rarer, rarer, confidence=confidence)
    margin = norm.ppf(0.5 + confidence / 2) * math.sqrt(covariance[0, 0])
    return max(0.0, float(area - margin)), min(1.0, float(area + margin))
