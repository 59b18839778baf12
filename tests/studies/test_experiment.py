"""What all studies share: weights, unreadable pictures, the table."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.config import DataConfig
from pixsent_tf.data.sources import open_folder
from pixsent_tf.runs import Run
from pixsent_tf.studies.experiment import Experiment
from pixsent_tf.studies.outcome import Outcome


def nothing(count):
    """Show no progress."""


def test_agreement_weighs_the_targets(mean_color, colored_folder):
    dataset = open_folder(colored_folder)
    votes = np.array([[5, 0], [4, 1], [3, 2]] * 4 + [[0, 5]] * 12)
    recipe = replace(mean_color, data=DataConfig(example_weights="agreement"))
    experiment = Experiment.prepare(recipe, replace(dataset, votes=votes), nothing)

    np.testing.assert_allclose(
        experiment.targets[:4], [[1, 0], [0.6, 0], [0.2, 0], [1, 0]], atol=1e-6
    )


def test_without_votes_every_picture_weighs_the_same(mean_color, colored_folder):
    recipe = replace(mean_color, data=DataConfig(example_weights="agreement"))
    experiment = Experiment.prepare(recipe, open_folder(colored_folder), nothing)

    assert (experiment.targets.sum(axis=1) == 1).all()


def test_an_unreadable_picture_keeps_its_row_and_trains_nothing(
    mean_color, colored_folder, tmp_path
):
    folder = tmp_path / "pictures"
    shutil.copytree(colored_folder, folder)
    (folder / "positive" / "00.png").write_bytes(b"")
    experiment = Experiment.prepare(mean_color, open_folder(folder), nothing)
    fitted = experiment.train(np.ones(24, bool))
    probs = np.full((24, 2), np.nan)
    probs[experiment.readable] = fitted.probs(np.flatnonzero(experiment.readable))
    run = Run.create(tmp_path / "run")
    outcome = Outcome(experiment.dataset, probs, np.ones(24, int), experiment.failures)
    results = outcome.write(run)

    assert results["num_examples"] == 23
    (failed,) = results["unreadable"]
    assert (failed["id"], failed["reason"]) == ("positive/00.png", "empty")
    (row,) = (r for r in run.read_table("predictions.csv") if r["status"] != "ok")
    assert (row["id"], row["prob_positive"], row["status"]) == (
        "positive/00.png",
        "",
        "empty",
    )


def test_the_saved_model_is_the_one_that_was_trained(
    mean_color, colored_folder, tmp_path
):
    from pixsent_tf.inference.model import SentimentModel

    dataset = open_folder(colored_folder)
    experiment = Experiment.prepare(mean_color, dataset, nothing)
    fitted = experiment.train(np.ones(24, bool))
    run = Run.create(tmp_path / "run")
    experiment.save_model(run.model_path, fitted)
    model = SentimentModel.load(run.model_path)

    found = [prediction.probs for prediction in model.predict(dataset.paths)]
    np.testing.assert_allclose(found, fitted.probs(np.arange(24)), atol=1e-6)
    assert model.class_names == ("negative", "positive")


def test_votes_that_are_asked_for_and_missing_are_an_error(mean_color, colored_folder):
    from pixsent_tf.errors import DataError

    recipe = replace(mean_color, data=DataConfig(labels="votes"))
    with pytest.raises(DataError, match="has no votes; leave --labels out"):
        Experiment.prepare(recipe, open_folder(colored_folder), nothing)
