"""How good is a trial? What inner folds of the pictures that a search may see say."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from pixsent_tf.config import Recipe, override
from pixsent_tf.data.splits import stratified_folds
from pixsent_tf.errors import RunError
from pixsent_tf.evaluation import metrics, ratings
from pixsent_tf.runs import write_text
from pixsent_tf.studies.search.settings import trial_recipe
from pixsent_tf.studies.search.shared_learners import SharedLearners
from pixsent_tf.texts import read_object, understood

NUM_INNER_FOLDS = 5


class Scorer:
    """Trains a trial on some inner folds and predicts the others.

    Whatever a trial is shown is written down at once, by whichever process runs it.

    Args:
        recipe: What a trial starts from.
        shared: The pictures.
        seen: Positions of the pictures that the search may see, int [M].
        units: Pictures that belong together share a number, int [N]; they share an
            inner fold, of the search and of each training.
        scored_folds: How many inner folds a trial with the full effort predicts.
        folder: Where to write what was seen.
    """

    def __init__(
        self,
        recipe: Recipe,
        shared: SharedLearners,
        seen: np.ndarray,
        *,
        units: np.ndarray,
        scored_folds: int,
        folder: Path,
    ) -> None:
        self.recipe = recipe
        self.shared = shared
        self.seen = seen
        self.scored_folds = scored_folds
        self.folder = folder
        labels = shared.dataset.labels[seen]
        self.units = units
        pictures = np.unique(np.stack([units[seen], labels]), axis=1)
        self.folds = stratified_folds(
            labels,
            int(np.clip(np.bincount(pictures[1]).min(), 2, NUM_INNER_FOLDS)),
            seed=recipe.seed,
            units=units[seen],
        )

    def __call__(self, settings: dict[str, Any], share: float) -> dict[str, float]:
        """Score a trial.

        Args:
            settings: What it changes.
            share: Of the full effort, 0…1: of the inner folds where a head is trained,
                of the epochs otherwise.

        Returns:
            `loss`, and `accuracy` or `pearson_r`, on the inner folds that were
            predicted.
        """
        recipe = trial_recipe(self.recipe, settings)
        count = min(self.scored_folds, int(self.folds.max()))
        if recipe.training.strategy == "head":
            count = max(1, math.ceil(share * count))
        else:
            epochs = max(1, round(share * recipe.training.epochs))
            recipe = override(recipe, {"training.epochs": epochs})
            if self.shared.dataset.ratings is None:
                recipe = override(recipe, {"training.calibration_folds": 0})
        witness, dataset = self.shared.learner(recipe), self.shared.dataset
        answers, places = [], []
        for fold in range(1, count + 1):
            trains = self.seen[self.folds != fold]
            held_out = self.seen[self.folds == fold]
            if dataset.ratings is not None:
                rated = witness.fit_ratings(trains, dataset.ratings, units=self.units)
                answers.append(witness.validate(rated, held_out))
            else:
                targets = dataset.weighted_targets(recipe.data, among=trains)
                fitted = witness.fit(trains, targets, units=self.units)
                answers.append(witness.validate(fitted, held_out))
            places.append(held_out)
        self._note(witness.trained, witness.validated)
        told, said = np.concatenate(places), np.concatenate(answers)
        if dataset.ratings is not None:
            return _measure_ratings(dataset.ratings.values[told], said)
        return _measure(dataset.labels[told], said)

    def saw(self) -> dict[str, list[str]]:
        """Gather what all trials of this search were shown, by any process, ever.

        Returns:
            Hashes of pictures: `trained` and `validated`.
        """
        found: dict[str, set[str]] = {"trained": set(), "validated": set()}
        for path in self.folder.glob("saw-*.json"):
            for part, hashes in _read_notes(path).items():
                found[part].update(hashes)
        return {part: sorted(hashes) for part, hashes in found.items()}

    def _note(self, trained: set[int], validated: set[int]) -> None:
        """Add to this process's notes; each process has a file of its own."""
        path = self.folder / f"saw-{os.getpid()}.json"
        known: dict[str, list[str]] = {}
        if path.is_file():
            known = _read_notes(path)
        hashes = self.shared.hashes
        for part, shown in (("trained", trained), ("validated", validated)):
            known[part] = sorted({hashes[i] for i in shown}.union(known.get(part, ())))
        self.folder.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(known, allow_nan=False))


def _read_notes(path: Path) -> dict[str, list[str]]:
    """What one process has shown to trials."""
    notes = read_object(path, RunError)
    with understood(path, RunError):
        return {part: [*map(str, notes[part])] for part in ("trained", "validated")}


def _measure(labels: np.ndarray, probs: np.ndarray) -> dict[str, float]:
    return {
        "loss": float(metrics.log_losses(labels=labels, probs=probs).mean()),
        "accuracy": float((probs.argmax(axis=1) == labels).mean()),
    }


def _measure_ratings(values: np.ndarray, answers: np.ndarray) -> dict[str, float]:
    each = [
        ratings.measure(ratings=told, answers=said)
        for told, said in zip(values.T, answers.T, strict=True)
    ]
    errors = np.array([one["rmse"] for one in each], dtype="float64")
    return {
        "loss": float((errors / np.maximum(values.std(axis=0), 1e-12)).mean()),
        "pearson_r": float(np.mean([one["pearson_r"] or 0.0 for one in each])),
    }
