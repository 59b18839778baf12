"""What does a training find that ends in ratings?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import keras
import numpy as np

from pixsent_tf.data.lists.rated import Ratings
from pixsent_tf.evaluation import conformal
from pixsent_tf.models.output import RatingOutput


class RatingNetwork(Protocol):
    """A head on frozen features, or a fine-tuned network, that gives ratings."""

    @property
    def history(self) -> list[dict[str, float]]:
        """One row per epoch, or per penalty that was tried."""

    def probs(self, indices: np.ndarray) -> np.ndarray:
        """Rate pictures that were read, float32 [M, T], also beyond the scale."""

    def classifier(self) -> keras.Model:
        """Give the network from crops to ratings."""


class FittedRatings:
    """A training on ratings; how sure it is, it says by intervals.

    It is used as a `Calibrated` is.

    Args:
        fitted: What was trained.
        known: The ratings that trained it, [M, T].
        inner: What inner trainings said of these pictures, which they had not seen,
            float [M, T]; NaN where none did.
    """

    temperature = 1.0  # there is nothing to divide

    def __init__(
        self, fitted: RatingNetwork, known: Ratings, inner: np.ndarray
    ) -> None:
        self.fitted = fitted
        self.known = known
        errors = np.abs(inner.clip(*known.scale) - known.values)
        errors = errors[np.isfinite(errors).all(axis=1)]
        self.half_widths = [conformal.half_width(column) for column in errors.T]

    def probs(self, indices: np.ndarray) -> np.ndarray:
        """Rate pictures that were read.

        Args:
            indices: Positions, int [M].

        Returns:
            Ratings where others give probabilities, float32 [M, T], on the scale.
        """
        return self.fitted.probs(indices).clip(*self.known.scale).astype("float32")

    def output(self, class_names: Sequence[str]) -> RatingOutput:
        """Give the layer that makes the network's numbers the answer.

        Args:
            class_names: Unused: ratings have none.

        Returns:
            The last layer of the model that is saved.
        """
        known = self.known
        return RatingOutput(known.targets, known.scale, self.half_widths)
