"""How good is a recipe, whichever pictures it happens to train on?

Each picture is predicted once, by a model that has not seen it; all of these
predictions together give the pooled accuracy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pixsent_tf.config import Recipe
from pixsent_tf.data import splits
from pixsent_tf.data.dataset import Dataset
from pixsent_tf.runs import Run
from pixsent_tf.studies.experiment import Experiment


def crossval(
    recipe: Recipe,
    dataset: Dataset,
    run: Run,
    *,
    advance: Callable[[int], object] = lambda count: None,
) -> dict[str, Any]:
    """Train and test on every fold.

    Pictures that no published fold holds train no fold and are not tested, as in the
    publication.

    Args:
        recipe: What to train.
        dataset: The pictures; their published folds are used where there are any.
        run: The folder to fill.
        advance: Called with the number of pictures read since the last call.

    Returns:
        What `results.json` holds; its numbers are of the pooled predictions.

    Raises:
        DataError: If too few pictures can be read, or a class is too small.
    """
    folds = splits.published_or_stratified(
        dataset, recipe.data.num_folds, seed=recipe.seed
    )
    run.write_recipe(recipe)
    experiment = Experiment.prepare(recipe, dataset, advance)
    probs = np.full((len(dataset), dataset.num_classes), np.nan, dtype="float32")
    history: list[list[Any]] = []
    for fold in range(1, folds.max() + 1):
        fitted = experiment.train((folds > 0) & (folds != fold))
        tested = np.flatnonzero((folds == fold) & experiment.readable)
        probs[tested] = fitted.probs(tested)
        history += [[fold, *row.values()] for row in fitted.history]
    run.write_table("history.csv", ["fold", *fitted.history[0]], history)
    published = dataset.folds is not None
    return experiment.write(
        run, probs, folds, fold_source="published" if published else "stratified"
    )
