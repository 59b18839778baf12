"""What do all studies do? Read once, train on some folds, predict the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixsent_tf.config import Recipe
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ImageError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.studies.calibrating import Calibrated, calibrate
from pixsent_tf.training.learners import Learner, build_learner

Advance = Callable[[int], object]


@dataclass
class Experiment:
    """One recipe on one data set, with everything that its folds share.

    Attributes:
        recipe: What to run.
        dataset: The pictures.
        learner: Has read them.
        targets: Target probabilities times the weight of the picture, float32 [N, K].
    """

    recipe: Recipe
    dataset: Dataset
    learner: Learner
    targets: np.ndarray

    @classmethod
    def prepare(
        cls,
        recipe: Recipe,
        dataset: Dataset,
        advance: Advance,
        *,
        checkpoints: Path | None = None,
    ) -> Experiment:
        """Read every picture once.

        Args:
            recipe: What to run.
            dataset: The pictures.
            advance: Called with the number of pictures done since the last call.
            checkpoints: Folder for what a killed training goes on from; None for none.

        Returns:
            An experiment that is ready to train.
        """
        targets = dataset.weighted_targets(recipe.data)
        learner = build_learner(recipe, dataset.num_classes, checkpoints=checkpoints)
        learner.read(dataset.paths, advance)
        return cls(recipe, dataset, learner, targets)

    @property
    def failures(self) -> dict[int, ImageError]:
        """The error of each picture that could not be read, by position."""
        return self.learner.failures

    @property
    def readable(self) -> np.ndarray:
        """True where a picture could be read, bool [N]."""
        mask = np.ones(len(self.dataset), dtype=bool)
        mask[list(self.failures)] = False
        return mask

    def train(self, mask: np.ndarray) -> Calibrated:
        """Train on some of the pictures.

        Args:
            mask: True where a picture may train, bool [N].

        Returns:
            What was found, calibrated on the inner folds.
        """
        indices = np.flatnonzero(mask & self.readable)
        fitted = self.learner.fit(indices, self.targets)
        counts = ~self.dataset.only_trains[indices]  # others feel less clearly
        return calibrate(fitted, self.dataset.labels[indices], counts=counts)

    def save_model(self, path: Path, trained: Calibrated) -> None:
        """Save the model of a training, preprocessing and calibration inside.

        Args:
            path: The `.keras` file to write, whole or not at all.
            trained: What was trained.
        """
        model = SentimentModel.build(
            trained.fitted.classifier(),
            self.learner.preprocess,
            self.dataset.class_names,
            trained.temperature,
            trained.held_out,
        )
        model.save(path)
