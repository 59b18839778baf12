"""Does a probability mean what it says?

With two classes everything here is about the probability of the second one, "positive":
among pictures that get .8, are 80 % positive? With more classes it is about the
probability of the answer: are 80 % of these answers right?
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pixsent_tf.evaluation.intervals import percentile_interval

NUM_BINS = 15
NUM_SIMULATIONS = 1000
MAX_CELLS = 4_000_000  # simulated at once, to bound the memory


@dataclass(frozen=True)
class Reliability:
    """Predicted against observed, in bins of equal width over 0…1.

    Attributes:
        counts: Number of pictures in each bin, int [bins].
        predicted: Mean probability in each bin, float [bins]; NaN where it is empty.
        observed: Share of pictures for which the event came true, float [bins]; NaN
            where the bin is empty.
    """

    counts: np.ndarray
    predicted: np.ndarray
    observed: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error: the mean gap, weighted by pictures, 0…1."""
        gaps = np.nan_to_num(np.abs(self.predicted - self.observed))
        return float(gaps @ self.counts / self.counts.sum())


def events(*, labels: np.ndarray, probs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reduce class probabilities to the event that calibration is about.

    Args:
        labels: Class indices, int [N].
        probs: Probabilities, float [N, K].

    Returns:
        The probability of the event, float64 [N], and whether it came true, bool [N].
    """
    if probs.shape[1] == 2:
        return probs[:, 1].astype("float64"), labels == 1
    return probs.max(axis=1).astype("float64"), probs.argmax(axis=1) == labels


def reliability(
    predicted: np.ndarray, happened: np.ndarray, *, num_bins: int = NUM_BINS
) -> Reliability:
    """Bin predicted probabilities and what came true.

    Args:
        predicted: Probability of the event, float [N], 0…1.
        happened: Whether it came true, bool [N].
        num_bins: Bins of equal width.

    Returns:
        The bins, from 0 to 1.
    """
    bins = _bins(predicted, num_bins)
    counts = np.bincount(bins, minlength=num_bins)
    with np.errstate(invalid="ignore"):
        return Reliability(
            counts=counts,
            predicted=np.bincount(bins, predicted, num_bins) / counts,
            observed=np.bincount(bins, happened, num_bins) / counts,
        )


def null_band(
    predicted: np.ndarray,
    *,
    num_bins: int = NUM_BINS,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Give the calibration errors that a perfectly calibrated model would show.

    With few pictures the error of even such a model is well above zero. So outcomes are
    drawn many times with exactly the predicted probabilities; an error inside this band
    is no evidence of miscalibration.

    Args:
        predicted: Probability of the event, float [N], 0…1.
        num_bins: Bins of equal width.
        confidence: Share of the simulated errors inside the band, 0…1.
        seed: Of the draws.

    Returns:
        The lower and the upper end of the band.

    Reference:
        Vaicenavicius et al., "Evaluating Model Calibration in Classification",
        AISTATS 2019, section 4.
    """
    generator = np.random.default_rng(seed)
    member = np.eye(num_bins, dtype="float32")[_bins(predicted, num_bins)]  # [N, bins]
    expected = predicted @ member
    block = max(1, MAX_CELLS // len(predicted))
    errors = []
    for start in range(0, NUM_SIMULATIONS, block):
        shape = (min(block, NUM_SIMULATIONS - start), len(predicted))
        outcomes = (generator.random(shape) < predicted).astype("float32")
        errors.append(np.abs(outcomes @ member - expected).sum(axis=1))
    return percentile_interval(
        np.concatenate(errors) / len(predicted), confidence=confidence
    )


def _bins(predicted: np.ndarray, num_bins: int) -> np.ndarray:
    return np.minimum((np.asarray(predicted) * num_bins).astype(int), num_bins - 1)
