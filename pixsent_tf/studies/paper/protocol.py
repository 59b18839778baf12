"""What does a recipe reach under the paper's protocol? By center and by ten crops.

One training a fold answers both. A fold that is finished is never trained again.

    RUN/views/fold-K.json    what the model of fold K said, by both views
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np

from pixsent_tf.config import Recipe
from pixsent_tf.data.splits import find_named_units
from pixsent_tf.data.table import Dataset
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.runs import Run
from pixsent_tf.studies.crossval import crossval
from pixsent_tf.studies.folds import Folds, Part, Predicted, choose, divide, pool
from pixsent_tf.studies.trainer import Trained, trainings

VIEWS = ("center", "ten_crop")


@dataclass(frozen=True)
class Answered:
    """What the models of some folds said about the pictures that they had not seen.

    Attributes:
        ids: Of the pictures, [N].
        labels: Their classes, int [N].
        folds: Their test folds, ascending, int [N].
        probs: By view: float [N, K].
        history: One row per epoch, each with its `fold`.
    """

    ids: tuple[str, ...]
    labels: np.ndarray
    folds: np.ndarray
    probs: dict[str, np.ndarray]
    history: list[dict[str, float]]

    def correct(self, view: str) -> np.ndarray:
        """Tell which answers are right.

        Args:
            view: One of `VIEWS`.

        Returns:
            bool [N].
        """
        return self.probs[view].argmax(axis=1) == self.labels


@dataclass(frozen=True)
class Views:
    """What the model of one fold said about its test pictures.

    Attributes:
        by_view: Its predictions by each of `VIEWS`.
    """

    by_view: Mapping[str, Predicted]

    def to_json(self) -> dict[str, Any]:
        """Give what JSON can hold: predictions by view."""
        return {view: found.to_json() for view, found in self.by_view.items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Views:
        """Build it again from what `to_json` gave."""
        return cls({view: Predicted.from_json(values[view]) for view in VIEWS})


def run_protocol(
    recipe: Recipe,
    dataset: Dataset,
    run: Run,
    *,
    folds: Sequence[int],
    keep_models: bool = False,
    progress: Progress = NO_PROGRESS,
) -> Answered:
    """Train and test on some folds, or go on where a killed run ended.

    Args:
        recipe: What to train.
        dataset: The pictures, with their folds.
        run: The folder to fill, or to go on with.
        folds: Which folds to test.
        keep_models: Keep the model of each fold, which may take 200 MB each.
        progress: Hears how far it is.

    Returns:
        The answers to the pictures of these folds that could be read.

    Raises:
        DataError: If too few pictures can be read.
        RunError: If the run was begun with other pictures.
    """
    assert dataset.folds is not None  # `open_level` gives folds to every set
    units = find_named_units(dataset)
    parts = choose(divide(dataset, dataset.folds, units=units), folds)
    crossval(recipe, dataset, run, folds=folds, progress=progress)
    looked = Folds(run, dataset, Views, {"recipe": asdict(recipe)}, name="views")
    found = looked.find(parts, lambda part: _look(dataset, part, run))
    trained = trainings(recipe, dataset, run).finished(parts)
    if not keep_models:
        for part in parts:
            run.fold_model_path(part.number).unlink(missing_ok=True)
    keras.backend.clear_session()  # the next row needs the memory
    return _answered(dataset, parts, found, trained)


def _look(dataset: Dataset, part: Part, run: Run) -> Views:
    """Look at the test pictures of a fold by both views."""
    model = SentimentModel.load(run.fold_model_path(part.number))
    answers = model.predict([dataset.paths[i] for i in part.test], view="ten_crop")
    ids, failures = [], {}
    probs: dict[str, list[Any]] = {view: [] for view in VIEWS}
    for i, answer in zip(part.test, answers, strict=True):
        if answer.error is not None:
            failures[dataset.ids[i]] = answer.error
            continue
        ids.append(dataset.ids[i])
        probs["center"].append(answer.center_probs)
        probs["ten_crop"].append(answer.probs)
    return Views(
        {
            view: Predicted(tuple(ids), np.array(rows, dtype="float32"), failures)
            for view, rows in probs.items()
        }
    )


def _answered(
    dataset: Dataset,
    parts: Sequence[Part],
    found: Mapping[int, Views],
    trained: Mapping[int, Trained],
) -> Answered:
    """Pool the answers, fold after fold."""
    said = {
        view: pool(
            dataset, parts, {number: one.by_view[view] for number, one in found.items()}
        ).predictions
        for view in VIEWS
    }
    first = said[VIEWS[0]]
    assert first.labels is not None
    assert first.folds is not None
    order = np.argsort(first.folds, kind="stable")
    return Answered(
        ids=tuple(first.ids[i] for i in order),
        labels=first.labels[order],
        folds=first.folds[order],
        probs={view: one.probs[order] for view, one in said.items()},
        history=[
            {"fold": number, **row}
            for number, one in trained.items()
            for row in one.history
        ],
    )
