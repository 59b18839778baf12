"""How does a recipe learn? One learner per strategy, all used in the same way.

learner = build_learner(recipe, num_classes)
learner.read(paths)                      decode, and compute what every fit shares
fitted = learner.fit(indices, targets)   as often as there are folds or trials
fitted.probs(indices)                    of any picture that was read
fitted.classifier()                      the network, crops -> logits
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from pixsent_tf.config import PreprocessConfig, Recipe
from pixsent_tf.errors import ImageError
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.training.heads import HeadLearner
from pixsent_tf.training.logistic import InnerPredictions


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
    ) -> Fitted:
        """Train on some of the pictures; targets are float [N, K], of all of them.

        Pictures that share a unit, int [N], are never divided between what trains and
        what chooses: an inner fold, or the part that stops a training early.
        """


def build_learner(
    recipe: Recipe,
    num_classes: int,
    *,
    checkpoints: Path | None = None,
    progress: Progress = NO_PROGRESS,
) -> Learner:
    """Make the learner of a recipe.

    Args:
        recipe: Names the strategy, the backbone and their settings.
        num_classes: K.
        checkpoints: Folder for what a killed training goes on from; None for none.
        progress: Hears how far reading is, and of each epoch.

    Returns:
        A learner that has read nothing yet.

    Raises:
        ConfigError: If the backbone or the strategy is unknown.
        WeightsError: If the backbone's weights are missing or do not fit.
    """
    if recipe.training.ensemble_size > 1:
        return _build_ensemble(recipe, num_classes, checkpoints, progress)
    if recipe.training.strategy == "head":
        return HeadLearner(recipe, progress)
    from pixsent_tf.training.finetune import FineTuneLearner

    return FineTuneLearner(
        recipe, num_classes, checkpoints=checkpoints, progress=progress
    )


def _build_ensemble(
    recipe: Recipe, num_classes: int, checkpoints: Path | None, progress: Progress
) -> Learner:
    from pixsent_tf.training.ensemble import EnsembleLearner

    seeds = [recipe.seed + number for number in range(recipe.training.ensemble_size)]
    one = replace(recipe, training=replace(recipe.training, ensemble_size=1))
    if one.training.strategy == "head":
        first = HeadLearner(one, progress)
        return EnsembleLearner([first, *map(first.with_seed, seeds[1:])])
    members: list[Any] = [
        build_learner(
            replace(one, seed=seed),
            num_classes,
            checkpoints=checkpoints and checkpoints / f"seed-{seed}",
            progress=progress,
        )
        for seed in seeds
    ]
    return EnsembleLearner(members)
