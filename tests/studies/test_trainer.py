"""What every training shares: weights, unreadable pictures, the saved model."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.config import DataConfig, ModelConfig
from pixsent_tf.data.sources import open_folder
from pixsent_tf.errors import ConfigError, TrainingError
from pixsent_tf.runs import Run
from pixsent_tf.studies import trainer as trainer_module
from pixsent_tf.studies.folds import hold_out, pool
from pixsent_tf.studies.trainer import (
    Trained,
    Trainer,
    build_learner,
    train_parts,
)
from tests.float32 import assert_close_float32
from tests.studies.conftest import OPERATIONS

EVERYTHING = np.arange(24)


def aimed_at(trainer, indices=EVERYTHING):
    """What the learner is given to train on."""
    given = []
    fit = trainer.learner.fit
    trainer.learner.fit = lambda *args, **more: given.append(args) or fit(*args, **more)
    trainer.train(indices)
    return given[0][1]


def test_agreement_weighs_the_targets(mean_color, colored_folder):
    dataset = open_folder(colored_folder)
    votes = np.array([[5, 0], [4, 1], [3, 2]] * 4 + [[0, 5]] * 12)
    recipe = replace(mean_color, data=DataConfig(example_weights="agreement"))
    targets = aimed_at(Trainer.read(recipe, replace(dataset, votes=votes)))

    np.testing.assert_allclose(
        targets[:4], [[1, 0], [0.6, 0], [0.2, 0], [1, 0]], atol=1e-6
    )


def test_without_votes_every_picture_weighs_the_same(mean_color, colored_folder):
    recipe = replace(mean_color, data=DataConfig(example_weights="agreement"))
    targets = aimed_at(Trainer.read(recipe, open_folder(colored_folder)))

    assert (targets.sum(axis=1) == 1).all()


def test_sources_and_classes_weigh_the_same_among_what_trains(
    mean_color, colored_folder
):
    dataset = open_folder(colored_folder)
    sources = np.array([0] * 10 + [1] * 2 + [0] * 4 + [1] * 8)
    dataset = replace(dataset, sources=sources, source_names=("a", "b"))
    recipe = replace(mean_color, data=DataConfig(balance="both"))
    trains = np.arange(1, 24)

    targets = aimed_at(Trainer.read(recipe, dataset), trains)[trains]

    for source in (0, 1):
        total = targets[sources[trains] == source].sum(axis=0)
        np.testing.assert_allclose(total, [23 / 4, 23 / 4], atol=1e-5)


def test_a_balanced_training_is_calibrated_with_kinds_balanced_alike(
    mean_color, colored_folder, monkeypatch
):
    dataset = open_folder(colored_folder)
    joined = np.where(np.arange(24) == 0, 0.5, 0).astype("float32")
    recipe = replace(mean_color, data=DataConfig(balance="classes"))
    trainer, heard = Trainer.read(recipe, replace(dataset, joined=joined)), []
    monkeypatch.setattr(
        "pixsent_tf.studies.trainer.calibrate",
        lambda fitted, labels, *, weights, **_: heard.append((labels, weights)),
    )
    trainer.train(np.arange(18))
    ((labels, weights),) = heard

    assert weights[0] == 0  # only trains
    totals = [weights[labels == label].sum() for label in (0, 1)]
    np.testing.assert_allclose(totals, [17 / 2, 17 / 2], atol=1e-5)


def test_an_unreadable_picture_keeps_its_row_and_trains_nothing(
    mean_color, colored_folder, tmp_path
):
    folder = tmp_path / "pictures"
    shutil.copytree(colored_folder, folder)
    (folder / "positive" / "00.png").write_bytes(b"")
    dataset, everything = open_folder(folder), np.arange(24)
    trainer = Trainer.read(mean_color, dataset)
    predicted = trainer.predict(trainer.train(everything), everything)
    run = Run.create(tmp_path / "run")
    part = hold_out(np.ones(24, bool))
    outcome = pool(dataset, [part], {1: predicted})
    results = outcome.write(run, outcome.measure(run, started=time.monotonic()))

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
    trainer = Trainer.read(mean_color, dataset)
    fitted = trainer.train(np.arange(24))
    run = Run.create(tmp_path / "run")
    trainer.save_model(run.model_path, fitted)
    model = SentimentModel.load(run.model_path)

    found = [prediction.probs for prediction in model.predict(dataset.paths)]
    expected = fitted.probs(np.arange(24))
    assert_close_float32(found, expected, operations=OPERATIONS)
    assert model.class_names == ("negative", "positive")


def test_votes_that_are_asked_for_and_missing_are_an_error(mean_color, colored_folder):
    from pixsent_tf.errors import DataError

    recipe = replace(mean_color, data=DataConfig(labels="votes"))
    with pytest.raises(DataError, match="has no votes; leave --labels out"):
        Trainer.read(recipe, open_folder(colored_folder))


def test_what_a_training_found_is_the_same_after_a_way_through_json(
    mean_color, colored_folder, tmp_path
):
    dataset = open_folder(colored_folder)
    run, part = Run.create(tmp_path / "run"), hold_out(np.arange(24) % 3 == 0)
    (found,) = train_parts(mean_color, dataset, run, [part], model_path=None).values()

    again = Trained.from_json(json.loads(json.dumps(found.to_json())))

    assert again.predicted.ids == found.predicted.ids
    np.testing.assert_array_equal(again.predicted.probs, found.predicted.probs)
    assert again.predicted.probs.dtype == np.float32
    assert (again.history, again.temperature) == (found.history, found.temperature)


def test_no_model_is_kept_unless_it_has_a_name(mean_color, colored_folder, tmp_path):
    dataset = open_folder(colored_folder)
    run, part = Run.create(tmp_path / "run"), hold_out(np.arange(24) % 3 == 0)

    train_parts(mean_color, dataset, run, [part], model_path=None)

    assert not list(run.path.glob("*.keras"))


def test_copies_share_an_inner_fold_without_being_named(
    mean_color, colored_folder, tmp_path
):
    folder = tmp_path / "pictures"
    shutil.copytree(colored_folder, folder)
    for number in range(4):
        first = folder / "positive" / f"{number:02}.png"
        shutil.copy(first, folder / "positive" / f"copy-of-{first.name}")
    dataset = open_folder(folder)
    trained = Trainer.read(mean_color, dataset).train(np.arange(len(dataset)))

    place = {name: i for i, name in enumerate(dataset.ids)}
    folds = trained.fitted.inner.folds
    for number in range(4):
        first = folds[place[f"positive/{number:02}.png"]]
        assert first == folds[place[f"positive/copy-of-{number:02}.png"]]


class Answers:
    """Stands for a training: answers from a table, by position."""

    half_widths = (0.5, 2.0)

    def __init__(self, probs):
        self.table = probs

    def probs(self, indices):
        return self.table[indices]


@pytest.fixture
def trainer(mean_color, colored_folder, tmp_path):
    """Has read 24 pictures, of which the first and the tenth are none."""
    folder = tmp_path / "pictures"
    shutil.copytree(colored_folder, folder)
    for name in ("negative/00.png", "negative/09.png"):
        (folder / name).write_bytes(b"")
    return Trainer.read(mean_color, open_folder(folder))


def test_answers_that_are_not_finite_are_counted_and_their_pictures_named(trainer):
    probs = np.full((24, 2), 0.5)
    probs[[9, 11, 15], [1, 0, 1]] = np.nan, np.inf, np.nan  # the tenth is not asked

    with pytest.raises(TrainingError, match="2 of 22 pictures with numbers") as told:
        trainer.predict(Answers(probs), EVERYTHING)

    assert list(told.value.positions) == [11, 15]


def test_answers_stand_beside_the_pictures_that_could_be_read(trainer):
    probs = np.linspace(0, 1, 48).reshape(24, 2)
    asked = np.array([3, 0, 9, 20, 10])

    found = trainer.predict(Answers(probs), asked)

    ids = trainer.dataset.ids
    assert found.ids == (ids[3], ids[20], ids[10])
    np.testing.assert_array_equal(found.probs, probs[[3, 20, 10]])
    assert set(found.failures) == {ids[0], ids[9]}
    assert found.half_widths == (0.5, 2.0)


def test_checkpoints_stay_until_every_part_is_finished(
    mean_color, colored_folder, tmp_path
):
    dataset, run = open_folder(colored_folder), Run.create(tmp_path / "run")
    parts = [
        replace(hold_out(np.arange(24) % 3 == number), number=number + 1)
        for number in range(3)
    ]
    left = run.path / trainer_module.CHECKPOINTS / "fold-2"
    left.mkdir(parents=True)

    some = train_parts(mean_color, dataset, run, parts, numbers=[3, 1], model_path=None)
    assert left.is_dir()
    rest = train_parts(mean_color, dataset, run, parts, numbers=[2], model_path=None)

    assert (list(some), list(rest)) == ([1, 3], [2])
    assert not left.parent.exists()


def test_the_record_of_a_part_tells_what_trained_it_and_what_tested_it(
    mean_color, colored_folder, tmp_path
):
    dataset, run = open_folder(colored_folder), Run.create(tmp_path / "run")
    part = hold_out(np.arange(24) % 4 == 1)

    train_parts(mean_color, dataset, run, [part], model_path=None)

    hashes = {row["id"]: row["sha256"] for row in run.read_table("pictures.csv")}
    (fold,) = json.loads((run.path / "decisions.json").read_text())["folds"]
    (decision,) = fold["decisions"]
    assert fold["fold"] == 1
    assert set(fold["tested"]) == {hashes[dataset.ids[i]] for i in range(1, 24, 4)}
    assert set(decision["trained"]) == {
        hashes[name] for i, name in enumerate(dataset.ids) if i % 4 != 1
    }


@pytest.mark.parametrize(
    ("where", "is_noted"),
    [({"positions": [5, 2]}, True), ({"epoch": 3, "step": 4}, True), ({}, False)],
)
def test_a_training_that_goes_wrong_says_where(
    mean_color, colored_folder, tmp_path, where, is_noted
):
    dataset, run = open_folder(colored_folder), Run.create(tmp_path / "run")
    part = replace(hold_out(np.arange(24) < 4), number=2)

    with (
        pytest.raises(TrainingError) as told,
        trainer_module._told(run, part, dataset),
    ):
        raise TrainingError("The loss is gone.", batch_size=8, **where)

    noted = run.path / trainer_module.WENT_WRONG
    assert noted.exists() == is_noted
    assert str(told.value) == (
        f"The loss is gone; {noted} names the pictures."
        if is_noted
        else "The loss is gone."
    )
    assert told.value.batch_size == 8
    if is_noted:
        assert json.loads(noted.read_text()) == {
            "fold": 2,
            "epoch": where.get("epoch"),
            "step": where.get("step"),
            "ids": [dataset.ids[i] for i in where.get("positions", [])],
        }


def test_members_of_an_ensemble_have_the_seeds_that_follow(mean_color):
    training = replace(mean_color.training, ensemble_size=3)

    found = build_learner(replace(mean_color, training=training, seed=4), 2)

    assert [one.seed for one in found.members] == [4, 5, 6]
    assert len({id(one.backbone) for one in found.members}) == 1  # built once


def test_networks_of_an_ensemble_are_trained_each_by_the_seed_that_is_its_own(
    mean_color,
):
    training = replace(mean_color.training, strategy="all", ensemble_size=2)

    found = build_learner(replace(mean_color, training=training, seed=4), 2)

    assert [one.recipe.seed for one in found.members] == [4, 5]
    assert [one.recipe.training.ensemble_size for one in found.members] == [1, 1]


def test_the_last_of_several_networks_is_the_one_that_is_tuned():
    both = ModelConfig("efficientnet_lite0@64+efficientnet_lite1@80", mirror=True)

    assert trainer_module._last_branch(both) == ModelConfig("efficientnet_lite1@80")
    alone = ModelConfig("caffenet@80", mirror=True)
    assert trainer_module._last_branch(alone) is alone
    smaller = ModelConfig("efficientnet_lite0@80+efficientnet_lite1@64")
    with pytest.raises(ConfigError, match="must see the largest crops"):
        trainer_module._last_branch(smaller)
