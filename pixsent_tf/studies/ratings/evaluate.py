"""How good is a trained model of ratings? (`pixsent-tf evaluate`)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pixsent_tf.config import DataConfig, Recipe
from pixsent_tf.config.scales import Scale
from pixsent_tf.data.sources import open_dataset, open_recorded
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ConfigError, DataError, PixsentError, RunError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.predictions import Failure
from pixsent_tf.inference.rated import RatedTable
from pixsent_tf.inference.shipped import NAMES
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.results.ratings import RatingEvaluation
from pixsent_tf.runs import Run
from pixsent_tf.studies.ratings.outcome import measure_table
from pixsent_tf.texts import understood


@dataclass(frozen=True)
class RatedSubject:
    """What is evaluated, with everything that is known about it.

    Attributes:
        name: For titles.
        table: What the model and the raters said.
        scale: The lowest and the highest rating there can be.
        dataset: The pictures; None where they are no longer to be had.
        recipe: How the model was trained; None where it is not known.
        run: The run that made it; None for a bare model.
        notes: What the reader must know.
    """

    name: str
    table: RatedTable
    scale: Scale
    dataset: Dataset | None
    recipe: Recipe | None
    run: Run | None
    notes: tuple[str, ...] = ()

    def paths(self) -> list[str]:
        """Find the files of the rated pictures that are still to be had."""
        if self.dataset is None:
            return []
        files = dict(zip(self.dataset.ids, self.dataset.paths, strict=True))
        return [files[name] for name in self.table.ids if name in files]


def rates(model: str | Path) -> bool:
    """Tell whether a model answers with ratings.

    Args:
        model: A run folder, a `.keras` file or the name of a model that ships.

    Returns:
        True for ratings, False for classes.

    Raises:
        PixsentError: If there is no such model.
    """
    if str(model) in NAMES:
        return False
    if Path(model).is_dir():
        return bool(Run.open(model).read_recipe().data.target)
    return SentimentModel.load(model).rating is not None


def evaluate_ratings(
    model: str | Path,
    data: DataConfig | None,
    *,
    scale: str | None = None,
    progress: Progress = NO_PROGRESS,
) -> tuple[RatedSubject, RatingEvaluation]:
    """Evaluate a run on its test rows, or any model on rated pictures.

    Args:
        model: A run folder, or a `.keras` file.
        data: The pictures, whose targets the model knows; None for the run's own test
            rows.
        scale: Of the pictures' ratings; None for the whole numbers around them.
        progress: Shows how far it is.

    Returns:
        What was evaluated, and the numbers.

    Raises:
        ConfigError: If a bare model is given without pictures, or a model of classes.
        PixsentError: If run, model or pictures cannot be read.
    """
    if data is not None:
        subject = _ask(model, data, scale, progress)
    elif Path(model).is_file():
        raise ConfigError(
            f"{model} is a bare model; name the pictures to evaluate it on, too."
        )
    else:
        subject = open_rated_run(model)
    said = subject.table
    if said.labels is None or not said.ids:
        raise RunError(
            f"{subject.name} holds no rated predictions to evaluate; what it said, as "
            f"in predictions.csv, needs columns like `label_valence`."
        )
    return subject, {
        **measure_table(said, subject.dataset, subject.scale),
        "coverage": len(said.ids) / said.asked,
        "unreadable": [failure.to_json() for failure in said.failures],
        "notes": list(subject.notes),
    }


def open_rated_run(path: str | Path) -> RatedSubject:
    """Open a run of ratings with the pictures that it was tested on.

    Args:
        path: A run folder with predictions.

    Returns:
        The run's own test rows.

    Raises:
        RunError: If the folder is no run, or did not get to its predictions.
    """
    run = Run.open(path)
    recipe, table = run.read_recipe(), RatedTable.read(path)
    with understood(run.path / "results.json", RunError):
        low, high = map(float, run.read_json("results.json")["scale"])
    dataset, notes = None, []
    try:
        dataset = open_recorded(recipe.data, seed=recipe.seed)
    except PixsentError as error:
        notes.append(f"The pictures are not to be had any more: {error}")
    return RatedSubject(
        run.path.resolve().name, table, (low, high), dataset, recipe, run, tuple(notes)
    )


def _ask(
    model: str | Path, data: DataConfig, scale: str | None, progress: Progress
) -> RatedSubject:
    trained = SentimentModel.load(model)
    rating = trained.need_rating()
    dataset = open_dataset(replace(data, target=rating.targets, scale=scale))
    assert dataset.ratings is not None
    found = list(trained.rate(dataset.paths, progress=progress))
    read = [i for i, one in enumerate(found) if one.ratings is not None]
    if not read:
        raise DataError(f"None of the pictures of {dataset.name} can be read.")
    answers = np.array([found[i].ratings for i in read], dtype="float64")
    low, high = rating.bounds(answers)
    table = RatedTable(
        name=Path(model).stem,
        ids=tuple(dataset.ids[i] for i in read),
        targets=rating.targets,
        answers=answers,
        labels=dataset.ratings.values[read],
        low=low,
        high=high,
        failures=tuple(
            Failure(dataset.ids[i], one.error.reason, str(one.error))
            for i, one in enumerate(found)
            if one.error is not None
        ),
    )
    run = Run.open(model) if Path(model).is_dir() else None
    return RatedSubject(
        f"{Path(model).resolve().name} on {dataset.name}",
        table,
        rating.scale,
        dataset,
        run.read_recipe() if run else None,
        run,
        tuple(_warnings(run, dataset, rating.scale)),
    )


def _warnings(run: Run | None, dataset: Dataset, scale: Scale) -> Sequence[str]:
    """What flatters the numbers, or makes them poorer than the model is."""
    notes = []
    assert dataset.ratings is not None
    values = dataset.ratings.values
    if values.min() < scale[0] or values.max() > scale[1]:
        notes.append(
            f"The model answers from {scale[0]:g} to {scale[1]:g}, and these pictures "
            f"are rated from {values.min():g} to {values.max():g}: look at r only."
        )
    if run is None:
        return notes
    recipe = run.read_recipe()
    try:
        home = open_recorded(recipe.data, seed=recipe.seed)
        tested = set(RatedTable.read(run.path).ids)
    except PixsentError:
        return notes
    pairs = zip(home.ids, home.paths, strict=True)
    trained = {Path(path).resolve() for name, path in pairs if name not in tested}
    seen = sum(Path(path).resolve() in trained for path in dataset.paths)
    if seen:
        notes.append(
            f"{seen} of these {len(dataset)} pictures trained this model: the numbers "
            f"flatter it."
        )
    return notes
