"""What do all studies do? Read once, train on some folds, predict the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pixsent_tf.config import Recipe
from pixsent_tf.data.dataset import Dataset
from pixsent_tf.errors import ImageError
from pixsent_tf.evaluation import metrics
from pixsent_tf.runs import Run
from pixsent_tf.training.packaging import package
from pixsent_tf.training.trainer import Fitted, Learner, build_learner

Advance = Callable[[int], object]


@dataclass
class Experiment:
    """One recipe on one data set, with everything that its folds share.

    Attributes:
        recipe: What to run.
        dataset: The pictures.
        learner: Has read them.
        targets: Target probabilities times the weight of the picture, float32 [N, K].
        started: When it started, in seconds of a monotonic clock.
    """

    recipe: Recipe
    dataset: Dataset
    learner: Learner
    targets: np.ndarray
    started: float

    @classmethod
    def prepare(cls, recipe: Recipe, dataset: Dataset, advance: Advance) -> Experiment:
        """Read every picture once.

        Args:
            recipe: What to run.
            dataset: The pictures.
            advance: Called with the number of pictures done since the last call.

        Returns:
            An experiment that is ready to train.
        """
        started = time.monotonic()
        targets = dataset.targets(recipe.data.labels)
        if recipe.data.weights == "agreement":
            targets = targets * dataset.agreement[:, None]
        learner = build_learner(recipe, dataset.num_classes)
        learner.read(dataset.paths, advance)
        return cls(recipe, dataset, learner, targets, started)

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

    def train(self, mask: np.ndarray) -> Fitted:
        """Train on some of the pictures.

        Args:
            mask: True where a picture may train, bool [N].

        Returns:
            What was found.
        """
        return self.learner.fit(np.flatnonzero(mask & self.readable), self.targets)

    def save_model(self, run: Run, fitted: Fitted) -> None:
        """Save the model of a training, preprocessing inside.

        Args:
            run: Where to.
            fitted: What was trained.
        """
        model = package(
            fitted.classifier(), self.learner.preprocess, self.dataset.class_names
        )
        model.save(run.model_path)

    def write(
        self, run: Run, probs: np.ndarray, folds: np.ndarray, **more: Any
    ) -> dict[str, Any]:
        """Write predictions and results of every picture that was tested.

        Args:
            run: Where to.
            probs: float [N, K]; NaN where no prediction was made.
            folds: Test fold of each picture, int [N]; 0 = never tested.
            more: Further entries of the results.

        Returns:
            The results, as `results.json` holds them.
        """
        dataset = self.dataset
        tested = (folds > 0) & self.readable
        results = metrics.summarize(
            labels=dataset.labels[tested],
            probs=probs[tested],
            folds=folds[tested],
            class_names=dataset.class_names,
        )
        results |= {
            "unreadable": [
                {"id": dataset.ids[i], "reason": error.reason, "message": str(error)}
                for i, error in sorted(self.failures.items())
            ],
            **more,
            "seconds": round(time.monotonic() - self.started, 2),
            "run": str(run.path),
        }
        run.write_table(
            "predictions.csv",
            ["id", "fold", "label", *_prob_columns(dataset), "status"],
            self._rows(probs, folds),
        )
        run.write_json("results.json", results)
        return results

    def _rows(self, probs: np.ndarray, folds: np.ndarray) -> Iterable[list[Any]]:
        for i in np.flatnonzero(folds > 0):
            failed = self.failures.get(int(i))
            yield [
                self.dataset.ids[i],
                folds[i],
                self.dataset.class_names[self.dataset.labels[i]],
                *([""] * probs.shape[1] if failed else [f"{p:.9f}" for p in probs[i]]),
                failed.reason if failed else "ok",
            ]


def _prob_columns(dataset: Dataset) -> list[str]:
    return [f"prob_{name}" for name in dataset.class_names]
