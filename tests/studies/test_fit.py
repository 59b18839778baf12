"""`fit`: what is held out never trains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.data.sources import open_folder
from pixsent_tf.errors import RunError
from pixsent_tf.runs import Run
from pixsent_tf.studies import fit
from pixsent_tf.studies.trainer import Trainer


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
