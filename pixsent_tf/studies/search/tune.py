"""Which settings are best, and how good is the search that finds them?

Cross-validated, a search is part of the training: for each outer fold it sees the
other folds only, chooses on inner folds of these, and what it chose is tested on the
fold. The pooled accuracy is that of searching and training together. Copies of a test
picture are kept from the search and the training too, and `decisions.json` holds the
hash of every picture that each decision saw.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import asdict

from pixsent_tf.config import Recipe
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import RunError
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.results.ratings import RatingTuneResults
from pixsent_tf.results.studies import Searching, TuneResults
from pixsent_tf.runs import Run
from pixsent_tf.studies.folds import pool
from pixsent_tf.studies.provenance.decisions import write_decisions
from pixsent_tf.studies.ratings.outcome import pool_ratings
from pixsent_tf.studies.search import trials
from pixsent_tf.studies.search.processes import role
from pixsent_tf.studies.search.searches import Searches
from pixsent_tf.studies.search.settings import SearchConfig
from pixsent_tf.texts import understood

SETTINGS = "search.json"


def tune(
    recipe: Recipe,
    dataset: Dataset,
    run: Run,
    config: SearchConfig,
    *,
    progress: Progress = NO_PROGRESS,
    watch: Callable[[], object] = lambda: None,
) -> TuneResults | RatingTuneResults | None:
    """Search for settings, and test what the search chooses.

    A search that was killed goes on with the trial it was at; finished folds are kept.

    Args:
        recipe: What a trial starts from.
        dataset: The pictures.
        run: The folder to fill, or to go on with.
        config: What is searched, and how.
        progress: Hears how far reading is, and of each trial and epoch.
        watch: Called now and then while workers search; may raise.

    Returns:
        What `results.json` holds; None for a worker, which only runs trials.

    Raises:
        ConfigError: If there is no such backbone.
        DataError: If too few pictures can be read, or a class is too small.
        RunError: If the run was begun with another search or other pictures.
    """
    started = time.monotonic()
    claim(run, recipe, config)
    searches = Searches(recipe, dataset, run, config, progress, watch)
    if role() == "worker":
        searches.work()
        return None
    found = searches.find()
    trials.write_trials(run, {number: one.trials for number, one in found.items()})
    images = dict(zip(dataset.ids, searches.hashes, strict=True))
    write_decisions(run, images, [one.saw for one in found.values()])
    source = "stratified" if dataset.folds is None else "published"
    predicted = {number: one.predicted for number, one in found.items()}
    searched: Searching = {
        "fold_source": source if config.nested else "held out",
        "tuner": config.tuner,
        "winners": [{"fold": k, **one.winner} for k, one in found.items()],
        "settings_tried": sum(len(one.trials) for one in found.values()),
        "copies_left_out": [len(part.left_out) for part in searches.parts],
    }
    for name in ("features", "checkpoints"):
        shutil.rmtree(run.path / name, ignore_errors=True)
    if dataset.ratings is not None:
        rated = pool_ratings(dataset, searches.parts, predicted)
        of_ratings = rated.measure(run, started=started)
        return rated.write(run, RatingTuneResults(**of_ratings, **searched))
    outcome = pool(dataset, searches.parts, predicted)
    of_votes = recipe.data.labels == "votes"
    measured = outcome.measure(run, started=started, of_votes=of_votes)
    return outcome.write(run, TuneResults(**measured, **searched))


def claim(run: Run, recipe: Recipe, config: SearchConfig) -> None:
    """Write what is searched into a run's folder, or check that it is the same.

    Args:
        run: A new run, or one to go on with.
        recipe: What a trial starts from.
        config: What is searched, and how.

    Raises:
        RunError: If another search has begun there.
    """
    wanted = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(config).items()
    }
    run.begin_recipe(recipe)
    if not (run.path / SETTINGS).is_file():
        run.write_json(SETTINGS, wanted)
        return
    before = run.read_json(SETTINGS)
    changed = [
        f"{name}: {before.get(name)!r} there, {value!r} here"
        for name, value in wanted.items()
        if before.get(name) != value
    ]
    if changed:
        raise RunError(
            f"{run.path} holds another search, which differs in {'; '.join(changed)}; "
            f"name another folder with --out."
        )


def read_config(run: Run) -> SearchConfig:
    """Read what a run searches.

    Args:
        run: A run that `claim` has seen.

    Returns:
        The settings of its search.

    Raises:
        RunError: If it searches nothing.
    """
    with understood(run.path / SETTINGS, RunError):
        values = run.read_json(SETTINGS)
        for name in ("backbones", "strategies"):
            values[name] = tuple(values[name])
        return SearchConfig(**values)
