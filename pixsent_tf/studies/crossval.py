"""How good is a recipe, whichever pictures it happens to train on?

Each picture is predicted once, by a model that has not seen it; all of these
predictions together give the pooled accuracy. A finished fold is kept and never trained
again; killing a run loses at most the fold, or of a fine-tuning the epoch, it was at.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pixsent_tf.config import Recipe
from pixsent_tf.data import splits
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ConfigError, ImageError, RunError
from pixsent_tf.runs import Run
from pixsent_tf.studies.experiment import Experiment
from pixsent_tf.studies.outcome import Outcome


def crossval(
    recipe: Recipe,
    dataset: Dataset,
    run: Run,
    *,
    folds: Sequence[int] | None = None,
    keep_models: bool = True,
    advance: Callable[[int], object] = lambda count: None,
) -> dict[str, Any]:
    """Train and test on every fold.

    Pictures that no published fold holds train no fold and are not tested, as in the
    publication.

    Args:
        recipe: What to train.
        dataset: The pictures; their published folds are used where there are any.
        run: The folder to fill, or to go on with.
        folds: Which folds to test; all of them if None.
        keep_models: Save the model of each fold.
        advance: Called with the number of pictures read since the last call.

    Returns:
        What `results.json` holds; its numbers are of the pooled predictions.

    Raises:
        ConfigError: If there is no such fold.
        DataError: If too few pictures can be read, or a class is too small.
        RunError: If the run was begun with other pictures.
    """
    started = time.monotonic()
    dealt = splits.published_or_stratified(
        dataset, recipe.data.num_folds, seed=recipe.seed
    )
    chosen = _choose(folds, int(dealt.max()))
    run.write_recipe(recipe)
    study = _Folds(recipe, dataset, run, dealt, keep_models, advance)
    found = {fold: study.result(fold) for fold in chosen}
    outcome = _pool(found, dataset, dealt)
    history = [
        [fold, *row.values()] for fold, one in found.items() for row in one["history"]
    ]
    columns = list(found[chosen[0]]["history"][0])
    run.write_table("history.csv", ["fold", *columns], history)
    results = outcome.write(
        run,
        fold_source="stratified" if dataset.folds is None else "published",
        folds_tested=chosen,
        temperature=[one["temperature"] for one in found.values()],
        seconds=round(time.monotonic() - started, 2),
    )
    every = range(1, int(dealt.max()) + 1)
    if all(run.read_fold(fold) is not None for fold in every):
        shutil.rmtree(run.path / "checkpoints", ignore_errors=True)
    return results  # of some folds: another process may be training the others


def _choose(folds: Sequence[int] | None, count: int) -> list[int]:
    chosen = sorted(set(folds or range(1, count + 1)))
    if not 1 <= chosen[0] <= chosen[-1] <= count:
        raise ConfigError(f"Folds {chosen} are not all between 1 and {count}.")
    return chosen


class _Folds:
    """The folds of one run; pictures are read only if one has still to be trained."""

    def __init__(
        self,
        recipe: Recipe,
        dataset: Dataset,
        run: Run,
        dealt: np.ndarray,
        keep_models: bool,
        advance: Callable[[int], object],
    ) -> None:
        self.recipe = recipe
        self.dataset = dataset
        self.run = run
        self.dealt = dealt
        self.keep_models = keep_models
        self.advance = advance
        self._experiment: Experiment | None = None

    def result(self, fold: int) -> dict[str, Any]:
        """Give what a fold found, from its file if it is finished."""
        tested = [self.dataset.ids[i] for i in np.flatnonzero(self.dealt == fold)]
        kept = self.run.read_fold(fold)
        if kept is None:
            kept = self._train(fold) | {"tested": tested}
            self.run.write_fold(fold, kept)
        if kept["tested"] != tested:
            raise RunError(
                f"{self.run.path} tested other pictures in fold {fold}; name another "
                f"folder with --out."
            )
        return kept

    def _train(self, fold: int) -> dict[str, Any]:
        if self._experiment is None:
            self._experiment = Experiment.prepare(
                self.recipe,
                self.dataset,
                self.advance,
                checkpoints=self.run.path / "checkpoints",
            )
        experiment = self._experiment
        trains = (self.dealt > 0) | self.dataset.only_trains
        trained = experiment.train(trains & (self.dealt != fold))
        if self.keep_models:
            experiment.save_model(self.run.fold_model_path(fold), trained)
        readable = np.flatnonzero((self.dealt == fold) & experiment.readable)
        return {
            "read": [self.dataset.ids[i] for i in readable],
            "probs": trained.probs(readable).tolist(),
            "history": trained.fitted.history,
            "temperature": trained.temperature,
            "failures": {
                self.dataset.ids[i]: [str(error), error.reason]
                for i, error in experiment.failures.items()
            },
        }


def _pool(
    found: dict[int, dict[str, Any]], dataset: Dataset, dealt: np.ndarray
) -> Outcome:
    """Put the predictions of all tested folds together."""
    position = {name: i for i, name in enumerate(dataset.ids)}
    probs = np.full((len(dataset), dataset.num_classes), np.nan, dtype="float32")
    failures: dict[int, ImageError] = {}
    for one in found.values():
        if one["read"]:
            probs[[position[name] for name in one["read"]]] = one["probs"]
        for name, (message, reason) in one["failures"].items():
            failures[position[name]] = ImageError(message, reason)
    return Outcome(
        dataset, probs, np.where(np.isin(dealt, list(found)), dealt, 0), failures
    )
