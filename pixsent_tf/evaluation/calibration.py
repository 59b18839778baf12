"""How do scores become probabilities that can be trusted, and when to stay silent?

Everything here is fitted on predictions of pictures that did not train the model: the
inner folds of a training part, or the out-of-fold predictions of a cross-validation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.isotonic import IsotonicRegression

from pixsent_tf.errors import ConfigError

if TYPE_CHECKING:
    from pixsent_tf.results.studies import Answering

LOG_TEMPERATURE_BOUNDS = (-3.0, 3.0)  # 0.05 to 20
# Above 1 in float32, too, in which probabilities are compared with it.
UNREACHED = float(np.nextafter(np.float32(1), np.float32(2)))


def fit_temperature(
    *, log_probs: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """Find the divisor of the logits that makes held-out probabilities most likely.

    Args:
        log_probs: Logits, or logarithms of probabilities, of pictures that did not
            train, float [N, K].
        labels: Class indices, int [N].
        weights: How much each picture counts, float [N]; all alike if None.

    Returns:
        The temperature: above 1 where the model was surer than it was right. A
        standard normal prior on its logarithm weighs as much as one picture, so that a
        few pictures that are all right do not make the model infinitely sure.

    Raises:
        ValueError: If there are no predictions, or not as many as labels.

    Reference:
        Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
    """
    if len(labels) == 0 or len(labels) != len(log_probs):
        raise ValueError(
            f"{len(log_probs)} predictions do not fit {len(labels)} labels."
        )
    scores = np.asarray(log_probs, dtype="float64")
    rows = np.arange(len(labels))
    counts = np.ones(len(labels)) if weights is None else weights / weights.mean()

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(scores / np.exp(log_temperature), axis=1)
        return float(log_temperature**2 / 2 - counts @ scaled[rows, labels])

    found = minimize_scalar(loss, bounds=LOG_TEMPERATURE_BOUNDS, method="bounded")
    return float(np.exp(found.x))


def apply_temperature(probs: np.ndarray, temperature: float) -> np.ndarray:
    """Recalibrate probabilities as the output layer recalibrates logits.

    Args:
        probs: Probabilities at temperature 1, float [N, K].
        temperature: What `fit_temperature` found.

    Returns:
        Probabilities, in the dtype of `probs`; rows sum to one and keep their order.
    """
    tiny = np.finfo("float32").tiny
    logits = np.log(np.clip(probs.astype("float64"), tiny, None))
    return softmax(logits / temperature, axis=1).astype(probs.dtype)


def temperature_across_folds(
    *,
    probs: np.ndarray,
    labels: np.ndarray,
    folds: np.ndarray,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Recalibrate each fold with the temperature of all others.

    So no picture helps to choose the temperature that it is judged with.

    Args:
        probs: Out-of-fold probabilities, float [N, K].
        labels: Class indices, int [N].
        folds: Test fold of each picture, int [N]; two or more.
        weights: How much each picture counts, float [N]; all alike if None.

    Returns:
        Recalibrated probabilities, float [N, K].
    """
    calibrated = np.empty_like(probs)
    for fold in np.unique(folds):
        held_out = folds == fold
        temperature = fit_temperature(
            log_probs=np.log(np.clip(probs[~held_out], 1e-12, None)),
            labels=labels[~held_out],
            weights=None if weights is None else weights[~held_out],
        )
        calibrated[held_out] = apply_temperature(probs[held_out], temperature)
    return calibrated


def isotonic_across_folds(
    *, predicted: np.ndarray, happened: np.ndarray, folds: np.ndarray
) -> np.ndarray:
    """Recalibrate each fold by isotonic regression on all others, for comparison.

    Args:
        predicted: Out-of-fold probability of the event, float [N].
        happened: Whether it came true, bool [N].
        folds: Test fold of each picture, int [N]; two or more.

    Returns:
        Recalibrated probability of the event, float64 [N].
    """
    calibrated = np.empty(len(predicted))
    for fold in np.unique(folds):
        held_out = folds == fold
        regression = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
        regression.fit(predicted[~held_out], happened[~held_out])
        calibrated[held_out] = regression.predict(predicted[held_out])
    return calibrated


@dataclass(frozen=True)
class Abstention:
    """When to answer `unsure`.

    Attributes:
        threshold: Smallest probability of the answer at which to answer, 0…1; above 1
            where no threshold reaches the precision.
        precision: Share of right answers among those given, where it was chosen.
        coverage: Share of the pictures that get an answer, where it was chosen.
        num_answered: Pictures that get an answer, where it was chosen.
    """

    threshold: float
    precision: float
    coverage: float
    num_answered: int


def check_precision(precision: object) -> None:
    """Refuse what is no precision that answers can have.

    Args:
        precision: What was asked for.

    Raises:
        ConfigError: If it is no number above 0 and at most 1.
    """
    is_number = isinstance(precision, (int, float)) and not isinstance(precision, bool)
    if not (is_number and 0 < precision <= 1):  # type: ignore[operator]
        raise ConfigError(
            f"precision={precision!r} must be a number above 0 and at most 1."
        )


def abstention_for_precision(
    *, probs: np.ndarray, labels: np.ndarray, precision: float
) -> Abstention:
    """Choose the lowest threshold at which answers are right often enough.

    Args:
        probs: Calibrated probabilities of pictures that did not train, float [N, K].
        labels: Class indices, int [N].
        precision: Share of the given answers that are to be right, 0…1.

    Returns:
        The threshold that answers most pictures at that precision; one that answers
        none where the precision is out of reach.

    Raises:
        ConfigError: If `precision` is not between 0 and 1.
    """
    return abstention_of(
        sureness=probs.max(axis=1),
        is_right=probs.argmax(axis=1) == labels,
        precision=precision,
    )


def abstention_of(
    *, sureness: np.ndarray, is_right: np.ndarray, precision: float
) -> Abstention:
    """Choose the threshold from answers, as `abstention_for_precision` does.

    Args:
        sureness: Probability of the answer to each picture, float [N].
        is_right: Whether the answer is right, bool [N].
        precision: Share of the given answers that are to be right, 0…1.

    Returns:
        The threshold.

    Raises:
        ConfigError: If `precision` is not between 0 and 1.
    """
    check_precision(precision)
    order = np.argsort(-sureness, kind="stable")
    correct = is_right[order]
    shares = np.cumsum(correct) / np.arange(1, len(correct) + 1)
    ordered = sureness[order]
    ends = np.append(ordered[:-1] > ordered[1:], True)  # never cut between equals
    reached = np.flatnonzero((shares >= precision) & ends)
    if len(reached) == 0:
        return Abstention(UNREACHED, 1.0, 0.0, 0)
    last = reached[-1]
    return Abstention(
        threshold=float(ordered[last]),
        precision=float(shares[last]),
        coverage=float((last + 1) / len(correct)),
        num_answered=int(last + 1),
    )


def abstain(*, probs: np.ndarray, labels: np.ndarray, threshold: float) -> Abstention:
    """Measure a threshold that was chosen elsewhere.

    Args:
        probs: Calibrated probabilities, float [N, K].
        labels: Class indices, int [N].
        threshold: Smallest probability of the answer at which to answer.

    Returns:
        What the threshold reaches here.
    """
    answered = probs.max(axis=1) >= threshold
    correct = probs.argmax(axis=1) == labels
    count = int(answered.sum())
    return Abstention(
        threshold=threshold,
        precision=float(correct[answered].mean()) if count else 1.0,
        coverage=count / len(labels),
        num_answered=count,
    )


def abstention_across_folds(
    *, probs: np.ndarray, labels: np.ndarray, folds: np.ndarray, precision: float
) -> Answering:
    """Choose the threshold on all folds but one, measure it on that one, pool.

    Args:
        probs: Out-of-fold probabilities, float [N, K].
        labels: Class indices, int [N].
        folds: Test fold of each picture, int [N]; two or more.
        precision: Share of the given answers that are to be right, 0…1.

    Returns:
        What it reaches on pictures that chose no threshold.
    """
    right = answered = 0
    for fold in np.unique(folds):
        held_out = folds == fold
        chosen = abstention_for_precision(
            probs=probs[~held_out], labels=labels[~held_out], precision=precision
        )
        measured = abstain(
            probs=probs[held_out],
            labels=labels[held_out],
            threshold=chosen.threshold,
        )
        answered += measured.num_answered
        right += round(measured.precision * measured.num_answered)
    return {
        "precision": right / answered if answered else 1.0,
        "coverage": answered / len(labels),
        "num_answered": answered,
    }
