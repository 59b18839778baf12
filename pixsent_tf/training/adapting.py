"""How does a trained head become one for other pictures, from a few labels?

    logits = scale * what the model says + shift + standardized features @ kernel

Normal priors hold the scale near 1, the shift and the kernel near 0: with few labels
the head stays what it was, with many it becomes what they say. Three candidates differ
by what may move; their order is that of simplicity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax
from threadpoolctl import threadpool_limits

from pixsent_tf.data.splits import stratified_folds
from pixsent_tf.training.logistic import InnerPredictions

AS_IS, SCALE, HEAD = CANDIDATES = ("as-is", "scale", "head")
# Chosen on DeepSent and OASIS, each as the world of a model trained on the other; all
# are flat around these values from 25 to 350 labels.
SCALE_DEVIATION = 0.3
SHIFT_DEVIATION = 1.0
KERNEL_DEVIATION = 2.0  # of a kernel on features of mean squared norm one
VARIANCE_FLOOR = 0.1  # of the mean variance: a feature that hardly varies says little
NUM_FOLDS = 5
MAX_REPEATS = 5
ENOUGH_PREDICTIONS = 300  # labels times repeats of the inner folds


@dataclass(frozen=True)
class Head:
    """A linear classifier on features.

    Attributes:
        kernel: float [F, K].
        bias: float [K].
    """

    kernel: np.ndarray
    bias: np.ndarray

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Score features.

        Args:
            features: float [N, F].

        Returns:
            float [N, K].
        """
        return features @ self.kernel + self.bias


@dataclass(frozen=True)
class Standard:
    """How features of one collection are brought to a common scale.

    Attributes:
        mean: float64 [F].
        scale: Divisor of each feature, float64 [F].
    """

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> Standard:
        """Measure a collection.

        Args:
            features: float [N, F], of pictures with labels or without.

        Returns:
            What gives each of its features the same variance, and all together a mean
            squared norm of one.
        """
        features = features.astype("float64")
        mean, variance = features.mean(axis=0), features.var(axis=0)
        tiny = np.finfo("float64").tiny
        scale = np.sqrt(variance + VARIANCE_FLOOR * variance.mean() + tiny)
        return cls(mean, scale * np.sqrt((variance / scale**2).sum() + tiny))

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Bring features to that scale, float64 [N, F]."""
        return (features - self.mean) / self.scale


@dataclass(frozen=True)
class Loss:
    """How well a candidate does on labels that did not train it.

    Attributes:
        name: One of `CANDIDATES`.
        loss: Mean over labels and repeats; of classes the log loss.
        gain: How much lower it is than the head's; 0 for the head itself.
        gain_error: Standard error of that; what hangs together errs together.
    """

    name: str
    loss: float
    gain: float
    gain_error: float


@dataclass(frozen=True)
class Adapted:
    """What became of a head.

    Attributes:
        choice: One of `CANDIDATES`.
        head: The head to answer with.
        losses: Of the candidates, in the order of `CANDIDATES`.
        inner: What the chosen candidate said about labels that did not train it.
    """

    choice: str
    head: Head
    losses: tuple[Loss, ...]
    inner: InnerPredictions


def adapt_head(
    head: Head,
    features: np.ndarray,
    labels: np.ndarray,
    *,
    standard: Standard,
    units: np.ndarray | None = None,
    seed: int = 0,
) -> Adapted:
    """Move a head to where some labels are, as far as they tell.

    The head is moved unless a simpler candidate does better by more than a standard
    error on labels that did not train it. The prior already pulls to the head as it
    was; a rule that starts at the other end loses most of the gain from few labels, as
    their noise is larger than it.

    Args:
        head: As it was trained elsewhere.
        features: Of the labelled pictures, float [N, F].
        labels: Class indices, int [N]; two different units of each class or more.
        standard: Of the collection that the pictures are from.
        units: Pictures that belong together share a number, int [N]; they share an
            inner fold. None for each its own.
        seed: Of the inner folds.

    Returns:
        The head, what was chosen, and by which numbers.

    Raises:
        DataError: If a class has fewer than two units, or units tie a class together.
    """
    targets = np.eye(len(head.bias))[labels]
    units = np.arange(len(labels)) if units is None else units
    said = head.logits(features).astype("float64")
    scaled = standard(features)
    # The matrices are small: more threads than one only wait for each other.
    with threadpool_limits(1):
        # rotated onto principal axes, as wide as there are labels, nothing changes
        _, _, axes = np.linalg.svd(scaled, full_matrices=False)
        seen = {SCALE: np.zeros((len(labels), 0)), HEAD: scaled @ axes.T}
        folds = repeated_folds(labels, units, seed)
        log_probs = _inner_log_probs(said, seen, targets, folds)
        each = {
            name: -(targets * found).sum(axis=2).mean(axis=0)
            for name, found in log_probs.items()
        }
        losses = compare_losses(each, units)
        choice = choose(losses)
        adapted = head
        if choice != AS_IS:
            change = _fit(said, seen[choice], targets)
            kernel = axes.T @ change.kernel if choice == HEAD else None
            adapted = move(head, standard, change.scale, change.shift, kernel)
    inner = InnerPredictions(log_probs[choice][0], folds[0])
    return Adapted(choice, adapted, losses, inner)


def choose(losses: Sequence[Loss]) -> str:
    """Choose the head, unless a simpler candidate is better by a standard error.

    Args:
        losses: Of the candidates, the simplest first.

    Returns:
        The name of the simplest that is so much better; else that of the last.
    """
    better = [one.name for one in losses if one.gain > one.gain_error]
    return better[0] if better else losses[-1].name


@dataclass(frozen=True)
class _Change:
    """What moves: scale, shift [K] and kernel [D, K]."""

    scale: float
    shift: np.ndarray
    kernel: np.ndarray

    def logits(self, said: np.ndarray, seen: np.ndarray) -> np.ndarray:
        return self.scale * said + self.shift + seen @ self.kernel


def _fit(said: np.ndarray, seen: np.ndarray, targets: np.ndarray) -> _Change:
    """Find the likeliest change, given the priors; the problem is convex.

    Args:
        said: Logits of the head as it was, [N, K].
        seen: Features that may count anew, [N, D]; D may be 0.
        targets: One-hot labels, [N, K].
    """
    width, num_classes = seen.shape[1], said.shape[1]
    deviations = np.full(1 + num_classes * (1 + width), KERNEL_DEVIATION)
    deviations[0] = SCALE_DEVIATION
    deviations[1 : 1 + num_classes] = SHIFT_DEVIATION
    start = np.zeros(len(deviations))
    start[0] = 1.0

    def unpack(values: np.ndarray) -> _Change:
        shift, kernel = np.split(values[1:], [num_classes])
        return _Change(values[0], shift, kernel.reshape(width, num_classes))

    def cost(values: np.ndarray) -> tuple[float, np.ndarray]:
        log_probs = log_softmax(unpack(values).logits(said, seen), axis=1)
        excess = np.exp(log_probs) - targets
        gradient = [[(excess * said).sum()], excess.sum(axis=0), (seen.T @ excess).flat]
        off = (values - start) / deviations
        loss = float(off @ off / 2 - (targets * log_probs).sum())
        return loss, np.concatenate(gradient) + off / deviations

    options = {"maxiter": 500, "ftol": 1e-10, "gtol": 1e-6}
    found = minimize(cost, start, jac=True, method="L-BFGS-B", options=options)
    return unpack(found.x)


def move(
    head: Head,
    standard: Standard,
    scale: float | np.ndarray,
    shift: np.ndarray,
    kernel: np.ndarray | None,
) -> Head:
    """Write a change as a head on the features as they come.

    Args:
        head: As it was.
        standard: Of the collection.
        scale: Factor of what it says, of all outputs or of each, [K].
        shift: Added to that, float [K].
        kernel: From standardized features to what is added too, float [F, K]; None for
            nothing.

    Returns:
        The head that says all of it.
    """
    new_kernel = scale * head.kernel.astype("float64")
    bias = scale * head.bias.astype("float64") + shift
    if kernel is not None:
        kernel = kernel / standard.scale[:, None]
        new_kernel = new_kernel + kernel
        bias = bias - standard.mean @ kernel
    return Head(new_kernel.astype("float32"), bias.astype("float32"))


def repeated_folds(labels: np.ndarray, units: np.ndarray, seed: int) -> np.ndarray:
    """Deal labels into folds several times, few labels more often.

    Args:
        labels: Class indices, or ranges of ratings, int [N].
        units: Pictures that belong together share a number, int [N].
        seed: Of the folds.

    Returns:
        Number of each one's fold, from 1, int [R, N].
    """
    fewest = min(len(np.unique(units[labels == k])) for k in np.unique(labels))
    repeats = int(np.clip(ENOUGH_PREDICTIONS // len(labels), 1, MAX_REPEATS))
    return np.stack(
        [
            stratified_folds(labels, min(NUM_FOLDS, fewest), seed=seed + i, units=units)
            for i in range(repeats)
        ]
    )


def _inner_log_probs(
    said: np.ndarray,
    seen: Mapping[str, np.ndarray],
    targets: np.ndarray,
    folds: np.ndarray,
) -> dict[str, np.ndarray]:
    """What each candidate says of labels that did not train it, [R, N, K] each."""
    shape = (len(folds), *said.shape)
    found = {name: np.zeros(shape) for name in CANDIDATES}
    found[AS_IS][:] = log_softmax(said, axis=1)
    for dealt, *rows in zip(folds, *(found[name] for name in seen), strict=True):
        for fold in np.unique(dealt):
            train, test = dealt != fold, dealt == fold
            for row, inputs in zip(rows, seen.values(), strict=True):
                change = _fit(said[train], inputs[train], targets[train])
                logits = change.logits(said[test], inputs[test])
                row[test] = log_softmax(logits, axis=1)
    return found


def compare_losses(
    each: Mapping[str, np.ndarray], units: np.ndarray
) -> tuple[Loss, ...]:
    """Compare the candidates with the head, label by label.

    Args:
        each: Loss of each label by the name of the candidate, float [N].
        units: Pictures that belong together share a number, int [N].

    Returns:
        The losses of the candidates, in the order of `CANDIDATES`.
    """
    losses = []
    for name in CANDIDATES:
        gains = each[HEAD] - each[name]
        losses.append(
            Loss(
                name,
                float(each[name].mean()),
                float(gains.mean()),
                _error(gains, units),
            )
        )
    return tuple(losses)


def _error(values: np.ndarray, units: np.ndarray) -> float:
    """Standard error of a mean of values that hang together within units."""
    _, numbers = np.unique(units, return_inverse=True)
    sums = np.bincount(numbers, weights=values - values.mean())
    count = len(sums)
    if count < 2:
        return float("inf")
    return float(np.sqrt((sums**2).sum() * count / (count - 1)) / len(values))
