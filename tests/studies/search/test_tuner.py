"""Keras Tuner around a score that is known in closed form."""

from __future__ import annotations

import json
import math

import keras_tuner
import pytest
import tensorflow as tf

from pixsent_tf.errors import DataError, RunError
from pixsent_tf.studies.search.space import SearchConfig
from pixsent_tf.studies.search.tuner import best_row, run_search


@pytest.fixture
def space():
    space = keras_tuner.HyperParameters()
    space.Float("training.inverse_penalty", 0.1, 1000, sampling="log")
    return space


def bowl(settings, share):
    """Least at a penalty of 10; half the effort measures half of it worse."""
    distance = math.log10(settings["training.inverse_penalty"]) - 1
    return {"loss": distance**2 + (1 - share), "accuracy": 0.5}


def search(space, folder, *, score=bowl, tuner="random", trials=None, seed=0):
    config = SearchConfig(tuner=tuner, trials=trials)
    return run_search(config, space, score, folder / "s", epochs=4, seed=seed)


def penalties(rows):
    return [row["settings"]["training.inverse_penalty"] for row in rows]


@pytest.mark.parametrize("tuner", ["random", "bayesian", "hyperband"])
def test_every_tuner_reports_each_trial_as_it_was_scored(space, tmp_path, tuner):
    trials = None if tuner == "hyperband" else 8
    rows = search(space, tmp_path, tuner=tuner, trials=trials)

    assert len(rows) == trials or tuner == "hyperband"
    for row in rows:
        expected = bowl(row["settings"], row["share"])["loss"]
        assert row["loss"] == pytest.approx(expected)
        assert row["status"] == "completed"


def test_a_model_of_the_loss_gets_closer_than_chance(space, tmp_path):
    rows = search(space, tmp_path, tuner="bayesian", trials=12)

    assert best_row(rows)["loss"] < 0.01  # chance: .05 in the median


def test_hyperband_chooses_among_trials_with_the_full_effort(space, tmp_path):
    rows = search(space, tmp_path, tuner="hyperband")

    assert {row["share"] for row in rows} > {1.0}
    assert best_row(rows)["share"] == 1.0


@pytest.mark.parametrize("seed", [0, 1])
def test_one_seed_gives_the_same_trials(space, tmp_path, seed):
    first, second, other = (
        penalties(search(space, tmp_path / name, trials=4, seed=number))
        for name, number in (("a", seed), ("b", seed), ("c", seed + 1))
    )

    assert first == second != other


@pytest.mark.parametrize("tuner", ["random", "bayesian", "hyperband"])
def test_a_killed_search_goes_on_with_the_trial_it_was_at(space, tmp_path, tuner):
    trials = None if tuner == "hyperband" else 6
    whole = search(space, tmp_path / "whole", tuner=tuner, trials=trials)
    scored = []

    def killed(settings, share):
        if len(scored) == 3:
            raise KeyboardInterrupt
        scored.append(settings)
        return bowl(settings, share)

    options = {"tuner": tuner, "trials": trials}
    with pytest.raises(KeyboardInterrupt):
        search(space, tmp_path / "cut", score=killed, **options)
    again = []
    rows = search(
        space,
        tmp_path / "cut",
        score=lambda *args: again.append(args) or bowl(*args),
        **options,
    )

    # A Gaussian process rounds differently the second time.
    assert penalties(rows) == pytest.approx(penalties(whole), rel=1e-4)
    assert len(scored) + len(again) == len(whole)


def test_notes_that_were_cut_off_start_the_search_again(space, tmp_path):
    whole = search(space, tmp_path, trials=3)
    (tmp_path / "s" / "oracle.json").write_text('{"ongoing')

    assert penalties(search(space, tmp_path, trials=3)) == penalties(whole)


def test_an_error_in_a_trial_ends_the_search_as_itself(space, tmp_path):
    def broken(settings, share):
        raise DataError("a class is too small")

    with pytest.raises(DataError, match="a class is too small"):
        search(space, tmp_path, score=broken, trials=3)


def test_a_trial_without_memory_is_skipped_and_three_end_the_search(space, tmp_path):
    asked = []

    def large(settings, share):
        asked.append(settings)
        if len(asked) in wanting:
            raise tf.errors.ResourceExhaustedError(None, None, "out of memory")
        return bowl(settings, share)

    wanting = {1}
    rows = search(space, tmp_path / "one", score=large, trials=3)
    assert [row["status"] for row in rows] == ["failed", "completed", "completed"]
    asked.clear()
    wanting = {1, 2, 3}
    with pytest.raises(RunError, match="Three trials in a row ran out of memory"):
        search(space, tmp_path / "three", score=large, trials=6)


def test_nothing_is_printed(space, tmp_path, capsys):
    search(space, tmp_path, trials=2)
    search(space, tmp_path, trials=2)  # reloads

    assert capsys.readouterr().out == ""


def test_a_search_in_which_nothing_worked_has_no_winner():
    with pytest.raises(RunError, match="No trial was completed"):
        best_row([{"status": "failed", "share": 1.0}])


def test_keras_tuner_keeps_its_notes_in_the_folder(space, tmp_path):
    search(space, tmp_path, trials=2)

    notes = json.loads((tmp_path / "s" / "oracle.json").read_text())
    assert notes["end_order"] == ["0", "1"]


def test_keras_tuner_still_has_the_private_parts_that_a_resumed_search_uses():
    space = keras_tuner.HyperParameters()
    space.Float("training.learning_rate", 1e-5, 1e-3)
    oracle = keras_tuner.oracles.HyperbandOracle(
        objective=keras_tuner.Objective("loss", "min"),
        max_epochs=4,
        hyperparameters=space,
    )

    first = oracle.populate_space("0000")

    assert oracle._retry_queue == []  # where a trial that was cut off is put again
    assert oracle.ongoing_trials == {}  # where it was before
    assert first["values"]["tuner/epochs"] == 2  # the effort of a trial, of 4 epochs
