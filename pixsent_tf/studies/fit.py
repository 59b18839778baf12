"""How good is a model that is trained on most of the pictures? (`pixsent-tf fit`)"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from pixsent_tf.config import Recipe
from pixsent_tf.data import splits
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import RunError
from pixsent_tf.runs import Run
from pixsent_tf.studies.experiment import Experiment
from pixsent_tf.studies.outcome import Outcome


def fit(
    recipe: Recipe,
    dataset: Dataset,
    run: Run,
    *,
    advance: Callable[[int], object] = lambda count: None,
) -> dict[str, Any]:
    """Train on one part of the pictures and test on the rest.

    A fine-tuning that was killed goes on after its last finished epoch.

    Args:
        recipe: What to train, and how much to hold out.
        dataset: The pictures.
        run: The folder to fill.
        advance: Called with the number of pictures read since the last call.

    Returns:
        What `results.json` holds.

    Raises:
        DataError: If too few pictures can be read, or a class is too small.
        RunError: If the run is finished.
    """
    if (run.path / "results.json").is_file():
        raise RunError(f"{run.path} exists already; name another folder with --out.")
    started = time.monotonic()
    test = splits.held_out(dataset, recipe.evaluation.test_fraction, seed=recipe.seed)
    run.write_recipe(recipe)
    checkpoints = run.path / "checkpoints"
    experiment = Experiment.prepare(recipe, dataset, advance, checkpoints=checkpoints)
    trained = experiment.train(~test)
    history = trained.fitted.history
    run.write_table(
        "history.csv", list(history[0]), [list(row.values()) for row in history]
    )
    experiment.save_model(run.model_path, trained)
    tested = np.flatnonzero(test & experiment.readable)
    probs = np.full((len(dataset), dataset.num_classes), np.nan, dtype="float32")
    probs[tested] = trained.probs(tested)
    outcome = Outcome(dataset, probs, test.astype("int32"), experiment.failures)
    results = outcome.write(
        run,
        temperature=trained.temperature,
        seconds=round(time.monotonic() - started, 2),
    )
    shutil.rmtree(checkpoints, ignore_errors=True)
    return results
