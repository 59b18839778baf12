"""`crossval`: every picture once, by a model that has not seen it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.config import DataConfig
from pixsent_tf.data.sources import open_folder
from pixsent_tf.errors import ConfigError, RunError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.runs import Run
from pixsent_tf.studies.crossval import crossval
from pixsent_tf.studies.folds import divide
from pixsent_tf.studies.provenance.decisions import audit_run
from pixsent_tf.studies.trainer import Trainer
from tests.float32 import assert_close_float32
from tests.studies.conftest import OPERATIONS


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


def test_the_checkpoints_of_a_process_at_another_fold_stay(
    mean_color, published, tmp_path
):
    run = Run.create(tmp_path / "run")
    theirs = run.path / "checkpoints" / "of-another-process"
    theirs.mkdir(parents=True)

    crossval(mean_color, published, run, folds=[1, 2])
    assert theirs.is_dir()
    crossval(mean_color, published, run)
    assert not theirs.exists()


def test_a_picture_in_no_fold_trains_none(mean_color, published, tmp_path):
    crossval(mean_color, published, Run.create(tmp_path / "a"))
    labels = published.labels.copy()
    labels[[0, 23]] = 1 - labels[[0, 23]]
    crossval(mean_color, replace(published, labels=labels), Run.create(tmp_path / "b"))

    first, second = ((tmp_path / run / "predictions.csv").read_bytes() for run in "ab")
    assert first == second


def test_a_picture_that_joins_trains_every_fold_and_is_not_tested(
    mean_color, published, tmp_path
):
    joined = np.zeros(len(published), dtype="float32")
    joined[[0, 23]] = 1.0
    crossval(mean_color, published, Run.create(tmp_path / "without"))
    run = Run.create(tmp_path / "with")
    results = crossval(mean_color, replace(published, joined=joined), run)

    first, second = (
        Run(tmp_path / name).read_table("predictions.csv")
        for name in ("without", "with")
    )
    assert results["num_examples"] == 22
    assert [row["id"] for row in first] == [row["id"] for row in second]
    for fold in "123":
        before, after = (
            [row["prob_positive"] for row in rows if row["fold"] == fold]
            for rows in (first, second)
        )
        assert before != after


def test_a_finished_fold_is_never_trained_again(
    mean_color, published, tmp_path, monkeypatch
):
    crossval(mean_color, published, Run.create(tmp_path / "whole"))
    run, trained = Run.create(tmp_path / "killed"), []
    train = Trainer.train

    def killed_in_the_third(self, indices, **options):
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(indices)
        return train(self, indices, **options)

    monkeypatch.setattr(Trainer, "train", killed_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        crossval(mean_color, published, run)

    again = []
    monkeypatch.setattr(
        Trainer,
        "train",
        lambda self, some, **options: again.append(some) or train(self, some),
    )
    crossval(mean_color, published, run)

    assert len(again) == 1
    for name in ("predictions.csv", "history.csv"):
        assert (run.path / name).read_bytes() == (
            tmp_path / "whole" / name
        ).read_bytes()


def test_a_finished_run_reads_no_picture(mean_color, published, tmp_path, monkeypatch):
    run = Run.create(tmp_path / "run")
    first = crossval(mean_color, published, run)
    monkeypatch.delattr(Trainer, "read")
    again = crossval(mean_color, published, run)

    assert {**again, "seconds": 0} == {**first, "seconds": 0}


def test_other_pictures_do_not_join_a_run(mean_color, published, tmp_path):
    run = Run.create(tmp_path / "run")
    crossval(mean_color, published, run)
    moved = np.roll(published.folds, 1)

    with pytest.raises(RunError, match="tested other pictures in fold 1"):
        crossval(mean_color, replace(published, folds=moved), run)


def test_some_folds_are_tested_and_said_to_be(mean_color, published, tmp_path):
    run = Run.create(tmp_path / "run")
    results = crossval(mean_color, published, run, folds=[3])

    assert results["folds_tested"] == [3]
    assert {row["fold"] for row in run.read_table("predictions.csv")} == {"3"}
    with pytest.raises(ConfigError, match=r"Folds \[4\] are not all between 1 and 3"):
        crossval(mean_color, published, run, folds=[4])


def test_the_kept_model_of_a_fold_gives_its_predictions(
    mean_color, published, tmp_path
):
    run = Run.create(tmp_path / "run")
    crossval(mean_color, published, run)
    files = dict(zip(published.ids, published.paths, strict=True))
    rows = [row for row in run.read_table("predictions.csv") if row["fold"] == "2"]
    model = SentimentModel.load(run.fold_model_path(2))
    found = model.predict([files[row["id"]] for row in rows])

    assert_close_float32(
        [one.probs[1] for one in found],
        [float(row["prob_positive"]) for row in rows],
        operations=OPERATIONS,
    )


@pytest.mark.journey
def test_labels_at_random_give_accuracy_at_chance(mean_color, published, tmp_path):
    """The leak detector: what is wrong with the folds shows here."""
    generator = np.random.default_rng(0)
    accuracies = []
    for number in range(20):
        labels = generator.permutation(published.labels)
        run = Run.create(tmp_path / str(number))
        shuffled = replace(published, labels=labels)
        results = crossval(mean_color, shuffled, run, keep_models=False)
        accuracies.append(results["accuracy"])

    # 22 pictures: one standard error of the mean of 20 runs is 0.024.
    assert np.mean(accuracies) < 0.5 + 3 * 0.024


def test_with_sources_left_out_no_picture_of_theirs_trains(
    mean_color, colored_folder, tmp_path, monkeypatch
):
    dataset = open_folder(colored_folder)
    sources = (np.arange(24) % 3 == 0).astype(int)
    dataset = replace(dataset, sources=sources, source_names=("many", "few"))
    trained = []
    train = Trainer.train
    monkeypatch.setattr(
        Trainer,
        "train",
        lambda self, it, **options: trained.append(it) or train(self, it, **options),
    )

    run = Run.create(tmp_path / "run")
    results = crossval(mean_color, dataset, run, leave_source_out=True)

    assert [set(sources[each]) for each in trained] == [{1}, {0}]
    assert results["fold_source"] == "sources"
    rows = {row["source"]: row for row in results["per_source"]}
    assert {name: row["num_examples"] for name, row in rows.items()} == {
        "many": 16,
        "few": 8,
    }
    assert rows["few"]["accuracy"] == results["per_fold"][1] == 1.0
    tested = {row["id"]: int(row["fold"]) for row in run.read_table("predictions.csv")}
    assert [tested[name] for name in dataset.ids] == (sources + 1).tolist()


def test_folds_over_several_sources_tell_each_source(
    mean_color, colored_folder, tmp_path
):
    dataset = open_folder(colored_folder)
    sources = np.arange(24) % 2
    dataset = replace(dataset, sources=sources, source_names=("a", "b"))
    recipe = replace(mean_color, data=DataConfig(num_folds=3, balance="both"))

    results = crossval(recipe, dataset, Run.create(tmp_path / "run"))

    assert [row["source"] for row in results["per_source"]] == ["a", "b"]
    assert results["fold_source"] == "stratified"


def test_one_source_has_no_numbers_of_its_own(mean_color, published, tmp_path):
    results = crossval(mean_color, published, Run.create(tmp_path / "run"))

    assert results["per_source"] == []


def test_each_training_saw_all_but_what_its_fold_tested(
    mean_color, published, tmp_path
):
    run = Run.create(tmp_path / "run")
    crossval(mean_color, published, run)

    found = audit_run(run)

    assert (found["has_leak"], found["leaks"]) == (False, [])
    seen = [fold["decisions"][0]["trained"] for fold in found["folds"]]
    tested = [fold["tested"] for fold in found["folds"]]
    assert sum(tested) == 22
    assert seen == [22 - count for count in tested]


def test_a_training_that_is_given_a_test_picture_is_found_out(
    mean_color, published, tmp_path, monkeypatch
):
    def leaking(*arguments, **settings):
        first, *others = divide(*arguments, **settings)
        return [replace(first, train=np.append(first.train, first.test[0])), *others]

    monkeypatch.setattr("pixsent_tf.studies.crossval.divide", leaking)
    run = Run.create(tmp_path / "run")
    crossval(mean_color, published, run)

    (leak,) = audit_run(run)["leaks"]

    assert (leak["fold"], leak["decision"]) == (1, "training")
    assert leak["id"] == published.ids[np.flatnonzero(published.folds == 1)[0]]
