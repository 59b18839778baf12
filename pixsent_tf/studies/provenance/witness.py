"""Which pictures was a training shown? A witness stands beside it and notes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.lists.rated import Ratings
from pixsent_tf.errors import ImageError
from pixsent_tf.training.learners import Fitted, Learner, RatingLearner
from pixsent_tf.training.rated import FittedRatings


@dataclass
class Witness:
    """A learner that notes which pictures it is shown, and is shown no others' labels.

    Attributes:
        learner: Has read the pictures.
        trained: Positions of those whose labels it was given.
        validated: Positions of those that it was scored on.
    """

    learner: Learner
    trained: set[int] = field(default_factory=set)
    validated: set[int] = field(default_factory=set)

    @property
    def preprocess(self) -> PreprocessConfig:
        """Geometry of the learner's crops."""
        return self.learner.preprocess

    @property
    def failures(self) -> dict[int, ImageError]:
        """The error of each picture that could not be read, by position."""
        return self.learner.failures

    def read(self, paths: Sequence[str]) -> None:
        """Read all pictures once.

        Args:
            paths: The pictures.
        """
        self.learner.read(paths)

    def fit(
        self,
        indices: np.ndarray,
        targets: np.ndarray,
        *,
        units: np.ndarray | None = None,
        checkpoints: Path | None = None,
    ) -> Fitted:
        """Train on some of the pictures; the labels of the others are blanked out.

        Args:
            indices: Positions of the training pictures, int [M].
            targets: Target probabilities of all pictures, float [N, K].
            units: As the learner takes them.
            checkpoints: As the learner takes them.

        Returns:
            What was found.
        """
        self.trained.update(np.asarray(indices).tolist())
        shown = np.full_like(targets, np.nan)
        shown[indices] = targets[indices]
        return self.learner.fit(indices, shown, units=units, checkpoints=checkpoints)

    def fit_ratings(
        self,
        indices: np.ndarray,
        ratings: Ratings,
        *,
        units: np.ndarray | None = None,
        checkpoints: Path | None = None,
    ) -> FittedRatings:
        """Train on ratings; those of the other pictures are blanked out.

        Args:
            indices: Positions of the training pictures, int [M].
            ratings: Of all pictures.
            units: As the learner takes them.
            checkpoints: As the learner takes them.

        Returns:
            What was found.
        """
        assert isinstance(self.learner, RatingLearner)  # the recipe sees to that
        self.trained.update(np.asarray(indices).tolist())
        shown = ratings.only(indices)
        return self.learner.fit_ratings(
            indices, shown, units=units, checkpoints=checkpoints
        )

    def validate(
        self, fitted: Fitted | FittedRatings, indices: np.ndarray
    ) -> np.ndarray:
        """Predict pictures whose labels will score a trial.

        Args:
            fitted: What `fit` or `fit_ratings` returned.
            indices: Their positions, int [M].

        Returns:
            Probabilities, float32 [M, K], or ratings.
        """
        self.validated.update(np.asarray(indices).tolist())
        return fitted.probs(indices)
