"""How sure may a model be? What its own training part says, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixsent_tf.evaluation import calibration
from pixsent_tf.models.output import SentimentOutput
from pixsent_tf.training.learners import Fitted

MAX_HELD_OUT = 1000


@dataclass(frozen=True)
class Calibrated:
    """A training, with what its inner models know about being sure.

    Attributes:
        fitted: What was trained.
        temperature: Divisor of its logits; 1 where no other is better.
        held_out: Sureness of each inner prediction, and whether it was right; at most
            `MAX_HELD_OUT`, evenly spaced by sureness, each as often as it weighs.
    """

    fitted: Fitted
    temperature: float
    held_out: tuple[tuple[float, bool], ...]

    def probs(self, indices: np.ndarray) -> np.ndarray:
        """Give the calibrated probabilities of pictures that were read.

        Args:
            indices: Positions, int [M].

        Returns:
            float32 [M, K].
        """
        probs = self.fitted.probs(indices)
        if self.temperature == 1:
            return probs
        return calibration.apply_temperature(probs, self.temperature)

    def output(self, class_names: Sequence[str]) -> SentimentOutput:
        """Give the layer that makes the network's logits the answer.

        Args:
            class_names: Names by class index.

        Returns:
            The last layer of the model that is saved.
        """
        return SentimentOutput(class_names, self.temperature, self.held_out)


def calibrate(
    fitted: Fitted,
    labels: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    are_distributions: bool = False,
) -> Calibrated:
    """Fit a temperature on inner predictions, and keep it if it helps.

    It helps if pictures that did not choose it become likelier by it: each inner fold
    is judged with the temperature of the others.

    Args:
        fitted: What was trained.
        labels: Classes of its training pictures, int [M].
        weights: How much each counts, float [M]; 0 for pictures that are not like
            those to come. All alike if None.
        are_distributions: Whether probabilities are shares of votes over several
            classes, which a temperature that is chosen by labels would sharpen: then
            they stay.

    Returns:
        The training with its temperature.
    """
    inner = fitted.inner
    if inner is None:
        return Calibrated(fitted, 1.0, ())
    weights = np.ones(len(labels)) if weights is None else weights
    counts = (weights > 0) & (inner.folds > 0)
    labels, weights = labels[counts], weights[counts]
    log_probs = inner.log_probs[counts]
    probs = np.exp(log_probs)
    across = calibration.temperature_across_folds(
        probs=probs, labels=labels, folds=inner.folds[counts], weights=weights
    )
    temperature = 1.0
    is_better = _log_loss(across, labels, weights) < _log_loss(probs, labels, weights)
    if is_better and not are_distributions:
        temperature = calibration.fit_temperature(
            log_probs=log_probs, labels=labels, weights=weights
        )
        probs = across
    return Calibrated(fitted, temperature, _thin(probs, labels, weights))


def _log_loss(probs: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    tiny = np.finfo("float32").tiny
    losses = -np.log(probs[np.arange(len(labels)), labels] + tiny)
    return float(np.average(losses, weights=weights))


def _thin(
    probs: np.ndarray, labels: np.ndarray, weights: np.ndarray
) -> tuple[tuple[float, bool], ...]:
    """Keep what stands at even steps of the weight: each counts as it weighs."""
    sureness, is_right = probs.max(axis=1), probs.argmax(axis=1) == labels
    order = np.argsort(sureness, kind="stable")
    is_even = np.ptp(weights) == 0
    count = min(len(order), MAX_HELD_OUT) if is_even else MAX_HELD_OUT
    steps = np.cumsum(weights[order])
    middles = (np.arange(count) + 0.5) / count * steps[-1]
    kept = order[np.searchsorted(steps, middles)]
    return tuple((round(float(sureness[i]), 4), bool(is_right[i])) for i in kept)
