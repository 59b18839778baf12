"""`crossval`: every picture once, by a model that has not seen it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.data.sources import open_folder
from pixsent_tf.runs import Run
from pixsent_tf.studies.crossval import crossval


@pytest.fixture
def published(colored_folder):
    """The pictures with three published folds, and two pictures in none."""
    dataset = open_folder(colored_folder)
    folds = (np.arange(len(dataset)) % 3 + 1).astype("int32")
    folds[[0, 23]] = 0
    return replace(dataset, folds=folds)


def test_published_folds_stand_and_pictures_in_none_are_left_out(
    mean_color, published, tmp_path
):
    run = Run.create(tmp_path / "run")
    results = crossval(mean_color, published, run)
    rows = run.read_table("predictions.csv")

    expected = dict(zip(published.ids, published.folds.tolist(), strict=True))
    assert {row["id"]: int(row["fold"]) for row in rows} == {
        name: fold for name, fold in expected.items() if fold
    }
    assert results["num_examples"] == 22
    assert results["fold_source"] == "published"
    assert results["accuracy"] == 1.0


def test_a_picture_in_no_fold_trains_none(mean_color, published, tmp_path):
    crossval(mean_color, published, Run.create(tmp_path / "a"))
    labels = published.labels.copy()
    labels[[0, 23]] = 1 - labels[[0, 23]]
    crossval(mean_color, replace(published, labels=labels), Run.create(tmp_path / "b"))

    first, second = ((tmp_path / run / "predictions.csv").read_bytes() for run in "ab")
    assert first == second


def test_labels_at_random_give_accuracy_at_chance(mean_color, published, tmp_path):
    """The leak detector: what is wrong with the folds shows here."""
    generator = np.random.default_rng(0)
    accuracies = []
    for number in range(20):
        labels = generator.permutation(published.labels)
        run = Run.create(tmp_path / str(number))
        shuffled = replace(published, labels=labels)
        accuracies.append(crossval(mean_color, shuffled, run)["accuracy"])

    # 22 pictures: one standard error of the mean of 20 runs is 0.024.
    assert np.mean(accuracies) < 0.5 + 3 * 0.024
