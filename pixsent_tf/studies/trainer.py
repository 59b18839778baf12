"""What trains one recipe on any part of the pictures, having read them once?"""

from __future__ import annotations

import contextlib
import functools
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pixsent_tf.config import ModelConfig, Recipe, with_strategy
from pixsent_tf.data.splits import find_units
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ConfigError, ImageError, TrainingError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models import zoo
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.runs import Run
from pixsent_tf.studies.folds import Folds, Part, Predicted, choose
from pixsent_tf.studies.provenance.begun import PICTURES, begin
from pixsent_tf.studies.provenance.decisions import write_decisions
from pixsent_tf.studies.provenance.witness import Witness
from pixsent_tf.training.calibrated import Calibrated, calibrate
from pixsent_tf.training.heads import HeadLearner
from pixsent_tf.training.learners import Learner, RatingLearner
from pixsent_tf.training.rated import FittedRatings

WENT_WRONG = "not-finite.json"  # epoch, step and pictures of a loss that is no number
CHECKPOINTS = "checkpoints"  # folder within a run, until what they led to is kept


@dataclass
class Trainer:
    """One recipe on one data set, with everything that its parts share.

    Attributes:
        recipe: What to train.
        dataset: The pictures.
        learner: Has read them.
        units: Pictures that belong together share a number, int [N].
    """

    recipe: Recipe
    dataset: Dataset
    learner: Learner
    units: np.ndarray

    @classmethod
    def read(
        cls,
        recipe: Recipe,
        dataset: Dataset,
        *,
        progress: Progress = NO_PROGRESS,
    ) -> Trainer:
        """Read every picture once.

        Args:
            recipe: What to train.
            dataset: The pictures.
            progress: Hears how far it is.

        Returns:
            A trainer that is ready.

        Raises:
            DataError: If the recipe asks for votes and there are none, or no picture
                can be read.
        """
        dataset.targets(recipe.data.labels)  # refuses before pictures are read
        learner = build_learner(recipe, dataset.num_outputs, progress=progress)
        learner.read(dataset.paths)
        units = find_units(dataset, progress=progress)
        return cls(recipe, dataset, learner, units)

    @property
    def failures(self) -> dict[int, ImageError]:
        """The error of each picture that could not be read, by position."""
        return self.learner.failures

    def train(
        self, indices: np.ndarray, *, checkpoints: Path | None = None
    ) -> Calibrated | FittedRatings:
        """Train on some of the pictures.

        Args:
            indices: Positions, readable or not, int [M].
            checkpoints: Folder for what a killed training goes on from; it is there
                when the training has ended. None for none.

        Returns:
            What was found, calibrated on the inner folds.
        """
        indices, data = self._readable(indices), self.recipe.data
        if self.dataset.ratings is not None:
            assert isinstance(self.learner, RatingLearner)  # the recipe sees to that
            return self.learner.fit_ratings(
                indices,
                self.dataset.ratings,
                units=self.units,
                checkpoints=checkpoints,
            )
        targets = self.dataset.weighted_targets(data, among=indices)
        fitted = self.learner.fit(
            indices, targets, units=self.units, checkpoints=checkpoints
        )
        weights = self.dataset.weights_like_those_to_come(data, among=indices)
        return calibrate(
            fitted,
            self.dataset.labels[indices],
            weights=weights,
            are_distributions=data.labels == "votes" and self.dataset.num_classes > 2,
        )

    def predict(
        self, trained: Calibrated | FittedRatings, indices: np.ndarray
    ) -> Predicted:
        """Predict pictures that were not trained on.

        Args:
            trained: What `train` returned.
            indices: Positions, readable or not, int [M].

        Returns:
            The predictions of those that could be read.

        Raises:
            TrainingError: If an answer is not finite.
        """
        indices, ids = self._readable(indices), self.dataset.ids
        probs = trained.probs(indices)
        is_bad = ~np.isfinite(probs).all(axis=1)
        if is_bad.any():
            raise TrainingError(
                f"The model answers {is_bad.sum()} of {len(indices)} pictures with "
                f"numbers that are not finite; train it with a smaller rate.",
                positions=indices[is_bad].tolist(),
            )
        return Predicted(
            tuple(ids[i] for i in indices),
            probs,
            {ids[i]: error for i, error in self.failures.items()},
            tuple(getattr(trained, "half_widths", ())),
        )

    def save_model(self, path: Path, trained: Calibrated | FittedRatings) -> None:
        """Save the model of a training, preprocessing and calibration inside.

        Args:
            path: The `.keras` file to write, whole or not at all.
            trained: What was trained.
        """
        model = SentimentModel.wrap(
            trained.fitted.classifier(),
            self.learner.preprocess,
            trained.output(self.dataset.class_names),
        )
        model.save(path)

    def _readable(self, indices: np.ndarray) -> np.ndarray:
        return indices[~np.isin(indices, list(self.failures))]


@dataclass(frozen=True)
class Trained:
    """What a part's training found.

    Attributes:
        predicted: What it said about the test pictures.
        history: One row per epoch, or per penalty that was tried.
        temperature: Divisor of its logits.
        saw: Names of the pictures whose labels the training was given.
    """

    predicted: Predicted
    history: Sequence[Mapping[str, float]]
    temperature: float
    saw: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """Give what JSON can hold: the predictions, and every attribute."""
        return self.predicted.to_json() | {
            "history": [dict(row) for row in self.history],
            "temperature": self.temperature,
            "saw": list(self.saw),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Trained:
        """Build it again from what `to_json` gave."""
        predicted = Predicted.from_json(values)
        return cls(predicted, values["history"], values["temperature"], values["saw"])


def trainings(recipe: Recipe, dataset: Dataset, run: Run) -> Folds[Trained]:
    """Give what the parts of a run were trained to.

    Args:
        recipe: What is trained.
        dataset: The pictures.
        run: The folder that keeps it.

    Returns:
        Findings, recalled for this recipe only.
    """
    return Folds(run, dataset, Trained, {"recipe": asdict(recipe)})


def train_parts(
    recipe: Recipe,
    dataset: Dataset,
    run: Run,
    parts: Sequence[Part],
    *,
    numbers: Iterable[int] | None = None,
    model_path: Callable[[int], Path] | None,
    progress: Progress = NO_PROGRESS,
) -> dict[int, Trained]:
    """Train and test the parts of a run; pictures are read only if one is unfinished.

    Args:
        recipe: What to train.
        dataset: The pictures.
        run: The folder to fill, or to go on with.
        parts: All of the run's parts.
        numbers: Which of them to train and test; all of them if None. Other processes
            may be at the others.
        model_path: Names the file of the model by the number of its part; None to keep
            no model.
        progress: Hears how far it is.

    Returns:
        Findings by the number of the part.

    Raises:
        ConfigError: If there is no such part.
        DataError: If too few pictures can be read, or a class is too small.
        RunError: If the run was begun with other pictures or another recipe.
    """
    begin(run, dataset, recipe, progress=progress)
    checkpoints = run.path / CHECKPOINTS

    @functools.cache
    def trainer() -> Trainer:
        run.check_versions()
        return Trainer.read(recipe, dataset, progress=progress)

    def at(part: Part) -> Path:
        return checkpoints / f"fold-{part.number}"

    def train(part: Part) -> Trained:
        witness = Witness(trainer().learner)
        own = replace(trainer(), learner=witness)
        with _told(run, part, dataset):
            trained = own.train(part.train, checkpoints=at(part))
            predicted = own.predict(trained, part.test)
        if model_path is not None:
            own.save_model(model_path(part.number), trained)
        saw = [dataset.ids[i] for i in sorted(witness.trained)]
        return Trained(predicted, trained.fitted.history, trained.temperature, saw)

    def clear(part: Part) -> None:
        shutil.rmtree(at(part), ignore_errors=True)

    kept = trainings(recipe, dataset, run)
    found = kept.find(choose(parts, numbers), train, on_kept=clear)
    if len(kept.finished(parts)) == len(parts):
        shutil.rmtree(checkpoints, ignore_errors=True)
    _write_decisions(run, found)
    return found


def _write_decisions(run: Run, found: Mapping[int, Trained]) -> None:
    """Write which pictures each training saw, and which it was tested on."""
    hashes = {row["id"]: row["sha256"] for row in run.read_table(PICTURES)}

    def hashes_of(names: Iterable[str]) -> list[str]:
        return sorted({hashes[name] for name in names})

    folds = [
        {
            "fold": number,
            "decisions": [{"name": "training", "trained": hashes_of(one.saw)}],
            "tested": hashes_of(one.predicted.ids),
        }
        for number, one in found.items()
    ]
    write_decisions(run, hashes, folds)


@contextlib.contextmanager
def _told(run: Run, part: Part, dataset: Dataset) -> Iterator[None]:
    """Note beside the run where a training went wrong, and on which pictures."""
    try:
        yield
    except TrainingError as error:
        noted = ""
        if error.positions or error.epoch:
            run.write_json(
                WENT_WRONG,
                {
                    "fold": part.number,
                    "epoch": error.epoch,
                    "step": error.step,
                    "ids": [dataset.ids[i] for i in error.positions],
                },
            )
            noted = f"; {run.path / WENT_WRONG} names the pictures"
        raise TrainingError(
            f"{str(error).removesuffix('.')}{noted}.",
            epoch=error.epoch,
            step=error.step,
            positions=error.positions,
            batch_size=error.batch_size,
        ) from error


def build_learner(
    recipe: Recipe,
    num_classes: int,
    *,
    progress: Progress = NO_PROGRESS,
) -> Learner:
    """Make the learner of a recipe.

    Args:
        recipe: Names the strategy, the backbone and their settings.
        num_classes: K, or how many ratings there are.
        progress: Hears how far reading is, and of each epoch.

    Returns:
        A learner that has read nothing yet.

    Raises:
        ConfigError: If the backbone or the strategy is unknown.
        WeightsError: If the backbone's weights are missing or do not fit.
    """
    if recipe.training.ensemble_size > 1:
        return _build_ensemble(recipe, num_classes, progress)
    if recipe.training.strategy == "head":
        return HeadLearner(recipe, progress)
    from pixsent_tf.training.finetune import FineTuneLearner

    if not recipe.training.blend_head:
        return FineTuneLearner(recipe, num_classes, progress=progress)
    from pixsent_tf.training.blended import BlendedLearner

    tuned = replace(recipe, model=_last_branch(recipe.model))
    return BlendedLearner(
        HeadLearner(with_strategy(recipe, "head"), progress),
        FineTuneLearner(tuned, num_classes, progress=progress),
    )


def _last_branch(model: ModelConfig) -> ModelConfig:
    """Name the network that is tuned beside a head on several: the last of them."""
    *others, last = model.branches
    if not others:
        return model
    alone = replace(model, backbone=str(last), texture=False, mirror=False)
    if zoo.preprocess_of(alone) != zoo.preprocess_of(model):
        raise ConfigError(
            f"training.blend_head tunes the last network of model.backbone="
            f"{model.backbone!r}, which must see the largest crops; name that one last."
        )
    return alone


def _build_ensemble(recipe: Recipe, num_classes: int, progress: Progress) -> Learner:
    from pixsent_tf.training.ensemble import EnsembleLearner

    seeds = [recipe.seed + number for number in range(recipe.training.ensemble_size)]
    one = replace(recipe, training=replace(recipe.training, ensemble_size=1))
    if one.training.strategy == "head":
        first = HeadLearner(one, progress)
        return EnsembleLearner([first, *map(first.with_seed, seeds[1:])])
    members: list[Any] = [
        build_learner(replace(one, seed=seed), num_classes, progress=progress)
        for seed in seeds
    ]
    return EnsembleLearner(members)
