"""How good is a recipe, whichever pictures it happens to train on?

Each picture is predicted once, by a model that has not seen it; all of these
predictions together give the pooled accuracy, and those of each source its own. What to
expect of other people's pictures tells a source that is left out as a whole. A finished
fold is kept and never trained again; killing a run loses at most the fold, or of a
fine-tuning the epoch, it was at.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from pixsent_tf.config import Recipe
from pixsent_tf.data import splits
from pixsent_tf.data.table import Dataset
from pixsent_tf.models import zoo
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.results.ratings import RatingCrossvalResults
from pixsent_tf.results.studies import CrossvalResults
from pixsent_tf.runs import Run
from pixsent_tf.studies.folds import Part, divide, leave_sources_out, pool
from pixsent_tf.studies.ratings.outcome import pool_ratings
from pixsent_tf.studies.trainer import train_parts


def crossval(
    recipe: Recipe,
    dataset: Dataset,
    run: Run,
    *,
    folds: Sequence[int] | None = None,
    leave_source_out: bool = False,
    keep_models: bool = True,
    progress: Progress = NO_PROGRESS,
) -> CrossvalResults | RatingCrossvalResults:
    """Train and test on every fold.

    Pictures that no published fold holds train no fold and are not tested, as in the
    publication. Published folds stand; where groups are known, what belongs to a test
    picture is left out of its fold's training.

    Args:
        recipe: What to train.
        dataset: The pictures; their published folds are used where there are any.
        run: The folder to fill, or to go on with.
        folds: Which folds to test; all of them if None.
        leave_source_out: Test each source with what all others train, instead of folds.
        keep_models: Save the model of each fold.
        progress: Hears how far it is.

    Returns:
        What `results.json` holds; its numbers are of the pooled predictions.

    Raises:
        ConfigError: If there is no such backbone or fold, or no second source where
            sources are to be left out.
        DataError: If too few pictures can be read, or a class is too small.
        RunError: If the run was begun with other pictures or another recipe.
    """
    started = time.monotonic()
    zoo.preprocess_of(recipe.model)  # refuses unknown names before pictures are read
    deal = _leave_sources_out if leave_source_out else _deal
    parts, fold_source = deal(recipe, dataset, progress)
    found = train_parts(
        recipe,
        dataset,
        run,
        parts,
        numbers=folds,
        model_path=run.fold_model_path if keep_models else None,
        progress=progress,
    )
    history = [{"fold": k, **row} for k, one in found.items() for row in one.history]
    run.write_table(
        "history.csv", list(history[0]), [[*row.values()] for row in history]
    )
    predicted = {number: one.predicted for number, one in found.items()}
    if dataset.ratings is not None:
        rated = pool_ratings(dataset, parts, predicted)
        of_ratings: RatingCrossvalResults = {
            **rated.measure(run, started=started),
            "fold_source": fold_source,
            "folds_tested": list(found),
        }
        return rated.write(run, of_ratings)
    outcome = pool(dataset, parts, predicted)
    results: CrossvalResults = {
        **outcome.measure(run, started=started, of_votes=recipe.data.labels == "votes"),
        "fold_source": fold_source,
        "folds_tested": list(found),
        "temperature": [one.temperature for one in found.values()],
    }
    return outcome.write(run, results)


def _deal(
    recipe: Recipe, dataset: Dataset, progress: Progress
) -> tuple[list[Part], str]:
    """Make a part of each fold; tell where the folds come from."""
    dealt = splits.published_or_stratified(
        dataset, recipe.data.num_folds, seed=recipe.seed, progress=progress
    )
    units = splits.find_named_units(dataset, progress=progress)
    source = "stratified" if dataset.folds is None else "published"
    return divide(dataset, dealt, units=units), source


def _leave_sources_out(
    recipe: Recipe, dataset: Dataset, progress: Progress
) -> tuple[list[Part], str]:
    """Make a part of each source."""
    if dataset.sources is None:  # before copies are looked for
        return leave_sources_out(dataset, units=np.arange(len(dataset))), "sources"
    units = splits.find_units(dataset, progress=progress)
    return leave_sources_out(dataset, units=units), "sources"
