"""What every training shares: weights, unreadable pictures, the saved model."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.config import DataConfig
from pixsent_tf.data.sources import open_folder
from pixsent_tf.runs import Run
from pixsent_tf.studies.folds import hold_out, pool
from pixsent_tf.studies.trainer import Trained, Trainer, train_parts
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
