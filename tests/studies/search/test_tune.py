"""`tune`: a search that cannot see its test fold, and can be killed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.config import override
from pixsent_tf.data.sources import open_folder
from pixsent_tf.errors import RunError
from pixsent_tf.runs import Run
from pixsent_tf.studies.provenance.decisions import audit_run
from pixsent_tf.studies.search.space import SearchConfig
from pixsent_tf.studies.search.tune import claim, read_config, tune
from tests.float32 import assert_close_float32
from tests.heard import Heard
from tests.studies.conftest import OPERATIONS

SEARCH = SearchConfig(backbones=("mean_color",), trials=3)


@pytest.fixture
def recipe(mean_color):
    return override(mean_color, {"data.num_folds": 3})


@pytest.fixture
def dataset(colored_folder):
    return open_folder(colored_folder)


def run_in(path, recipe, dataset, config=SEARCH, **hearing):
    run = Run.create_or_resume(path, recipe)
    return run, tune(recipe, dataset, run, config, progress=Heard(**hearing))


def files(path):
    """What a run found, without times."""
    rows = Run(path).read_table("trials.csv")
    for row in rows:
        row.pop("seconds")
    return rows, (path / "predictions.csv").read_bytes()


def test_a_nested_search_tests_every_picture_once(recipe, dataset, tmp_path):
    run, results = run_in(tmp_path / "run", recipe, dataset)

    rows = run.read_table("predictions.csv")
    assert len({row["id"] for row in rows}) == results["num_examples"] == 24
    assert results["accuracy"] == 1.0
    assert results["settings_tried"] == 9
    assert [winner["fold"] for winner in results["winners"]] == [1, 2, 3]
    assert not run.model_path.exists()
    assert not (run.path / "features").exists()


def test_the_winner_has_the_smallest_inner_loss_of_its_fold(recipe, dataset, tmp_path):
    run, results = run_in(tmp_path / "run", recipe, dataset)

    rows = run.read_table("trials.csv")
    for winner in results["winners"]:
        of_fold = [row for row in rows if row["fold"] == str(winner["fold"])]
        best = min(of_fold, key=lambda row: float(row["loss"]))
        assert best["is_winner"] == "True"
        assert float(best["loss"]) == winner["inner_loss"]
        penalty = winner["settings"]["training.inverse_penalty"]
        assert float(best["training.inverse_penalty"]) == penalty


def test_the_record_proves_that_no_search_saw_its_test_fold(recipe, dataset, tmp_path):
    run, _ = run_in(tmp_path / "run", recipe, dataset)

    findings = audit_run(run)

    assert findings["has_leak"] is False
    for fold in findings["folds"]:
        search, training = fold["decisions"]
        assert search["trained"] == search["validated"] == training["trained"]
        assert search["trained"] + fold["tested"] == 24


def test_labels_of_a_test_fold_cannot_change_what_its_search_chooses(
    recipe, dataset, tmp_path
):
    folds = (np.arange(24) % 3 + 1).astype("int32")
    published = replace(dataset, folds=folds)
    labels = np.where(folds == 2, 1 - dataset.labels, dataset.labels).astype("int32")
    run_in(tmp_path / "a", recipe, published)
    run_in(tmp_path / "b", recipe, replace(published, labels=labels))

    first, second = (
        [row for row in files(tmp_path / name)[0] if row["fold"] == "2"]
        for name in "ab"
    )
    assert first == second


def test_copies_of_a_test_picture_are_kept_from_search_and_training(
    recipe, dataset, colored_folder, tmp_path
):
    copied = [*dataset.paths]
    copied[1] = copied[0]  # folds 1 and 2 hold the same bytes
    folds = (np.arange(24) % 3 + 1).astype("int32")
    published = replace(dataset, paths=tuple(copied), folds=folds)

    run, results = run_in(tmp_path / "run", recipe, published)

    assert results["copies_left_out"] == [1, 1, 0]
    assert audit_run(run)["has_leak"] is False


def test_a_killed_search_goes_on_and_finds_the_same(recipe, dataset, tmp_path):
    run_in(tmp_path / "whole", recipe, dataset)
    done = []

    def kill(line):
        done.append(1)
        if len(done) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_in(tmp_path / "cut", recipe, dataset, on_line=kill)
    assert (tmp_path / "cut" / "folds" / "fold-1.json").exists()
    again = []
    run_in(tmp_path / "cut", recipe, dataset, on_line=again.append)

    assert files(tmp_path / "cut") == files(tmp_path / "whole")
    assert len(done) + len(again) == 9 + 1  # the one that was cut off runs twice


def test_a_finished_search_is_not_searched_again(recipe, dataset, tmp_path):
    _, first = run_in(tmp_path / "run", recipe, dataset)
    _, second = run_in(tmp_path / "run", recipe, dataset, on_line=pytest.fail)

    assert first | {"seconds": 0} == second | {"seconds": 0}


def test_without_nesting_the_winner_is_kept_as_a_model(recipe, dataset, tmp_path):
    from pixsent_tf.config import from_json
    from pixsent_tf.inference.model import SentimentModel

    run, results = run_in(
        tmp_path / "run", recipe, dataset, replace(SEARCH, nested=False)
    )

    rows = run.read_table("predictions.csv")
    paths = [dict(zip(dataset.ids, dataset.paths, strict=True))[r["id"]] for r in rows]
    found = SentimentModel.load(run.model_path).predict(paths)
    assert_close_float32(
        [one.probs[1] for one in found],
        [float(row["prob_positive"]) for row in rows],
        operations=OPERATIONS,
    )
    assert results["num_examples"] == 5
    assert audit_run(run)["has_leak"] is False
    winner = from_json((run.path / "winner.json").read_text())
    (chosen,) = results["winners"]
    assert (
        winner.training.inverse_penalty
        == chosen["settings"]["training.inverse_penalty"]
    )


def test_an_unreadable_picture_is_named_and_neither_seen_nor_tested(
    recipe, dataset, tmp_path
):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"")
    paths = (str(broken), *dataset.paths[1:])

    run, results = run_in(tmp_path / "run", recipe, replace(dataset, paths=paths))

    assert [row["id"] for row in results["unreadable"]] == [dataset.ids[0]]
    assert results["num_examples"] == 23
    assert audit_run(run)["has_leak"] is False


def test_another_search_does_not_go_on_in_the_same_folder(recipe, dataset, tmp_path):
    run = Run.create(tmp_path / "run")
    claim(run, recipe, SEARCH)

    assert read_config(run) == SEARCH
    with pytest.raises(
        RunError,
        match=r"which differs in trials: \d+ there, 4 here; name another folder",
    ):
        claim(run, recipe, replace(SEARCH, trials=4))
