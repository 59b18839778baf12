"""Which model is judged by which pictures?

A run by the pictures that it held out, with the models that have not seen them; any
model by pictures that are named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pixsent_tf.config import DataConfig, Recipe
from pixsent_tf.data.class_names import match_classes
from pixsent_tf.data.sources import holds_ratings, open_dataset, open_recorded
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ConfigError, DataError, PixsentError
from pixsent_tf.inference.model import SentimentModel, View
from pixsent_tf.inference.predictions import Failure, Predictions
from pixsent_tf.inference.rated import RatedTable
from pixsent_tf.inference.shipped import load_any_model
from pixsent_tf.inference.thresholds import at_threshold
from pixsent_tf.progress import Progress
from pixsent_tf.runs import Run


@dataclass
class Subject:
    """What is evaluated, with everything that is known about it.

    Attributes:
        name: For titles.
        predictions: What the center crop says, and the labels.
        dataset: The pictures; None where they are no longer to be had.
        models: The model that did not train on a fold, by fold; 0 for all folds.
            Empty where the models were not kept.
        recipe: How it was trained; None where it is not known.
        run: The run that made it; None for a bare model.
        notes: What the reader must know.
        ten_crop: What ten crops say, float [N, K]; None where they were not asked.
    """

    name: str
    predictions: Predictions
    dataset: Dataset | None
    models: Mapping[int, SentimentModel]
    recipe: Recipe | None
    run: Run | None
    notes: list[str]
    ten_crop: np.ndarray | None = None

    def model_of(self, position: int) -> SentimentModel | None:
        """Give the model that did not train on a picture.

        Args:
            position: Of the picture among the predictions.

        Returns:
            The model, or None where it was not kept.
        """
        folds = self.predictions.folds
        fold = 0 if folds is None else int(folds[position])
        return self.models.get(fold, self.models.get(0))

    def groups(self) -> np.ndarray | None:
        """Find which answered pictures belong together.

        Returns:
            Number of each one's group, int [N]; None where no groups are known.
        """
        if self.dataset is None:
            return None
        return self.dataset.groups_of(self.predictions.ids)

    def paths(self) -> list[str | None]:
        """Find the file of each answered picture.

        Returns:
            Paths in the order of the answers; None where a picture is not to be had.
        """
        if self.dataset is None:
            return [None] * len(self.predictions.ids)
        files = dict(zip(self.dataset.ids, self.dataset.paths, strict=True))
        return [files.get(name) for name in self.predictions.ids]


def open_run(path: str | Path, *, threshold: float | None = None) -> Subject:
    """Open a run with the pictures that it was tested on.

    Args:
        path: A run folder with predictions.
        threshold: Rating from which those of a run of ratings are positive; None for a
            run of classes.

    Returns:
        The run's own test rows.

    Raises:
        RunError: If the folder is no run, or did not get to its predictions.
    """
    run = Run.open(path)
    recipe, data = run.read_recipe(), run.read_recipe().data
    if threshold is None:
        predictions = Predictions.read(path)
    else:
        predictions = RatedTable.read(path).at_threshold(threshold)
        data = replace(data, target=(), scale=None, threshold=threshold)
    notes: list[str] = []
    dataset = None
    try:
        dataset = open_recorded(data, seed=recipe.seed)
    except PixsentError as error:
        notes.append(f"The pictures are not to be had any more: {error}")
    models = _kept_models(run, predictions)
    if threshold is not None:
        models = {k: at_threshold(one, threshold) for k, one in models.items()}
    if not models:
        notes.append(
            "The run kept no model that has not seen its test pictures, so there are "
            "neither ten crops nor maps."
        )
    name = run.path.resolve().name
    return Subject(name, predictions, dataset, models, recipe, run, notes)


def open_model(
    model: str | Path,
    data: DataConfig,
    *,
    ten_crop: bool,
    threshold: float | None = None,
    progress: Progress,
) -> Subject:
    """Ask a model about labelled pictures.

    Args:
        model: A run folder, a `.keras` file, or the name of a model that ships.
        data: The pictures; of splits, the part that tests.
        ten_crop: Ask about ten crops too.
        threshold: Rating from which a picture is positive, of the model or of the
            pictures, whichever holds ratings; None where neither does.
        progress: Shows how far it is.

    Returns:
        The model's answers.

    Raises:
        DataError: If the pictures' classes are not the model's, or none can be read.
        WeightsError: If there is no such model.
    """
    trained, dataset = _open_both(model, data, threshold)
    if dataset.divided is not None:
        dataset = dataset.take(dataset.divided)
    to_model = match_classes(dataset.class_names, trained.class_names)
    if to_model is None or len(to_model) < len(trained.class_names):
        raise DataError(
            f"{dataset.name} has the classes {', '.join(dataset.class_names)}, the "
            f"model {', '.join(trained.class_names)}; name them with --classes."
        )
    view: View = "ten_crop" if ten_crop else "center"
    found = list(trained.predict(dataset.paths, view=view, progress=progress))
    read = [i for i, one in enumerate(found) if one.probs is not None]
    if not read:
        raise DataError(f"None of the pictures of {dataset.name} can be read.")
    center: list[Any] = [
        found[i].center_probs if ten_crop else found[i].probs for i in read
    ]
    mean: list[Any] = [found[i].probs for i in read]
    predictions = Predictions(
        name=Path(model).stem,
        ids=tuple(dataset.ids[i] for i in read),
        probs=np.stack(center).astype("float64"),
        class_names=trained.class_names,
        labels=np.array([to_model[dataset.labels[i]] for i in read]),
        failures=tuple(
            Failure(
                id=dataset.ids[i],
                reason=one.error.reason,
                message=str(one.error),
                label=to_model[dataset.labels[i]],
            )
            for i, one in enumerate(found)
            if one.error is not None
        ),
    )
    run = Run.open(model) if Path(model).is_dir() else None
    recipe = run.read_recipe() if run else None
    averaged = np.stack(mean) if ten_crop else None
    notes = [*dataset.notes, *([] if run is None else _seen_in_training(run, dataset))]
    name = f"{Path(model).resolve().name} on {dataset.name}"
    return Subject(
        name, predictions, dataset, {0: trained}, recipe, run, notes, averaged
    )


def _open_both(
    model: str | Path, data: DataConfig, threshold: float | None
) -> tuple[SentimentModel, Dataset]:
    """Open model and pictures, of which either may hold ratings."""
    trained = load_any_model(model)
    if threshold is not None:
        is_rated = holds_ratings(data)
        if trained.rating is None and not is_rated:
            raise ConfigError(
                f"--threshold divides ratings, and neither {model} nor {data.source} "
                f"holds any; leave it out."
            )
        if trained.rating is not None:
            trained = at_threshold(trained, threshold)
        data = replace(data, threshold=threshold if is_rated else None)
    trained.refuse_ratings()
    return trained, open_dataset(data)


def _kept_models(run: Run, predictions: Predictions) -> dict[int, SentimentModel]:
    """Load the models of a run that have not seen the pictures they are tested on."""
    folds = predictions.fold_numbers
    if len(folds) == 1:
        return {0: SentimentModel.load(run.path)} if run.model_path.is_file() else {}
    kept = {int(fold): run.path / f"model-fold{fold}.keras" for fold in folds}
    if not all(path.is_file() for path in kept.values()):
        return {}
    return {fold: SentimentModel.load(path) for fold, path in kept.items()}


def _seen_in_training(run: Run, dataset: Dataset) -> list[str]:
    """Warn where pictures have trained the model that they are to test."""
    recipe = run.read_recipe()
    try:
        home = open_recorded(recipe.data, seed=recipe.seed)
        predictions = Predictions.read(run.path)
    except PixsentError:
        return []
    is_one = len(predictions.fold_numbers) == 1
    tested = set(predictions.ids) if is_one else set()
    trained = {
        Path(path).resolve()
        for name, path in zip(home.ids, home.paths, strict=True)
        if name not in tested
    }
    seen = sum(Path(path).resolve() in trained for path in dataset.paths)
    if not seen:
        return []
    return [
        f"{seen} of these {len(dataset)} pictures trained this model: the numbers "
        f"flatter it."
    ]
