"""How large is the share of a class among many answers, given a few labels?

Prediction-powered inference with power tuning: what the answers say of all pictures,
put right by what the labelled ones show of their errors. The tuned weight of the
answers is the slope of labels on answers, so that useless answers are left alone.

Each estimate carries how much each independent unit (a labelled picture, or a group)
moved it; differences and trends of cells that share labels or groups follow from that.

Reference:
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
        sums = np.bincount(self.units, self.weights)
        # a hair more, so that n equal weights are n and not less by rounding
        return float(sums.sum() ** 2 / (sums**2).sum()) * (1 + 1e-9)

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
        is_share: Whether it lies in 0…1.
    """

    value: float
    influence: np.ndarray
    rest: float
    degrees: int
    is_share: bool = True

    @property
    def variance(self) -> float:
        """The variance of `value`."""
        return float((self.influence**2).sum()) + self.rest

    @property
    def interval(self) -> tuple[float, float] | None:
        """Lower and upper bound at 95 %; None with too few labels.

        A share gets Wilson's interval for as many labels as would give this variance:
        unlike value ± error, it covers close to 0 and 1 too.
        """
        if self.degrees < 1:
            return None
        t = float(stats.t.ppf((1 + CONFIDENCE) / 2, self.degrees))
        if not self.is_share:
            half = t * math.sqrt(self.variance)
            return self.value - half, self.value + half
        share = min(max(self.value, 0.0), 1.0)
        variance = max(self.variance, 1e-12)
        count = max(share * (1 - share), 1 / (4 * (self.degrees + 2))) / variance
        middle = (share + t**2 / (2 * count)) / (1 + t**2 / count)
        inside = share * (1 - share) / count + t**2 / (4 * count**2)
        half = t / (1 + t**2 / count) * math.sqrt(inside)
        return max(middle - half, 0.0), min(middle + half, 1.0)

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
        pictures taken out of the unlabelled ones, two degrees of freedom spent;
        unequal weights, and groups of unequal size, leave fewer.
    """
    slope = labels.slope
    rest_of_truth = labels.truth - slope * labels.scores
    error = _mean(rest_of_truth, labels.weights)
    degrees = int(labels.effective_units) - 2
    relative = labels.weights / labels.weights.sum()
    influence = np.bincount(
        labels.units, relative * (rest_of_truth - error), minlength=num_units
    ).astype(float)
    influence *= math.sqrt((degrees + 2) / max(degrees, 1))
    rest = 0.0
    if answers.group_counts is None or answers.group_totals is None:
        rest = slope**2 * answers.variance / answers.count
    else:
        moved = answers.group_totals - answers.group_counts * answers.mean
        influence += slope * moved / answers.count
    # Nobody knows from n labels that errors are rarer than about one in n.
    floor = float((relative**2).sum()) / labels.num_units
    rest += max(floor - float((influence**2).sum()) - rest, 0.0)
    return Estimate(slope * answers.mean + error, influence, rest, degrees)


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
        is_share=False,
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


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    return float((values * weights).sum() / weights.sum())
