"""How large is the share of a class among many answers, given a few labels?

Prediction-powered inference with power tuning: what the answers say of all pictures,
put right by what the labelled ones show of their errors. The tuned weight of the
answers is the slope of labels on answers, so that useless answers are left alone.

Each estimate carries how much each independent unit (a labelled picture, or a group)
moved it; differences and trends of cells that share labels or groups follow from that.

Its interval is a score interval: it holds the shares that the estimate does not refute,
each with the variance that it would have. How the variance goes with the share follows
from the labels, if pictures of a class look to the model as they do now and only become
more or fewer. Where nothing but the label counts that is Wilson's interval.

Reference:
    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA
    22, 1927; Satterthwaite, "An Approximate Distribution of Estimates of Variance
    Components", Biometrics Bulletin 2, 1946.
    Angelopoulos et al., "Prediction-powered inference", Science 382, 2023.
    Angelopoulos, Duchi and Zrnic, "PPI++: Efficient prediction-powered inference",
    arXiv:2311.01453, 2023.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

FEW_LABELS = 20  # below, a cell borrows what all labels show, unless a test refuses it
REFUSED_BELOW = 0.05  # p of that test
CONFIDENCE = 0.95

Curve = tuple[float, float, float]  # a variance at a share x: a + b x + c x²
BINOMIAL: Curve = (0.0, 1.0, -1.0)


@dataclass(frozen=True)
class Answers:
    """What a model says of all pictures of a cell, of one class: sums are enough.

    Attributes:
        count: Number of pictures N.
        total: Sum of the scores (probabilities, or answers as 0 and 1).
        squares: Sum of their squares.
        group_counts: Pictures by group, [G]; None where pictures are independent.
        group_totals: Sum of the scores by group, [G].
    """

    count: int
    total: float
    squares: float
    group_counts: np.ndarray | None = None
    group_totals: np.ndarray | None = None

    @property
    def mean(self) -> float:
        """The mean score."""
        return self.total / self.count

    @property
    def variance(self) -> float:
        """The variance of a score."""
        return max(self.squares / self.count - self.mean**2, 0.0)


@dataclass(frozen=True)
class Labels:
    """The labelled pictures of a cell, for one class.

    Attributes:
        truth: 1 where the label is the class, or the share of votes for it, [n].
        scores: What the model says of the same pictures, [n].
        weights: Inverse probability of having been sampled, up to a factor, [n].
        units: Which independent unit each belongs to, index into [U], int [n].
    """

    truth: np.ndarray
    scores: np.ndarray
    weights: np.ndarray
    units: np.ndarray

    @property
    def num_units(self) -> int:
        """How many independent units were labelled."""
        return len(np.unique(self.units))

    @property
    def effective_units(self) -> float:
        """How many units of equal weight would tell as much (Kish)."""
        return _effective(np.bincount(self.units, self.weights))

    @property
    def effective_count(self) -> float:
        """How many pictures of equal weight would tell as much (Kish)."""
        return _effective(self.weights)

    @property
    def slope(self) -> float:
        """How much of the answers to use: the slope that leaves the least variance."""
        scores = self.scores - _mean(self.scores, self.weights)
        truth = self.truth - _mean(self.truth, self.weights)
        spread = float((self.weights**2 * scores**2).sum())
        if len(scores) < 3 or spread <= 1e-12 * len(scores):
            return 0.0
        return float((self.weights**2 * scores * truth).sum()) / spread

    def take(self, chosen: np.ndarray) -> Labels:
        """Keep some of them.

        Args:
            chosen: Indices, or booleans [n].

        Returns:
            These only, of the same units.
        """
        return Labels(
            self.truth[chosen],
            self.scores[chosen],
            self.weights[chosen],
            self.units[chosen],
        )


@dataclass(frozen=True)
class Estimate:
    """A number with what moved it.

    Attributes:
        value: The estimate.
        influence: What each independent unit added to its error, [U].
        rest: Variance that comes from none of these units.
        degrees: Of freedom, for the t distribution; below 1 there is no interval.
        curve: How the variance goes with a share, up to a factor; None where the number
            is no share.
    """

    value: float
    influence: np.ndarray
    rest: float
    degrees: float
    curve: Curve | None = BINOMIAL

    @property
    def variance(self) -> float:
        """The variance of `value`."""
        return float((self.influence**2).sum()) + self.rest

    @property
    def interval(self) -> tuple[float, float] | None:
        """Lower and upper bound at 95 %; None with too few labels.

        A share gets a score interval, which unlike value ± error covers close to 0 and
        1, too: all x with (value - x)² <= t² variance curve(x) / curve(value).
        """
        if self.degrees < 1:
            return None
        t = float(stats.t.ppf((1 + CONFIDENCE) / 2, self.degrees))
        if self.curve is None:
            half = t * math.sqrt(self.variance)
            return self.value - half, self.value + half
        share = min(max(self.value, 0.0), 1.0)
        a, b, c = self.curve
        most = max(a, a + b / 2 + c / 4, a + b + c)
        here = max(a + b * share + c * share**2, most / (self.degrees + 2))
        factor = t**2 * max(self.variance, 1e-12) / here
        # a quadratic in x: it opens upwards, since c <= 0
        square, half_linear = 1 - factor * c, share + factor * b / 2
        rest = max(half_linear**2 - square * (share**2 - factor * a), 0.0)
        low, high = (half_linear + sign * math.sqrt(rest) for sign in (-1, 1))
        return max(low / square, 0.0), min(high / square, 1.0)

    @property
    def p(self) -> float | None:
        """Two-sided p of the hypothesis that the number is 0."""
        if self.degrees < 1:
            return None
        if self.variance == 0:
            return float(self.value == 0)
        return float(
            2 * stats.t.sf(abs(self.value) / math.sqrt(self.variance), self.degrees)
        )


def estimate(answers: Answers, labels: Labels, *, num_units: int) -> Estimate:
    """Estimate the share of a class.

    Args:
        answers: Of all pictures of the cell, the labelled ones among them.
        labels: Labelled pictures of the cell; of all cells, to borrow their error.
        num_units: How many independent units there are, U.

    Returns:
        The share. With equal weights and no groups it is PPI++ with the labelled
        pictures taken out of the unlabelled ones, two degrees of freedom spent: one for
        the mean of the units, one for the slope over pictures. Unequal weights, groups,
        and a variance that few errors decide leave fewer.
    """
    slope = labels.slope
    rest_of_truth = labels.truth - slope * labels.scores
    error = _mean(rest_of_truth, labels.weights)
    relative = labels.weights / labels.weights.sum()
    units, count = labels.effective_units, labels.effective_count
    moved_by_labels = np.bincount(
        labels.units, relative * (rest_of_truth - error), minlength=num_units
    ).astype(float)
    # what a mean over units and a slope over pictures take from the variance
    spent = units / max(units - 1, 1) * (count - 1) / max(count - 2, 1)
    influence = moved_by_labels * math.sqrt(max(spent, 1.0))
    rest = 0.0
    if answers.group_counts is None or answers.group_totals is None:
        rest = slope**2 * answers.variance / answers.count
    else:
        moved = answers.group_totals - answers.group_counts * answers.mean
        influence += slope * moved / answers.count
    # Nobody knows from n labels that errors are rarer than about one in n.
    floor = float((relative**2).sum()) / labels.num_units
    rest += max(floor - float((influence**2).sum()) - rest, 0.0)
    degrees = float(min(int(units) - 1, int(count) - 2))
    if degrees >= 1:
        known = _degrees_of_variance(moved_by_labels[np.unique(labels.units)])
        degrees = max(min(degrees, known), 1.0)
    value = slope * answers.mean + error
    return Estimate(value, influence, rest, degrees, _curve(labels, rest_of_truth))


def _degrees_of_variance(moved: np.ndarray) -> float:
    """Degrees of freedom of a variance summed from units, [U] (Satterthwaite).

    Few large errors make it vary more than bell-shaped ones would. What of this goes
    along with the estimate, the curve of the interval accounts for already.
    """
    second, third, fourth = ((moved**power).sum() for power in (2, 3, 4))
    spread = fourth - second**2 / len(moved)
    if second <= 0 or spread <= 1e-12 * second**2:
        return math.inf
    explained = min(third**2 / (second * spread), 1.0)
    return 2 * second**2 / max(spread * (1 - explained), 1e-12 * second**2)


def _curve(labels: Labels, rest_of_truth: np.ndarray) -> Curve:
    """How the variance of one picture's error goes with the share of the class.

    Within a class it stays; between the classes it is that of a coin times the squared
    distance of their means. To n pictures one is added that counts as a coin: nobody
    knows from n labels that errors are rarer than about one in n.
    """
    means, variances = [], []
    for part in (1 - labels.truth, labels.truth):
        weights = labels.weights * part
        if weights.sum() <= 0:
            return BINOMIAL  # one class only: nothing tells how the other looks
        means.append(_mean(rest_of_truth, weights))
        variances.append(_mean((rest_of_truth - means[-1]) ** 2, weights))
    coin = 1 / labels.effective_count
    apart = (means[1] - means[0]) ** 2 + coin
    return variances[0], variances[1] - variances[0] + apart, -apart


def may_borrow(own: Labels, others: Labels) -> bool:
    """Test whether a cell's errors look like those of the other cells.

    Args:
        own: The cell's labels.
        others: Those of the other cells.

    Returns:
        False where Welch's test tells them apart, or nothing is there to borrow. With
        fewer than two labels of its own nothing can be tested, and it may.
    """
    if len(others.truth) < 3:
        return False
    if len(own.truth) < 2:
        return True
    slope = others.slope
    first, second = (
        one.truth - slope * one.scores for one in (own, others)
    )  # unweighted: a test of the errors, not of the sample
    spread = first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second)
    if first.var() == 0 or spread == 0:
        # Too even to have a variance of its own: the others' stands for it.
        spread = second.var(ddof=1) * (1 / len(first) + 1 / len(second))
        if spread == 0:
            return bool(np.isclose(first.mean(), second.mean()))
        t = (first.mean() - second.mean()) / math.sqrt(spread)
        return bool(2 * stats.t.sf(abs(t), len(second) - 1) >= REFUSED_BELOW)
    return bool(stats.ttest_ind(first, second, equal_var=False).pvalue >= REFUSED_BELOW)


def combine(estimates: Sequence[Estimate], factors: Sequence[float]) -> Estimate:
    """Add up estimates, such as a difference (1, -1).

    Args:
        estimates: With influences of the same units.
        factors: What each is multiplied by.

    Returns:
        The sum; the fewest degrees of freedom among its parts.
    """
    pairs = list(zip(estimates, factors, strict=True))
    return Estimate(
        value=sum(factor * one.value for one, factor in pairs),
        influence=sum(
            (factor * one.influence for one, factor in pairs),
            np.zeros_like(estimates[0].influence),
        ),
        rest=sum(factor**2 * one.rest for one, factor in pairs),
        degrees=min(one.degrees for one in estimates),
        curve=None,
    )


def trend(estimates: Sequence[Estimate]) -> Estimate:
    """Fit a line through ordered cells.

    Args:
        estimates: Of two cells or more, in order and evenly spaced.

    Returns:
        The change from one cell to the next, by least squares.
    """
    steps = np.arange(len(estimates)) - (len(estimates) - 1) / 2
    return combine(estimates, (steps / (steps**2).sum()).tolist())


def labels_for(half_width: float) -> int:
    """Say how many labels give an interval of some width, whatever the share.

    Args:
        half_width: Half of the interval's width, 0…0.5.

    Returns:
        Labels of a random sample; a useful model needs fewer.

    Example:
        >>> labels_for(0.05)
        385
    """
    return math.ceil(0.25 * (stats.norm.ppf((1 + CONFIDENCE) / 2) / half_width) ** 2)


def _effective(weights: np.ndarray) -> float:
    # a hair more, so that n equal weights are n and not less by rounding
    return float(weights.sum() ** 2 / (weights**2).sum()) * (1 + 1e-9)


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    return float((values * weights).sum() / weights.sum())
