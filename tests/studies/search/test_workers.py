"""Chief and workers on one machine."""

from __future__ import annotations

import os
import time

import pytest

from pixsent_tf.config import Recipe, override
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.errors import RunError
from pixsent_tf.runs import Run
from pixsent_tf.studies.provenance.decisions import audit_run
from pixsent_tf.studies.search.space import SearchConfig
from pixsent_tf.studies.search.tune import claim, tune
from pixsent_tf.studies.search.workers import local_workers, work
from tests.heard import Heard

SEARCH = SearchConfig(backbones=("efficientnet_lite0",), trials=3)


@pytest.fixture
def recipe(colored_folder):
    changes = {"data.source": str(colored_folder), "data.num_folds": 2}
    return override(Recipe(), changes)


def test_a_process_without_a_chief_is_no_worker(tmp_path):
    with pytest.raises(RunError, match="Set KERASTUNER_TUNER_ID"):
        work(str(tmp_path))


@pytest.mark.slow
def test_workers_run_the_trials_that_the_chief_chooses(recipe, tmp_path):
    dataset = open_dataset(recipe.data)
    alone = Run.create(tmp_path / "alone")
    expected = tune(recipe, dataset, alone, SEARCH)
    run = Run.create(tmp_path / "shared")
    claim(run, recipe, SEARCH)
    with local_workers(2, run, ports=2) as watch:
        silent = Heard(pytest.fail)  # the chief runs no trial
        results = tune(recipe, dataset, run, SEARCH, progress=silent, watch=watch)

    for one, other in zip(results["winners"], expected["winners"], strict=True):
        assert one["settings"] == other["settings"]
        assert one["inner_loss"] == pytest.approx(other["inner_loss"], rel=1e-4)
    assert audit_run(run)["has_leak"] is False
    assert "KERASTUNER_TUNER_ID" not in os.environ


@pytest.mark.slow
def test_a_worker_that_fails_is_named_and_ends_the_search(recipe, tmp_path):
    run = Run.create(tmp_path / "run")  # holds no recipe to work on

    def watch_for_a_minute(watch):
        for _ in range(600):
            watch()
            time.sleep(0.1)

    with (
        local_workers(1, run, ports=1) as watch,
        pytest.raises(RunError, match=r"A worker failed: .* holds no recipe"),
    ):
        watch_for_a_minute(watch)
