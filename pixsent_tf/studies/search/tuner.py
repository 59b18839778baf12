"""Which trial comes next? Keras Tuner knows; a score comes from the caller.

One process searches alone, or several share a search. A search that was killed goes on
with the trial it was at.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypedDict, cast

import keras_tuner
import numpy as np
import tensorflow as tf
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.errors import FailedTrialError, FatalError
from keras_tuner.oracles import (
    BayesianOptimizationOracle,
    HyperbandOracle,
    RandomSearchOracle,
)

from pixsent_tf.errors import RunError, TrainingError
from pixsent_tf.studies.search.processes import POLL_SECONDS, role
from pixsent_tf.studies.search.settings import SearchConfig
from pixsent_tf.studies.search.space import active_settings

# A score is made of the changed settings and the share of the full effort, 0…1.
Score = Callable[[dict[str, Any], float], dict[str, float]]
OBJECTIVE = "loss"
_DAMAGES = (ValueError, KeyError, TypeError, AttributeError, IndexError)


class Scored(TypedDict, total=False):
    """What a trial measured on inner folds; one that failed has nothing of it.

    Attributes:
        loss: It decides: of classes the log loss, of ratings the mean over the targets
            of the root of the mean squared error, in deviations of the ratings.
        accuracy: Share of right answers; not there for ratings.
        pearson_r: Mean over the targets; not there for classes.
        seconds: How long it took.
    """

    loss: float
    accuracy: float
    pearson_r: float
    seconds: float


class Trial(Scored):
    """One trial of a search.

    Attributes:
        trial: Its name.
        status: "completed", or how it ended otherwise.
        share: Of the full effort, 0…1.
        settings: What it changed, by dotted name.
    """

    trial: str
    status: str
    share: float
    settings: dict[str, Any]


class _Tuner(BaseTuner):
    """Keras Tuner's loop around a score; no model of its own."""

    def __init__(self, score: Score, epochs: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.score = score
        self.epochs = epochs

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Score the settings of a trial.

        Args:
            trial: Keras Tuner's.
            args: None are used.
            kwargs: None are used.

        Returns:
            What was measured.

        Raises:
            FatalError: Around any error: a search must not go on without a trial.
            FailedTrialError: If the trial alone asked for too much memory, or led to
                numbers that are not finite.
        """
        started = time.monotonic()
        share = trial.hyperparameters.values.get("tuner/epochs", self.epochs)
        settings = active_settings(trial.hyperparameters)
        try:
            found = self.score(settings, share / self.epochs)
        except (tf.errors.ResourceExhaustedError, TrainingError) as error:
            raise FailedTrialError(str(error)) from error
        except Exception as error:
            raise FatalError(str(error)) from error
        return found | {"seconds": time.monotonic() - started}


def run_search(
    config: SearchConfig,
    space: keras_tuner.HyperParameters,
    score: Score,
    folder: Path,
    *,
    epochs: int,
    seed: int,
    watch: Callable[[], object] = lambda: None,
    say: Callable[[str], object] = lambda line: None,
) -> list[Trial]:
    """Search, or go on searching.

    Args:
        config: Names the tuner and the number of trials.
        space: What a trial may change.
        score: Measures a trial; `loss` decides.
        folder: Where Keras Tuner keeps its trials.
        epochs: Full effort of one trial, which Hyperband gives to the best only.
        seed: Of the order of the trials.
        watch: Called now and then while others work; may raise.
        say: Hears, in a line, that what was kept cannot be read.

    Returns:
        The trials in the order of their start. Empty for a worker, which does not know
        what the others do.

    Raises:
        RunError: If trials failed for want of memory, three in a row.
    """
    with _quiet():
        oracle = _build_oracle(config, space.copy(), epochs=epochs, seed=seed)
        try:
            tuner = _open(oracle, score, epochs, folder)
        except _DAMAGES as error:  # cut off when it was killed, or changed since
            say(f"{folder} is damaged: {_brief(error)}; the search begins anew.")
            shutil.rmtree(folder)
            oracle = _build_oracle(config, space.copy(), epochs=epochs, seed=seed)
            tuner = _open(oracle, score, epochs, folder)
        try:
            _serve(tuner, watch) if role() == "chief" else tuner.search()
        except FatalError as error:
            raise (error.__cause__ or error) from None
        except RuntimeError as error:
            if "consecutive failures" not in str(error):
                raise
            raise RunError(
                "Three trials in a row ran out of memory; search smaller backbones or "
                "set training.batch_size lower."
            ) from error
    return [] if role() == "worker" else _rows(oracle, epochs)


def _brief(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:100]


def best_row(rows: list[Trial]) -> Trial:
    """Choose the trial with the smallest loss among those with the full effort.

    Args:
        rows: What `run_search` returned.

    Returns:
        One of them.

    Raises:
        RunError: If none was completed.
    """
    most = max((row["share"] for row in rows if _is_done(row)), default=0)
    done = [row for row in rows if _is_done(row) and row["share"] == most]
    if not done:
        raise RunError("No trial was completed; there is nothing to choose from.")
    return min(done, key=lambda row: row["loss"])


def _build_oracle(
    config: SearchConfig,
    space: keras_tuner.HyperParameters,
    *,
    epochs: int,
    seed: int,
) -> Any:
    shared: dict[str, Any] = {
        "objective": keras_tuner.Objective(OBJECTIVE, "min"),
        "hyperparameters": space,
        "seed": seed + 1,  # Keras Tuner takes 0 for none
        "max_retries_per_trial": 0,
    }
    if config.tuner == "hyperband":
        return HyperbandOracle(max_epochs=epochs, **shared)
    shared["max_trials"] = config.max_trials
    if config.tuner == "bayesian":
        start = max(3, config.max_trials // 3)
        return BayesianOptimizationOracle(num_initial_points=start, **shared)
    return RandomSearchOracle(**shared)


def _open(oracle: Any, score: Score, epochs: int, folder: Path) -> _Tuner:
    """Open a search; what processes that are gone were at waits for the next."""
    options = {"directory": str(folder.parent), "project_name": folder.name}
    if role() == "worker":  # it has nothing to go on with: the chief remembers
        name = os.environ["KERASTUNER_TUNER_ID"]
        (folder / f"{name}.json").unlink(missing_ok=True)
    tuner = _Tuner(score, epochs, oracle=oracle, **options)
    oracle.verbose = 0
    for trial in oracle.ongoing_trials.values():
        oracle._retry_queue.append(trial.trial_id)
    oracle.ongoing_trials.clear()
    return tuner


def _serve(tuner: _Tuner, watch: Callable[[], object]) -> None:
    """Hand trials out until every worker knows that there is none left.

    Keras Tuner's chief sleeps up to twenty seconds more; nobody waits for that.
    """
    errors: list[BaseException] = []

    def search() -> None:
        try:
            tuner.search()
        except BaseException as error:
            errors.append(error)

    oracle, has_begun = tuner.oracle, False
    thread = threading.Thread(target=search, daemon=True)
    thread.start()
    while thread.is_alive():
        watch()
        has_begun = has_begun or bool(oracle.tuner_ids)
        if has_begun and not oracle.tuner_ids and not oracle.ongoing_trials:
            break
        time.sleep(POLL_SECONDS)
    if errors:
        raise errors[0]


def _rows(oracle: Any, epochs: int) -> list[Trial]:
    rows = []
    for name in oracle.start_order:
        trial = oracle.trials[name]
        measured = {
            metric: float(history.get_best_value())
            for metric, history in trial.metrics.metrics.items()
        }
        share = trial.hyperparameters.values.get("tuner/epochs", epochs) / epochs
        row = {
            "trial": name,
            "status": str(trial.status).lower(),
            **measured,
            "share": share,
            "settings": active_settings(trial.hyperparameters),
        }
        rows.append(cast(Trial, row))
    return rows


def _is_done(row: Trial) -> bool:
    return row["status"] == "completed" and bool(np.isfinite(row["loss"]))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Keras Tuner's prints off standard output, and hush its Gaussian process."""
    from sklearn.exceptions import ConvergenceWarning

    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
