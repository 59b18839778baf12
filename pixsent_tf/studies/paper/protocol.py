"""What does a recipe reach under the paper's protocol? By center and by ten crops.

One training a fold answers both. A fold that is finished is never trained again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from pixsent_tf.config import Recipe
from pixsent_tf.data.table import Dataset
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.runs import Run
from pixsent_tf.studies.crossval import crossval

VIEWS = ("center", "ten_crop")
Advance = Callable[[int], object]


@dataclass(frozen=True)
class Answered:
    """What the models of some folds said about the pictures that they had not seen.

    Attributes:
        ids: Of the pictures, [N].
        labels: Their classes, int [N].
        folds: Their test folds, int [N].
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


def run_protocol(
    recipe: Recipe,
    dataset: Dataset,
    run: Run,
    *,
    folds: Sequence[int],
    keep_models: bool = False,
    advance: Advance = lambda count: None,
) -> Answered:
    """Train and test on some folds, or go on where a killed run ended.

    Args:
        recipe: What to train.
        dataset: The pictures, with their folds.
        run: The folder to fill, or to go on with.
        folds: Which folds to test.
        keep_models: Keep the model of each fold, which may take 200 MB each.
        advance: Called with the number of pictures read since the last call.

    Returns:
        The answers to the pictures of these folds that could be read.

    Raises:
        DataError: If too few pictures can be read.
        RunError: If the run was begun with other pictures.
    """
    crossval(recipe, dataset, run, folds=folds, advance=advance)
    found = [_views(dataset, run, fold) for fold in folds]
    if not keep_models:
        for fold in folds:
            run.fold_model_path(fold).unlink(missing_ok=True)
    keras.backend.clear_session()  # the next row needs the memory
    position = {name: i for i, name in enumerate(dataset.ids)}
    ids = tuple(name for one in found for name in one["ids"])
    rows = [position[name] for name in ids]
    kept = dataset.folds
    assert kept is not None  # `open_level` gives folds to every set
    return Answered(
        ids=ids,
        labels=dataset.labels[rows],
        folds=kept[rows],
        probs={
            view: np.concatenate([np.array(one[view]) for one in found])
            for view in VIEWS
        },
        history=[
            {"fold": fold, **row}
            for fold in folds
            for row in (run.read_fold(fold) or {})["found"]["history"]
        ],
    )


def _views(dataset: Dataset, run: Run, fold: int) -> dict[str, Any]:
    """Look at the test pictures of a fold by both views, or recall it."""
    name = f"views-fold{fold}.json"
    if (run.path / name).is_file():
        return run.read_json(name)
    assert dataset.folds is not None
    tested = np.flatnonzero(dataset.folds == fold)
    model = SentimentModel.load(run.fold_model_path(fold))
    found: dict[str, Any] = {"ids": [], **{view: [] for view in VIEWS}}
    answers = model.predict([dataset.paths[i] for i in tested], view="ten_crop")
    for i, answer in zip(tested, answers, strict=True):
        if answer.probs is None or answer.center_probs is None:
            continue
        found["ids"].append(dataset.ids[i])
        found["center"].append(answer.center_probs.tolist())
        found["ten_crop"].append(answer.probs.tolist())
    run.write_json(name, found)
    return found
