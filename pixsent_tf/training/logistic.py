"""How is a head trained on a backbone that does not change?

Each image passes the backbone once; folds, penalties and seeds reuse its features. The
head is logistic regression, so there is nothing to schedule and nothing to stop early.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from pixsent_tf.data import splits
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import DataError, ImageError
from pixsent_tf.inference.frozen import Frozen, FrozenSweep
from pixsent_tf.models.joined import FeatureBlock
from pixsent_tf.progress import NO_PROGRESS, Progress

# Inverse penalties on features of mean squared norm one, which makes them mean the same
# for every backbone. The best lay between 3 and 10 wherever it was looked for.
INVERSE_PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
NUM_INNER_FOLDS = 5
EPSILON = 1e-12


@dataclass(frozen=True)
class Features:
    """What a backbone sees in each picture.

    Attributes:
        values: float32 [N, F]; zero where a picture could not be read.
        failures: The error of each picture that could not be read, by position.
    """

    values: np.ndarray
    failures: dict[int, ImageError]

    @property
    def readable(self) -> np.ndarray:
        """True where a picture could be read, bool [N]."""
        mask = np.ones(len(self.values), dtype=bool)
        mask[list(self.failures)] = False
        return mask


@dataclass(frozen=True)
class InnerPredictions:
    """What heads said about training pictures that they had not seen.

    Attributes:
        log_probs: float64 [M, K], in the order of the training pictures.
        folds: Which inner fold each picture was in, int [M]; 0 where no model has
            predicted it.
    """

    log_probs: np.ndarray
    folds: np.ndarray


@dataclass(frozen=True)
class LinearHead:
    """A linear classifier on features.

    Attributes:
        kernel: float32 [F, K].
        bias: float32 [K].
        inverse_penalty: The inverse penalty that inner cross-validation chose.
        history: One row per penalty tried: inverse penalty, mean inner log loss.
        inner: Predictions of the inner cross-validation at that penalty.
    """

    kernel: np.ndarray
    bias: np.ndarray
    inverse_penalty: float
    history: tuple[tuple[float, float], ...]
    inner: InnerPredictions | None = None

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Score features.

        Args:
            features: float [N, F].

        Returns:
            float32 [N, K].
        """
        return features @ self.kernel + self.bias


def extract_features(
    backbone: keras.Model,
    paths: Sequence[str],
    preprocessor: Preprocessor,
    *,
    batch_size: int = 32,
    progress: Progress = NO_PROGRESS,
) -> Features:
    """Pass each picture through the backbone once, by its center crop.

    Args:
        backbone: Model from crops to features.
        paths: The pictures.
        preprocessor: The backbone's geometry.
        batch_size: Pictures a step.
        progress: Hears how far it is.

    Returns:
        Features in the order of `paths`.

    Raises:
        DataError: If none of the pictures can be read.
    """
    sweep = FrozenSweep(
        Frozen(backbone, preprocessor), paths, batch_size=batch_size, progress=progress
    )
    values = np.zeros((len(paths), backbone.output.shape[-1]), dtype="float32")
    for positions, features in sweep:
        values[positions] = features
    sweep.check()
    return Features(values, sweep.failures)


def fit_head(
    features: np.ndarray,
    targets: np.ndarray,
    *,
    units: np.ndarray | None = None,
    blocks: Sequence[FeatureBlock] = (),
    inverse_penalties: Sequence[float] = INVERSE_PENALTIES,
    seed: int = 0,
) -> LinearHead:
    """Train a logistic head; its penalty is chosen by inner cross-validation.

    Each block of features is centered and divided by one number, the root of its mean
    squared norm; that is folded into the kernel. Rotating them onto their principal
    axes changes no L2-penalized solution and makes wide features as cheap as there are
    examples.

    Args:
        features: float [N, F].
        targets: Target probabilities, float [N, K]; one-hot, or the share of the votes,
            times the weight of the example.
        units: Examples that belong together share a number, int [N]; they share an
            inner fold. None for each its own.
        blocks: Which features belong together; all of them by default.
        inverse_penalties: Inverse penalties to choose from, in rising order.
        seed: Of the inner folds.

    Returns:
        The head.

    Raises:
        DataError: If a class has fewer than two examples.
    """
    inner_folds = deal_inner_folds(targets, units, seed)
    mean = features.mean(axis=0)
    scale = feature_scale(features - mean, blocks or [FeatureBlock(features.shape[1])])
    scaled = ((features - mean) / scale).astype("float64")
    # The matrices are small: more threads than one only wait for each other.
    with threadpool_limits(1):
        _, _, axes = np.linalg.svd(scaled, full_matrices=False)
        rotated = scaled @ axes.T  # [N, min(N, F)]
        log_probs = _inner_predictions(rotated, targets, inverse_penalties, inner_folds)
        losses = -(targets * log_probs).sum(axis=(1, 2)) / len(targets)
        best = int(np.argmin(losses))
        inverse_penalty = inverse_penalties[best]
        (chosen,) = _fit_path(rotated, targets, (inverse_penalty,), tolerance=1e-7)
        kernel, bias = _symmetric(chosen)
    kernel = axes.T @ kernel / scale[:, None]  # [F, K]
    return LinearHead(
        kernel=kernel.astype("float32"),
        bias=(bias - mean @ kernel).astype("float32"),
        inverse_penalty=inverse_penalty,
        history=tuple(zip(inverse_penalties, losses.tolist(), strict=True)),
        inner=InnerPredictions(log_probs[best], inner_folds),
    )


def feature_scale(centered: np.ndarray, blocks: Sequence[FeatureBlock]) -> np.ndarray:
    """Find what makes a penalty mean the same for every backbone.

    Args:
        centered: Features less their means, float [N, F].
        blocks: Which features belong together.

    Returns:
        Divisor of each feature, [F], that gives every block its share of the norm.
    """
    scale = np.ones(centered.shape[1])
    start = 0
    for block in blocks:
        part = slice(start, start + block.width)
        if block.standardize:
            scale[part] = centered[:, part].std(axis=0) + EPSILON
        squared_norms = ((centered[:, part] / scale[part]) ** 2).sum(axis=1)
        scale[part] *= np.sqrt(squared_norms.mean() / block.share) + EPSILON
        start += block.width
    return scale


def deal_inner_folds(
    targets: np.ndarray, units: np.ndarray | None, seed: int
) -> np.ndarray:
    """Deal training examples into inner folds.

    Args:
        targets: As `fit_head` takes them, [M, K].
        units: As `fit_head` takes them; they share a fold.
        seed: Of the dealing.

    Returns:
        Fold of each example, int [M], from 1: five of them, or as many as the
        smallest class has different pictures.

    Raises:
        DataError: If a class has fewer than two.
    """
    labels = targets.argmax(axis=1)
    kept_together = np.arange(len(labels)) if units is None else units
    # A class that others always outvote is learnt from its shares.
    is_outvoted = (targets > 0).any(axis=0) & (
        np.bincount(labels, minlength=targets.shape[1]) == 0
    )
    fewest = min(
        len(np.unique(kept_together[labels == k])) for k in np.flatnonzero(~is_outvoted)
    )
    if fewest < 2:
        of_what = "pictures" if units is None else "different pictures"
        raise DataError(
            f"Each class needs two readable training {of_what}; one has {fewest}."
        )
    num_folds = min(NUM_INNER_FOLDS, fewest)
    return splits.stratified_folds(labels, num_folds, seed=seed, units=units)


def _inner_predictions(
    features: np.ndarray,
    targets: np.ndarray,
    inverse_penalties: Sequence[float],
    folds: np.ndarray,
) -> np.ndarray:
    """Out-of-fold log probabilities, [penalties, M, K]."""
    log_probs = np.zeros((len(inverse_penalties), *targets.shape))
    for fold in np.unique(folds):
        train, test = folds != fold, folds == fold
        path = _fit_path(features[train], targets[train], inverse_penalties)
        for i, model in enumerate(path):
            kernel, bias = _symmetric(model)
            # stays finite where the probability itself is too small for a number
            log_probs[i, test] = log_softmax(features[test] @ kernel + bias, axis=1)
    return log_probs


def _fit_path(
    features: np.ndarray,
    targets: np.ndarray,
    inverse_penalties: Sequence[float],
    tolerance: float = 1e-4,
) -> Iterator[LogisticRegression]:
    """Yield the solution for each penalty; each starts from the one before.

    A picture whose votes are split counts once for each class, by its share.
    """
    rows, labels = np.nonzero(targets)
    weights = targets[rows, labels]
    model = LogisticRegression(max_iter=10_000, tol=tolerance, warm_start=True)
    for inverse_penalty in inverse_penalties:
        yield model.set_params(C=inverse_penalty).fit(features[rows], labels, weights)


def _symmetric(model: LogisticRegression) -> tuple[np.ndarray, np.ndarray]:
    """Give kernel [F, K] and bias [K] of a softmax, also for two classes."""
    if len(model.classes_) > 2:
        return model.coef_.T, model.intercept_
    half = model.coef_[0] / 2
    bias = model.intercept_[0] / 2
    return np.stack([-half, half], axis=1), np.array([-bias, bias])
