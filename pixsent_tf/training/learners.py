"""What does every learner promise? One per strategy, all used in the same way.

learner.read(paths)                      decode, and compute what every fit shares
fitted = learner.fit(indices, targets)   as often as there are folds or trials
fitted.probs(indices)                    of any picture that was read
fitted.classifier()                      the network, crops -> logits

learner.fit_ratings(indices, ratings)    where it learns ratings too
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import keras
import numpy as np

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.lists.rated import Ratings
from pixsent_tf.errors import ImageError
from pixsent_tf.training.logistic import InnerPredictions
from pixsent_tf.training.rated import FittedRatings


class Fitted(Protocol):
    """What one training found."""

    @property
    def history(self) -> list[dict[str, float]]:
        """One row per epoch, or per penalty that was tried."""

    @property
    def inner(self) -> InnerPredictions | None:
        """What inner models said about the training pictures, if there were any."""

    def probs(self, indices: np.ndarray) -> np.ndarray:
        """Give the probabilities of pictures that were read, float32 [M, K]."""

    def classifier(self) -> keras.Model:
        """Give the network from crops to logits."""


class Learner(Protocol):
    """A strategy with its settings."""

    @property
    def preprocess(self) -> PreprocessConfig:
        """Geometry of the crops."""

    @property
    def failures(self) -> dict[int, ImageError]:
        """The error of each picture that could not be read, by position."""

    def read(self, paths: Sequence[str]) -> None:
        """Read all pictures once; fills `failures`."""

    def fit(
        self,
        indices: np.ndarray,
        targets: np.ndarray,
        *,
        units: np.ndarray | None = None,
        checkpoints: Path | None = None,
    ) -> Fitted:
        """Train on some of the pictures; targets are float [N, K], of all of them.

        Pictures that share a unit, int [N], are never divided between what trains and
        what chooses: an inner fold, or the part that stops a training early.

        What a killed training goes on from is kept in the folder `checkpoints`, also
        when it has ended: who keeps what it led to removes it. None keeps nothing.
        """


@runtime_checkable
class RatingLearner(Protocol):
    """A strategy that learns ratings too."""

    def fit_ratings(
        self,
        indices: np.ndarray,
        ratings: Ratings,
        *,
        units: np.ndarray | None = None,
        checkpoints: Path | None = None,
    ) -> FittedRatings:
        """Train on the ratings of some of the pictures; `ratings` are of all of them.

        Units and checkpoints are those of `Learner.fit`.
        """
