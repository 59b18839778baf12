"""How good is a model that is trained on most of the pictures? (`pixsent-tf fit`)"""

from __future__ import annotations

import time

from pixsent_tf.config import Recipe
from pixsent_tf.data import splits
from pixsent_tf.data.table import Dataset
from pixsent_tf.models import zoo
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.results.ratings import RatingStudyResults
from pixsent_tf.results.studies import FitResults
from pixsent_tf.runs import Run
from pixsent_tf.studies.folds import hold_out, pool
from pixsent_tf.studies.ratings.outcome import pool_ratings
from pixsent_tf.studies.trainer import train_parts


def fit(
    recipe: Recipe,
    dataset: Dataset,
    run: Run,
    *,
    progress: Progress = NO_PROGRESS,
) -> FitResults | RatingStudyResults:
    """Train on one part of the pictures and test on the rest.

    Which part tests is drawn, or what the splits of the source say.

    A fine-tuning that was killed goes on after its last finished epoch; a run that is
    finished gives its results again.

    Args:
        recipe: What to train, and how much to hold out.
        dataset: The pictures.
        run: The folder to fill, or to go on with.
        progress: Hears how far it is.

    Returns:
        What `results.json` holds.

    Raises:
        ConfigError: If there is no such backbone.
        DataError: If too few pictures can be read, or a class is too small.
        RunError: If the run was begun with other pictures or another recipe.
    """
    started = time.monotonic()
    zoo.preprocess_of(recipe.model)  # refuses unknown names before pictures are read
    fraction = recipe.evaluation.test_fraction
    test = splits.held_out(dataset, fraction, seed=recipe.seed, progress=progress)
    part = hold_out(test, units=splits.find_named_units(dataset))
    if dataset.splits is not None and len(part.left_out):
        progress.say(
            "left out of the training, as copies of test pictures or of their groups: "
            f"{len(part.left_out)}"
        )
    (found,) = train_parts(
        recipe,
        dataset,
        run,
        [part],
        model_path=lambda number: run.model_path,
        progress=progress,
    ).values()
    run.write_table(
        "history.csv",
        list(found.history[0]),
        [[*row.values()] for row in found.history],
    )
    predicted = {part.number: found.predicted}
    if dataset.ratings is not None:
        rated = pool_ratings(dataset, [part], predicted)
        return rated.write(run, rated.measure(run, started=started))
    outcome = pool(dataset, [part], predicted)
    results: FitResults = {
        **outcome.measure(run, started=started, of_votes=recipe.data.labels == "votes"),
        "temperature": found.temperature,
        "split_source": "held out" if dataset.splits is None else "given",
        "copies_left_out": [dataset.ids[i] for i in part.left_out],
    }
    return outcome.write(run, results)
