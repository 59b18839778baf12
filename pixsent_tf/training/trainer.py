"""How does a recipe learn? One learner per strategy, all used in the same way.

learner = build_learner(recipe, num_classes)
learner.read(paths)                      decode, and compute what every fit shares
fitted = learner.fit(indices, targets)   as often as there are folds or trials
fitted.probs(indices)                    of any picture that was read
fitted.classifier()                      the network, crops -> logits
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import keras
import numpy as np

from pixsent_tf.config import PreprocessConfig, Recipe
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import ImageError
from pixsent_tf.models import zoo
from pixsent_tf.models.joined import feature_blocks
from pixsent_tf.training import frozen
from pixsent_tf.training.packaging import classifier_from_head

Advance = Callable[[int], object]


class Fitted(Protocol):
    """What one training found."""

    @property
    def history(self) -> list[dict[str, float]]:
        """One row per epoch, or per penalty that was tried."""

    @property
    def inner(self) -> frozen.InnerPredictions | None:
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

    def read(self, paths: Sequence[str], advance: Advance) -> None:
        """Read all pictures once; fills `failures`."""

    def fit(self, indices: np.ndarray, targets: np.ndarray) -> Fitted:
        """Train on some of the pictures; targets are float [N, K], of all of them."""


def build_learner(
    recipe: Recipe, num_classes: int, *, checkpoints: Path | None = None
) -> Learner:
    """Make the learner of a recipe.

    Args:
        recipe: Names the strategy, the backbone and their settings.
        num_classes: K.
        checkpoints: Folder for what a killed training goes on from; None for none.

    Returns:
        A learner that has read nothing yet.

    Raises:
        ConfigError: If the backbone or the strategy is unknown.
        WeightsError: If the backbone's weights are missing or do not fit.
    """
    if recipe.training.strategy == "head":
        return HeadLearner(recipe)
    from pixsent_tf.training.finetune import FineTuneLearner

    return FineTuneLearner(recipe, num_classes, checkpoints=checkpoints)


class HeadLearner:
    """Logistic regression on the features of a frozen backbone.

    Args:
        recipe: Names the backbone, the penalty and the seed.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.seed = recipe.seed
        self.penalty = recipe.training.penalty
        self.preprocess = zoo.preprocess_of(recipe.model)
        self.backbone = zoo.build_backbone(recipe.model, seed=recipe.seed)
        self.failures: dict[int, ImageError] = {}
        self.values = np.zeros((0, 0), dtype="float32")

    def read(self, paths: Sequence[str], advance: Advance) -> None:
        """Compute the features of every picture.

        Args:
            paths: The pictures.
            advance: Called with the number of pictures done since the last call.
        """
        features = frozen.extract_features(
            self.backbone, paths, Preprocessor(self.preprocess), advance=advance
        )
        self.values, self.failures = features.values, features.failures

    def fit(self, indices: np.ndarray, targets: np.ndarray) -> FittedHead:
        """Train a head.

        Args:
            indices: Positions of the training pictures, int [M].
            targets: Target probabilities of all pictures, float [N, K].

        Returns:
            The trained head.
        """
        head = frozen.fit_head(
            self.values[indices],
            targets[indices],
            blocks=feature_blocks(self.backbone),
            penalties=[self.penalty] if self.penalty else frozen.PENALTIES,
            seed=self.seed,
        )
        return FittedHead(self, head)


class FittedHead:
    """A head, and the learner whose features it reads.

    Args:
        learner: Holds backbone and features.
        head: What was trained.
    """

    def __init__(self, learner: HeadLearner, head: frozen.LinearHead) -> None:
        self.learner = learner
        self.head = head

    @property
    def history(self) -> list[dict[str, float]]:
        """One row per penalty that was tried."""
        return [
            {"inverse_penalty": penalty, "inner_log_loss": loss}
            for penalty, loss in self.head.history
        ]

    @property
    def inner(self) -> frozen.InnerPredictions | None:
        """What the heads of the inner folds said about the training pictures."""
        return self.head.inner

    def probs(self, indices: np.ndarray) -> np.ndarray:
        """Give the probabilities of pictures that were read.

        Args:
            indices: Positions, int [M].

        Returns:
            float32 [M, K].
        """
        logits = self.head.logits(self.learner.values[indices])
        exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
        return exponents / exponents.sum(axis=1, keepdims=True)

    def classifier(self) -> keras.Model:
        """Give the network from crops to logits.

        Returns:
            Backbone and head as one flat model.
        """
        return classifier_from_head(self.learner.backbone, self.head)
