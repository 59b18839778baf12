"""`fit`: what is held out never trains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.data.sources import open_folder
from pixsent_tf.errors import RunError
from pixsent_tf.runs import Run
from pixsent_tf.studies import fit
from pixsent_tf.studies.folds import Predicted
from pixsent_tf.studies.trainer import Trained, Trainer
from tests.heard import Heard


def test_labels_of_the_held_out_part_cannot_change_the_model(
    mean_color, colored_folder, tmp_path
):
    dataset = open_folder(colored_folder)
    fit.fit(mean_color, dataset, Run.create(tmp_path / "a"))
    tested = {row["id"] for row in Run(tmp_path / "a").read_table("predictions.csv")}
    flipped = [name in tested for name in dataset.ids]
    wrong = np.where(flipped, 1 - dataset.labels, dataset.labels).astype("int32")
    # The same pictures are held out only if the split sees the same labels.
    split = fit.splits.held_out
    try:
        mask = split(dataset, 0.2, seed=0)
        fit.splits.held_out = lambda *_, **__: mask
        fit.fit(mean_color, replace(dataset, labels=wrong), Run.create(tmp_path / "b"))
    finally:
        fit.splits.held_out = split

    histories = [(tmp_path / run / "history.csv").read_bytes() for run in "ab"]
    assert histories[0] == histories[1]


def test_one_seed_gives_the_same_bytes(mean_color, colored_folder, tmp_path):
    dataset = open_folder(colored_folder)
    for run in "ab":
        fit.fit(mean_color, dataset, Run.create(tmp_path / run))

    for name in ("predictions.csv", "history.csv", "recipe.json"):
        first, second = ((tmp_path / run / name).read_bytes() for run in "ab")
        assert first == second


def test_a_finished_fit_gives_its_results_and_reads_no_picture(
    mean_color, colored_folder, tmp_path, monkeypatch
):
    dataset, run = open_folder(colored_folder), Run.create(tmp_path / "run")
    first = fit.fit(mean_color, dataset, run)
    before = (run.path / "predictions.csv").read_bytes()
    monkeypatch.delattr(Trainer, "read")
    again = fit.fit(mean_color, dataset, run)

    assert {**again, "seconds": 0} == {**first, "seconds": 0}
    assert (run.path / "predictions.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("labels", "the label of .* there, .* here; name another folder with --out"),
        ("ids", r"the bytes of .* and 23 more are others"),
    ],
)
def test_a_fit_of_other_pictures_is_not_given_for_this_one(
    mean_color, colored_folder, tmp_path, monkeypatch, change, message
):
    dataset, run = open_folder(colored_folder), Run.create(tmp_path / "run")
    mask = np.arange(len(dataset)) % 4 == 0
    monkeypatch.setattr(fit.splits, "held_out", lambda *_, **__: mask)
    fit.fit(mean_color, dataset, run)
    other = {
        "labels": replace(dataset, labels=np.roll(dataset.labels, 2)),
        "ids": replace(dataset, ids=tuple(reversed(dataset.ids))),
    }[change]

    with pytest.raises(RunError, match=message):
        fit.fit(mean_color, other, run)


def test_the_seed_decides_what_is_held_out(mean_color, colored_folder, tmp_path):
    dataset = open_folder(colored_folder)
    tested = []
    for seed in (0, 1):
        run = Run.create(tmp_path / str(seed))
        fit.fit(replace(mean_color, seed=seed), dataset, run)
        tested.append({row["id"] for row in run.read_table("predictions.csv")})

    assert tested[0] != tested[1]


@pytest.fixture
def trained(monkeypatch):
    """Stands for a training: tells what it was asked, and answers from a table."""
    asked = {}

    def train_parts(recipe, dataset, run, parts, *, model_path, progress):
        (part,) = parts
        asked.update(part=part, model_path=model_path(part.number))
        probs = np.tile(np.array([[0.75, 0.25]]), (len(part.test), 1))
        ids = tuple(dataset.ids[i] for i in part.test)
        rows = [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}]
        return {part.number: Trained(Predicted(ids, probs, {}, ()), rows, 1.75, ())}

    monkeypatch.setattr(fit, "train_parts", train_parts)
    return asked


def divided(colored_folder):
    """Groups of two neighbors; of each class two test, and two are tied to those."""
    dataset = open_folder(colored_folder)
    splits = np.array(["train"] * 24)
    splits[[0, 4, 12, 15]] = "test"
    groups = np.arange(24, dtype="int32") // 2
    return replace(dataset, splits=splits, groups=groups)


def test_what_is_tied_to_a_test_picture_is_left_out_and_named(
    trained, mean_color, colored_folder, tmp_path
):
    dataset, heard = divided(colored_folder), Heard()

    results = fit.fit(mean_color, dataset, Run.create(tmp_path / "r"), progress=heard)

    tied = [1, 5, 13, 14]
    assert trained["part"].test.tolist() == [0, 4, 12, 15]
    assert trained["part"].train.tolist() == [
        i for i in range(24) if i not in (*tied, 0, 4, 12, 15)
    ]
    assert results["copies_left_out"] == [dataset.ids[i] for i in tied]
    assert results["split_source"] == "given"
    assert [line for line in heard.lines if "left out" in line] == [
        "left out of the training, as copies of test pictures or of their groups: 4"
    ]


def test_nothing_is_said_of_copies_where_none_is_left_out(
    trained, mean_color, colored_folder, tmp_path
):
    heard = Heard()
    dataset = open_folder(colored_folder)

    results = fit.fit(mean_color, dataset, Run.create(tmp_path / "r"), progress=heard)

    assert results["split_source"] == "held out"
    assert results["copies_left_out"] == []
    assert not any("left out" in line for line in heard.lines)


def test_what_a_training_found_is_told_as_it_was_found(
    trained, mean_color, colored_folder, tmp_path
):
    run = Run.create(tmp_path / "r")

    results = fit.fit(mean_color, divided(colored_folder), run)

    assert trained["model_path"] == run.model_path
    assert results["temperature"] == 1.75
    assert (results["num_examples"], results["accuracy"]) == (4, 0.5)  # all negative
    history = (run.path / "history.csv").read_text("utf-8").split()
    assert history == ["epoch,loss", "1,0.5", "2,0.25"]


def test_the_share_that_is_held_out_is_the_recipes(
    trained, mean_color, colored_folder, tmp_path
):
    half = replace(mean_color.evaluation, test_fraction=0.5)
    recipe = replace(mean_color, evaluation=half)

    fit.fit(recipe, open_folder(colored_folder), Run.create(tmp_path / "r"))

    assert len(trained["part"].test) == 12
