"""What is a fine-tuning to learn? Classes, or ratings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixsent_tf.data.canvases import Examples
from pixsent_tf.data.lists.rated import Ratings, ranges
from pixsent_tf.models.joined import FeatureBlock
from pixsent_tf.training.logistic import LinearHead, fit_head
from pixsent_tf.training.ridge import RidgeHead, fit_ridge


@dataclass(frozen=True)
class ClassAim:
    """Classes that some pictures are to be taken for.

    Attributes:
        indices: Positions of these pictures, int [M].
        targets: Target probabilities times weights of all pictures, float [N, K].
        units: As in `FineTuneLearner.fit`.
    """

    indices: np.ndarray
    targets: np.ndarray
    units: np.ndarray | None

    def examples(self, width: int) -> Examples:
        """Give what descends.

        Args:
            width: Units of the network, K or more.

        Returns:
            The pictures with their targets.
        """
        others = width - self.targets.shape[1]
        padded = np.pad(self.targets, ((0, 0), (0, others)))  # [N, K] -> [N, units]
        return Examples.of_weighted(self.indices, padded, units=self.units)

    def fit_head(
        self, features: np.ndarray, blocks: Sequence[FeatureBlock], seed: int
    ) -> LinearHead:
        """Train a head on frozen features.

        Args:
            features: Of all pictures, float [N, F].
            blocks: Which of them belong together.
            seed: Of the inner folds.

        Returns:
            The head.
        """
        units = None if self.units is None else self.units[self.indices]
        return fit_head(
            features[self.indices],
            self.targets[self.indices],
            units=units,
            blocks=blocks,
            seed=seed,
        )


@dataclass(frozen=True)
class RatingAim:
    """Ratings that some pictures are to be given.

    Attributes:
        indices: Positions of these pictures, int [M].
        ratings: Of all pictures.
        units: As in `FineTuneLearner.fit`.
        mean: Of these pictures' ratings, float64 [T].
        deviation: Likewise, above 0.
    """

    indices: np.ndarray
    ratings: Ratings
    units: np.ndarray | None
    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(
        cls, ratings: Ratings, indices: np.ndarray, units: np.ndarray | None
    ) -> RatingAim:
        """Measure the ratings of some pictures.

        Args:
            ratings: Of all pictures.
            indices: Positions of those that train, int [M].
            units: As in `FineTuneLearner.fit`.

        Returns:
            The aim.
        """
        values = ratings.values[indices]
        deviation = np.maximum(values.std(axis=0), 1e-6)
        return cls(indices, ratings, units, values.mean(axis=0), deviation)

    def examples(self, width: int) -> Examples:
        """Give what descends: deviations from the mean, the sure ones with more weight.

        A picture weighs as the inverse of what raters leave open and a model that
        knows half would, 1 in the mean.

        Args:
            width: Unused: the network has a unit for each rating.

        Returns:
            The pictures with their targets.
        """
        scaled = (self.ratings.values - self.mean) / self.deviation  # [N, T]
        noise = self.ratings.noise / self.deviation**2
        if np.isfinite(noise[self.indices]).any():
            noise = np.where(np.isfinite(noise), noise, np.nanmean(noise[self.indices]))
        noise = np.nan_to_num(noise)  # what is nowhere known weighs nothing
        weights = (1 / (0.5 + noise)).mean(axis=1)
        weights /= weights[self.indices].mean()
        numbers = np.zeros(len(scaled), "int32")
        numbers[self.indices], _ = ranges(self.ratings.values[self.indices, 0])
        return Examples(
            self.indices,
            scaled.astype("float32"),
            weights.astype("float32"),
            self.units,
            numbers,
        )

    def fit_head(
        self, features: np.ndarray, blocks: Sequence[FeatureBlock], seed: int
    ) -> RidgeHead:
        """Train a head on frozen features.

        Args:
            features: Of all pictures, float [N, F].
            blocks: Which of them belong together.
            seed: Of the inner folds.

        Returns:
            The head.
        """
        chosen, deviation = self.indices, self.deviation
        return fit_ridge(
            features[chosen],
            (self.ratings.values[chosen] - self.mean) / deviation,
            noise=self.ratings.noise[chosen] / deviation**2,
            units=None if self.units is None else self.units[chosen],
            blocks=blocks,
            seed=seed,
        )

    def brought_back(self, kernel: np.ndarray, bias: np.ndarray) -> list[np.ndarray]:
        """Make a head of deviations one of ratings.

        Args:
            kernel: Of what was trained, float [F, T].
            bias: Likewise, float [T].

        Returns:
            Kernel and bias that give ratings.
        """
        return [kernel * self.deviation, bias * self.deviation + self.mean]
