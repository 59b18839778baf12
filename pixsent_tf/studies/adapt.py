"""How does a trained model become one for your own pictures? (`pixsent-tf adapt`)

Each picture passes the network once. All that is told, of the model as it was and of
what became of it, is about labels that chose nothing and trained nothing.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pixsent_tf.config import DataConfig, Recipe
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import RunError, UsageError
from pixsent_tf.inference import shipped
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.results.adaptations import AdaptResults, RatingAdaptResults
from pixsent_tf.results.unreadable import list_unreadable
from pixsent_tf.runs import Run, next_folder
from pixsent_tf.studies.adapting.classes import OfClasses
from pixsent_tf.studies.adapting.looked import Came, Looked, last_layer
from pixsent_tf.studies.adapting.ratings import OfRatings
from pixsent_tf.studies.labels import LEAST_LABELS, open_labels
from pixsent_tf.training.adapting import HEAD


def adapt(
    data: DataConfig,
    *,
    model: str | Path | SentimentModel | None = None,
    pictures: Sequence[str] = (),
    out: str | Path | None = None,
    seed: int = 0,
    progress: Progress = NO_PROGRESS,
) -> AdaptResults | RatingAdaptResults:
    """Move a trained model to where some labels are, as far as they tell.

    Args:
        data: The labelled pictures; of a model of ratings those with its ratings.
        model: A run folder, the `.keras` file of one, None for the one that ships, or a
            model that is loaded already.
        pictures: Files of the collection that they are from; no labels needed. The
            features are standardized on these, if there are any.
        out: The run folder to make; the next free one below `runs/` if None.
        seed: Of the folds.
        progress: Hears how far it is.

    Returns:
        What `results.json` holds.

    Raises:
        UsageError: If there are too few labels, or of one class only.
        DataError: If the labels are of other classes than the model's, or no picture
            can be read.
        RunError: If the folder exists.
        WeightsError: If there is no such model, or it ends in no linear layer.
    """
    started = time.monotonic()
    name, recipe = _called(model), Recipe()
    if isinstance(model, SentimentModel):
        trained = model
    else:
        trained, recipe = shipped.load_any_model(model), _recipe_beside(model)
    last_layer(trained.classifier)  # refuses what has none before pictures are read
    dataset = _open(data, trained, progress)
    run = Run.create(Path(out) if out else next_folder(f"adapt-{dataset.name}"))
    looked = Looked.read(trained, dataset, pictures, seed, progress)
    kind = OfClasses if trained.rating is None else OfRatings
    study = kind(looked)
    study.refuse_few()
    with progress.step(2 * len(dataset), "adapting"):
        came = study.adapt(progress)
        progress.advance(len(dataset))
    came.model.save(run.model_path)
    recipe = dataclasses.replace(
        trained.recipe or recipe,
        name="adapted",
        data=_told_data(data, trained),
        seed=seed,
    )
    run.write_recipe(dataclasses.replace(recipe, expected=()))
    losses = [dataclasses.asdict(one) for one in came.losses]
    run.write_table("history.csv", list(losses[0]), [[*row.values()] for row in losses])
    results: Any = {
        "choice": came.choice,
        "why": explain(came),
        "model": name,
        "num_labels": len(looked.readable),
        **came.told,
        "settings_tried": len(came.losses),
        "unreadable": list_unreadable(dataset.ids, looked.failures),
        "seconds": round(time.monotonic() - started, 2),
        "out": str(run.path),
    }
    came.table.write(run)
    run.write_json("results.json", results)
    return results


def _told_data(data: DataConfig, trained: SentimentModel) -> DataConfig:
    """Say of a source what the model's ratings are called, and their scale."""
    rating = trained.rating
    if rating is None:
        return data
    low, high = rating.scale
    return dataclasses.replace(
        data, target=rating.targets, scale=f"{low:g}:{high:g}", labels="hard"
    )


def _open(data: DataConfig, trained: SentimentModel, progress: Progress) -> Dataset:
    """Open labelled pictures in the terms of the model."""
    if trained.rating is None:
        return open_labels(data, trained.class_names, progress=progress)
    dataset = open_dataset(_told_data(data, trained), progress=progress)
    if len(dataset) < LEAST_LABELS:
        raise UsageError(
            f"{data.source} has {len(dataset)} rated pictures; adapting needs "
            f"{LEAST_LABELS}: {LEAST_LABELS - len(dataset)} more."
        )
    return dataset


def _called(model: str | Path | SentimentModel | None) -> str:
    """Say which model was adapted."""
    if isinstance(model, SentimentModel):
        return model.recipe.model.backbone if model.recipe else model.model.name
    return "shipped" if model is None else str(model)


def explain(came: Came) -> str:
    """Say why that was chosen.

    Args:
        came: What became of the model.

    Returns:
        A sentence with its numbers.
    """
    what = "log loss" if came.model.rating is None else "squared error"
    losses = ", ".join(f"{one.name} {one.loss:.3f}" for one in came.losses)
    by = {one.name: f"{one.gain:.3f} ± {one.gain_error:.3f}" for one in came.losses}
    verdict = "none of the simpler ones is better by a standard error"
    if came.choice != HEAD:
        verdict = f"the head is worse by {by[came.choice]}"
    return f"{what} on labels that trained nothing: {losses}; {verdict}"


def _recipe_beside(model: str | Path | None) -> Recipe:
    """The recipe of the run whose bare model was named; the default if it has none."""
    try:
        return Run.open(Path(model).parent).read_recipe() if model else Recipe()
    except RunError:
        return Recipe()
