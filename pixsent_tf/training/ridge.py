"""How is a head of ratings trained on features that do not change? By ridge regression.

All targets share the features, and each has a penalty of its own, chosen by inner
folds. Where deviation and number of the raters are known, a picture weighs as much as
its rating is worth: the inverse of what the mean of so few raters and the model
together leave open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from pixsent_tf.data import splits
from pixsent_tf.data.lists.rated import ranges
from pixsent_tf.errors import DataError
from pixsent_tf.models.joined import FeatureBlock
from pixsent_tf.training.logistic import NUM_INNER_FOLDS, feature_scale

# On features of mean squared norm one, as in `logistic`
INVERSE_PENALTIES = tuple(10.0 ** (k / 2) for k in range(-6, 7))
FEWEST = 10  # pictures to learn ratings from


@dataclass(frozen=True)
class RidgeHead:
    """A linear map from features to ratings.

    Attributes:
        kernel: float32 [F, T].
        bias: float32 [T].
        inverse_penalties: What inner folds chose for each target, [T].
        history: For each inverse penalty tried, it and the inner root mean squared
            error of each target, [1 + T].
        inner: What heads said of training pictures that they had not seen, at the
            chosen penalties, float64 [M, T].
    """

    kernel: np.ndarray
    bias: np.ndarray
    inverse_penalties: tuple[float, ...]
    history: tuple[tuple[float, ...], ...]
    inner: np.ndarray

    def ratings(self, features: np.ndarray) -> np.ndarray:
        """Rate by features.

        Args:
            features: float [N, F].

        Returns:
            float32 [N, T], which may leave the scale.
        """
        return features @ self.kernel + self.bias


def fit_ridge(
    features: np.ndarray,
    ratings: np.ndarray,
    *,
    noise: np.ndarray | None = None,
    units: np.ndarray | None = None,
    blocks: Sequence[FeatureBlock] = (),
    inverse_penalties: Sequence[float] = INVERSE_PENALTIES,
    seed: int = 0,
) -> RidgeHead:
    """Train a head of ratings; its penalties are chosen by inner cross-validation.

    Args:
        features: float [N, F].
        ratings: float [N, T].
        noise: Variance of each rating, float [N, T]; NaN where it is unknown, None
            where it is nowhere known.
        units: Examples that belong together share a number, int [N]; they share an
            inner fold. None for each its own.
        blocks: Which features belong together; all of them by default.
        inverse_penalties: To choose from, in rising order.
        seed: Of the inner folds.

    Returns:
        The head.

    Raises:
        DataError: If there are too few pictures.
    """
    if len(ratings) < FEWEST:
        raise DataError(
            f"Ratings need {FEWEST} readable training pictures; there are "
            f"{len(ratings)}."
        )
    labels, names = ranges(ratings[:, 0])
    kept_together = np.arange(len(labels)) if units is None else units
    fewest = min(len(np.unique(kept_together[labels == k])) for k in range(len(names)))
    if fewest < 2:
        raise DataError(
            "Copies and groups tie the rated pictures together, so that no inner split "
            "leaves some on both sides; use smaller groups."
        )
    folds = splits.stratified_folds(
        labels, min(NUM_INNER_FOLDS, fewest), seed=seed, units=units
    )
    mean = features.mean(axis=0)
    scale = feature_scale(features - mean, blocks or [FeatureBlock(features.shape[1])])
    scaled = ((features - mean) / scale).astype("float64")
    with threadpool_limits(1):
        _, _, axes = np.linalg.svd(scaled, full_matrices=False)
        solver = _Solver(scaled @ axes.T, folds, tuple(inverse_penalties))
        found = [
            solver.solve(ratings[:, k], None if noise is None else noise[:, k])
            for k in range(ratings.shape[1])
        ]
    kernel = axes.T @ np.stack([one.kernel for one in found], axis=1)
    kernel /= scale[:, None]  # [F, T]
    bias = np.array([one.bias for one in found]) - mean @ kernel
    errors = np.stack([one.errors for one in found], axis=1)  # [penalties, T]
    return RidgeHead(
        kernel=kernel.astype("float32"),
        bias=bias.astype("float32"),
        inverse_penalties=tuple(one.inverse_penalty for one in found),
        history=tuple(
            (penalty, *row.tolist())
            for penalty, row in zip(inverse_penalties, errors, strict=True)
        ),
        inner=np.stack([one.inner for one in found], axis=1),
    )


@dataclass(frozen=True)
class _Solution:
    """What was found for one target: as in `RidgeHead`, for rotated features."""

    kernel: np.ndarray
    bias: float
    inverse_penalty: float
    errors: np.ndarray
    inner: np.ndarray


@dataclass(frozen=True)
class _Solver:
    """Features, rotated onto their axes, with inner folds and penalties."""

    features: np.ndarray
    folds: np.ndarray
    inverse_penalties: tuple[float, ...]

    def solve(self, ratings: np.ndarray, noise: np.ndarray | None) -> _Solution:
        """Find one target's penalty and kernel."""
        weights = np.ones(len(ratings))
        answers, errors = self._inner(ratings, weights)
        if noise is not None and np.isfinite(noise).any():
            weights = self._precision(ratings, answers[errors.argmin()], noise)
            answers, errors = self._inner(ratings, weights)
        best = int(errors.argmin())
        chosen = self.inverse_penalties[best]
        ((kernel, bias),) = _path(self.features, ratings, weights, (chosen,))
        return _Solution(kernel, bias, chosen, errors, answers[best])

    def _inner(
        self, ratings: np.ndarray, weights: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Out-of-fold answers, [penalties, N], and their root mean squared errors."""
        answers = np.zeros((len(self.inverse_penalties), len(ratings)))
        for fold in np.unique(self.folds):
            train, test = self.folds != fold, self.folds == fold
            path = _path(
                self.features[train],
                ratings[train],
                weights[train],
                self.inverse_penalties,
            )
            for i, (kernel, bias) in enumerate(path):
                answers[i, test] = self.features[test] @ kernel + bias
        squares = (answers - ratings) ** 2
        return answers, np.sqrt(np.average(squares, axis=1, weights=weights))

    def _precision(
        self, ratings: np.ndarray, answers: np.ndarray, noise: np.ndarray
    ) -> np.ndarray:
        """Inverse of what raters and model leave open of each rating, 1 in the mean."""
        noise = np.where(np.isfinite(noise), noise, np.nanmean(noise))
        squares = (ratings - answers) ** 2
        model = max(float((squares - noise).mean()), 0.1 * float(squares.mean()), 1e-12)
        weights = 1 / (model + noise)
        return weights / weights.mean()


def _path(
    features: np.ndarray,
    ratings: np.ndarray,
    weights: np.ndarray,
    inverse_penalties: Sequence[float],
) -> Iterator[tuple[np.ndarray, float]]:
    """Yield kernel and bias for each penalty, from one decomposition.

    They make the weighted squared errors and the squared kernel, divided by the inverse
    penalty, together smallest; the bias is not penalized.
    """
    mean = np.average(features, axis=0, weights=weights)
    middle = float(np.average(ratings, weights=weights))
    root = np.sqrt(weights)[:, None]
    centered, residuals = (features - mean) * root, (ratings - middle) * root[:, 0]
    is_wide = len(centered) < centered.shape[1]
    # the smaller of the two Gram matrices has all there is, and is quick to take apart
    gram = centered @ centered.T if is_wide else centered.T @ centered
    sizes, axes = np.linalg.eigh(gram)
    shares = axes.T @ (residuals if is_wide else centered.T @ residuals)
    for inverse_penalty in inverse_penalties:
        solved = axes @ (shares / (sizes.clip(0) + 1 / inverse_penalty))
        kernel = centered.T @ solved if is_wide else solved
        yield kernel, middle - float(mean @ kernel)
