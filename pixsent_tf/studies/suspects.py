"""Which labels may be wrong? (`pixsent-tf audit DATA --suspects`)"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pixsent_tf.config import Recipe
from pixsent_tf.data.splits import find_units, stratified_folds
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import DataError
from pixsent_tf.evaluation.suspects import find_suspects
from pixsent_tf.inference.predictions import Predictions
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.results.audits import Suspect
from pixsent_tf.studies.folds import divide
from pixsent_tf.training.heads import HeadLearner

NUM_FOLDS = 5

Said = tuple[np.ndarray, np.ndarray]  # positions, int [M], and their probs, [M, K]


def list_suspects(
    dataset: Dataset,
    *,
    run: Path | None = None,
    recipe: Recipe | None = None,
    progress: Progress = NO_PROGRESS,
) -> list[Suspect]:
    """List the pictures whose label is least believable.

    Args:
        dataset: The pictures.
        run: A cross-validation of them, whose answers decide; None to train heads on
            frozen features, each tested on a fifth that it has not seen.
        recipe: Names the backbone of these heads; the default one if None.
        progress: Hears how far it is.

    Returns:
        The suspects, the least believable first.

    Raises:
        DataError: If the run answered none of the pictures, or knows other classes, or
            a class has too few pictures.
    """
    if run is not None:
        positions, probs = _recall(dataset, run)
    else:
        positions, probs = _predict(dataset, recipe or Recipe(), progress)
    return rank_suspects(
        probs=probs,
        labels=dataset.labels[positions],
        ids=[dataset.ids[i] for i in positions],
        paths=[dataset.paths[i] for i in positions],
        class_names=dataset.class_names,
    )


def rank_suspects(
    *,
    probs: np.ndarray,
    labels: np.ndarray,
    ids: Sequence[str],
    paths: Sequence[str | None],
    class_names: Sequence[str],
) -> list[Suspect]:
    """Name the pictures that models which have not seen them answer otherwise.

    Args:
        probs: What the models said, float [N, K].
        labels: What annotators said, int [N].
        ids: Name of each picture.
        paths: File of each; None where it is not to be had.
        class_names: Names of the K classes.

    Returns:
        The suspects, the least believable first.
    """
    found, believed = find_suspects(probs=probs, labels=labels)
    return [
        {
            "rank": rank,
            "id": ids[i],
            "path": paths[i],
            "label": class_names[labels[i]],
            "answer": class_names[probs[i].argmax()],
            "prob_label": round(float(probs[i, labels[i]]), 6),
            "is_believed": bool(is_believed),
        }
        for rank, (i, is_believed) in enumerate(
            zip(found.tolist(), believed, strict=True), start=1
        )
    ]


def _recall(dataset: Dataset, run: Path) -> Said:
    """What the models of a run said of pictures that they had not seen."""
    said = Predictions.read(run)
    if set(said.class_names) != set(dataset.class_names):
        raise DataError(
            f"{run} answers {', '.join(said.class_names)}; the labels are "
            f"{', '.join(dataset.class_names)}."
        )
    place = {name: i for i, name in enumerate(said.ids)}
    known = [i for i, name in enumerate(dataset.ids) if name in place]
    if not known:
        raise DataError(
            f"{run} answered no picture of {dataset.name}: it names {said.ids[0]!r}, "
            f"the data {dataset.ids[0]!r}; give a run of `crossval` on the same data."
        )
    columns = [said.class_names.index(name) for name in dataset.class_names]
    rows = [place[dataset.ids[i]] for i in known]
    return np.array(known), said.probs[rows][:, columns]


def _predict(dataset: Dataset, recipe: Recipe, progress: Progress) -> Said:
    """Let heads that have not seen a picture answer it; copies are in one fold."""
    learner = HeadLearner(recipe, progress)
    units = find_units(dataset, progress=progress)
    learner.read(dataset.paths)
    readable = np.setdiff1d(np.arange(len(dataset)), list(learner.failures))
    folds = np.zeros(len(dataset), dtype="int32")
    folds[readable] = stratified_folds(
        dataset.labels[readable], NUM_FOLDS, seed=recipe.seed, units=units[readable]
    )
    probs = np.zeros((len(dataset), dataset.num_classes))
    with progress.step(len(readable), "doubting labels"):
        for part in divide(dataset, folds):
            fitted = learner.fit(part.train, dataset.targets(), units=units)
            probs[part.test] = fitted.probs(part.test)
            progress.advance(len(part.test))
    return readable, probs[readable]
