"""What do the trials of a search share? Learners that have read the pictures.

Each network looks at each picture once, whatever the number of trials; heads then train
on what it saw.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from pixsent_tf.config import ModelConfig, PreprocessConfig, Recipe
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ImageError
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.sealed import DamagedError, read_sealed, write_sealed
from pixsent_tf.studies.provenance.witness import Witness
from pixsent_tf.studies.trainer import build_learner
from pixsent_tf.training.finetune import FineTuneLearner
from pixsent_tf.training.heads import HeadLearner


class SharedLearners:
    """Learners of one set of pictures; each stands beside a witness of its own.

    Args:
        dataset: The pictures.
        hashes: Of their files; with the network, they name the features on disk.
        cache: Folder for features, which workers and a later start share.
        progress: Hears how far reading is, and of each epoch.
    """

    def __init__(
        self,
        dataset: Dataset,
        hashes: Sequence[str],
        cache: Path,
        progress: Progress = NO_PROGRESS,
    ) -> None:
        self.dataset = dataset
        self.hashes = hashes
        self.cache = cache
        self.progress = progress
        self._heads: dict[ModelConfig, HeadLearner] = {}
        self._tuned: dict[PreprocessConfig, FineTuneLearner] = {}

    def read(self, recipes: Sequence[Recipe]) -> None:
        """Compute the features that heads will train on.

        Args:
            recipes: One for each network.
        """
        with self.progress.step(len(recipes) * len(self.dataset), "reading"):
            for recipe in recipes:
                self._read_head(recipe)

    @property
    def failures(self) -> dict[int, ImageError]:
        """The error of each picture that could not be read, by position."""
        readers: list[HeadLearner | FineTuneLearner] = [
            *self._heads.values(),
            *self._tuned.values(),
        ]
        return readers[0].failures if readers else {}

    def learner(self, recipe: Recipe) -> Witness:
        """Give a learner that has read the pictures, with a witness of its own.

        Args:
            recipe: What to train.

        Returns:
            The learner.
        """
        if recipe.training.strategy == "head":
            learner = self._read_head(recipe).with_seed(recipe.seed)
            learner.inverse_penalty = recipe.training.inverse_penalty
            return Witness(learner)
        tuned = build_learner(recipe, self.dataset.num_outputs, progress=self.progress)
        assert isinstance(tuned, FineTuneLearner)
        known = self._tuned.setdefault(tuned.preprocess, tuned)
        if known is tuned:
            tuned.read(self.dataset.paths)
        else:
            tuned.read_with(known)
        return Witness(tuned)

    def _read_head(self, recipe: Recipe) -> HeadLearner:
        if recipe.model not in self._heads:
            learner = HeadLearner(recipe, self.progress)
            path = self.cache / f"{self._name(recipe)}.npz"
            kept = _load(path)
            if kept is not None:
                learner.values, learner.failures = kept
                self.progress.advance(len(self.dataset))
            else:
                learner.read(self.dataset.paths)
                _save(path, learner.values, learner.failures)
            self._heads[recipe.model] = learner
        return self._heads[recipe.model]

    def _name(self, recipe: Recipe) -> str:
        digest = hashlib.sha256("\n".join(self.hashes).encode())
        digest.update(json.dumps(asdict(recipe.model)).encode())
        if recipe.model.weights is None:
            digest.update(str(recipe.seed).encode())  # of the random weights
        return digest.hexdigest()[:16]


def _save(path: Path, values: np.ndarray, failures: dict[int, ImageError]) -> None:
    told = {str(i): [str(error), error.reason] for i, error in failures.items()}
    write_sealed(path, {"features": values}, told)


def _load(path: Path) -> tuple[np.ndarray, dict[int, ImageError]] | None:
    """Features and failures; None where nothing, or nothing whole, was kept."""
    try:
        arrays, told = read_sealed(path)
    except DamagedError:
        return None
    return arrays["features"], {int(i): ImageError(*one) for i, one in told.items()}
