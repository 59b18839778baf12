"""How is a head trained on features that a frozen backbone gives once?"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from scipy.special import softmax

from pixsent_tf.config import Recipe
from pixsent_tf.data.lists.rated import Ratings
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import ImageError, TrainingError
from pixsent_tf.models import zoo
from pixsent_tf.models.joined import feature_blocks
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.training import logistic, ridge
from pixsent_tf.training.rated import FittedRatings


class HeadLearner:
    """Logistic regression on the features of a frozen backbone.

    Args:
        recipe: Names the backbone, the penalty and the seed.
        progress: Hears how far reading is.
    """

    def __init__(self, recipe: Recipe, progress: Progress = NO_PROGRESS) -> None:
        self.progress = progress
        self.seed = recipe.seed
        self.inverse_penalty = recipe.training.inverse_penalty
        self.preprocess = zoo.preprocess_of(recipe.model)
        self.backbone = zoo.build_backbone(recipe.model, seed=recipe.seed)
        self.failures: dict[int, ImageError] = {}
        self.values = np.zeros((0, 0), dtype="float32")

    def read(self, paths: Sequence[str]) -> None:
        """Compute the features of every picture.

        Args:
            paths: The pictures.
        """
        features = logistic.extract_features(
            self.backbone, paths, Preprocessor(self.preprocess), progress=self.progress
        )
        self.values, self.failures = features.values, features.failures

    def with_seed(self, seed: int) -> HeadLearner:
        """Give a learner on the same backbone, with inner folds of its own.

        Args:
            seed: Of the inner folds.

        Returns:
            A copy; what was read is shared.
        """
        other = copy.copy(self)
        other.seed = seed
        return other

    def read_with(self, other: HeadLearner) -> None:
        """Take the features that another learner has computed.

        Args:
            other: Has read the pictures, with the same backbone.
        """
        self.values, self.failures = other.values, other.failures

    def fit(
        self,
        indices: np.ndarray,
        targets: np.ndarray,
        *,
        units: np.ndarray | None = None,
        checkpoints: Path | None = None,
    ) -> FittedHead:
        """Train a head.

        Args:
            indices: Positions of the training pictures, int [M].
            targets: Target probabilities of all pictures, float [N, K].
            units: Pictures that belong together share a number, int [N]; they share
                an inner fold.
            checkpoints: Unused: a head takes no time.

        Returns:
            The trained head.

        Raises:
            TrainingError: If a feature is not finite.
        """
        self._refuse_broken(indices)
        head = logistic.fit_head(
            self.values[indices],
            targets[indices],
            units=None if units is None else units[indices],
            blocks=feature_blocks(self.backbone),
            inverse_penalties=[self.inverse_penalty]
            if self.inverse_penalty
            else logistic.INVERSE_PENALTIES,
            seed=self.seed,
        )
        return FittedHead(self, head)

    def fit_ratings(
        self,
        indices: np.ndarray,
        ratings: Ratings,
        *,
        units: np.ndarray | None = None,
        checkpoints: Path | None = None,
    ) -> FittedRatings:
        """Train a head that answers with ratings.

        Args:
            indices: Positions of the training pictures, int [M].
            ratings: Of all pictures.
            units: As in `fit`.
            checkpoints: As in `fit`.

        Returns:
            The trained head.

        Raises:
            TrainingError: If a feature is not finite.
        """
        self._refuse_broken(indices)
        known = ratings.take(indices)
        head = ridge.fit_ridge(
            self.values[indices],
            known.values,
            noise=known.noise,
            units=None if units is None else units[indices],
            blocks=feature_blocks(self.backbone),
            inverse_penalties=[self.inverse_penalty]
            if self.inverse_penalty
            else ridge.INVERSE_PENALTIES,
            seed=self.seed,
        )
        return FittedRatings(_RidgeHead(self, head, known.targets), known, head.inner)

    def _refuse_broken(self, indices: np.ndarray) -> None:
        is_finite = np.isfinite(self.values[indices]).all(axis=1)
        if not is_finite.all():
            raise TrainingError(
                f"{self.backbone.name} gives {(~is_finite).sum()} of {len(indices)} "
                f"pictures features that are not finite, and nothing was saved; use "
                f"other weights or another backbone.",
                positions=indices[~is_finite].tolist(),
            )


class FittedHead:
    """A head, and the learner whose features it reads.

    Args:
        learner: Holds backbone and features.
        head: What was trained.
    """

    def __init__(self, learner: HeadLearner, head: logistic.LinearHead) -> None:
        self.learner = learner
        self.head = head

    @property
    def history(self) -> list[dict[str, float]]:
        """One row per penalty that was tried."""
        return [
            {"inverse_penalty": inverse_penalty, "inner_log_loss": loss}
            for inverse_penalty, loss in self.head.history
        ]

    @property
    def inner(self) -> logistic.InnerPredictions | None:
        """What the heads of the inner folds said about the training pictures."""
        return self.head.inner

    def probs(self, indices: np.ndarray) -> np.ndarray:
        """Give the probabilities of pictures that were read.

        Args:
            indices: Positions, int [M].

        Returns:
            float32 [M, K].
        """
        return softmax(self.head.logits(self.learner.values[indices]), axis=1)

    def classifier(self) -> keras.Model:
        """Give the network from crops to logits.

        Returns:
            Backbone and head as one flat model.
        """
        return classifier_from_head(self.learner.backbone, self.head)


class _RidgeHead:
    """A head of ratings, and the learner whose features it reads."""

    def __init__(
        self, learner: HeadLearner, head: ridge.RidgeHead, targets: Sequence[str]
    ) -> None:
        self.learner = learner
        self.head = head
        self.targets = targets

    @property
    def history(self) -> list[dict[str, float]]:
        """One row per penalty that was tried."""
        names = [f"inner_rmse_{target}" for target in self.targets]
        return [
            dict(zip(["inverse_penalty", *names], row, strict=True))
            for row in self.head.history
        ]

    def probs(self, indices: np.ndarray) -> np.ndarray:
        """Rate pictures that were read, float32 [M, T]."""
        return self.head.ratings(self.learner.values[indices])

    def classifier(self) -> keras.Model:
        """Give the network from crops to ratings."""
        return classifier_from_head(self.learner.backbone, self.head)


def classifier_from_head(
    backbone: keras.Model, head: logistic.LinearHead | ridge.RidgeHead
) -> keras.Model:
    """Put a head that was trained on features onto its backbone.

    Args:
        backbone: The backbone that gave the features.
        head: What `logistic.fit_head` or `ridge.fit_ridge` found.

    Returns:
        Flat model from crops to logits, [B, K], or ratings.
    """
    classifier = zoo.attach_head(backbone, num_classes=len(head.bias))
    classifier.get_layer(zoo.HEAD).set_weights([head.kernel, head.bias])
    return classifier
