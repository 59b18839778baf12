"""A study goes on only with what it began with; what differs is named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.config import Recipe, override
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import RunError
from pixsent_tf.runs import Run
from pixsent_tf.studies.provenance.begun import begin


@pytest.fixture
def dataset(tmp_path):
    """Four files of one byte each."""
    paths = [tmp_path / name for name in "abcd"]
    for path in paths:
        path.write_text(path.name)
    return Dataset(
        name="four",
        ids=tuple("abcd"),
        paths=tuple(map(str, paths)),
        labels=np.array([0, 0, 1, 1], dtype="int32"),
        class_names=("negative", "positive"),
        votes=np.array([[3, 2], [5, 0], [1, 4], [0, 5]], dtype="int32"),
    ).grouped(["", "ann", "ann", ""])


@pytest.fixture
def run(tmp_path, dataset):
    run = Run(tmp_path / "run")
    begin(run, dataset, Recipe())
    return run


def test_the_same_goes_on(run, dataset):
    before = {path.name: path.read_bytes() for path in run.path.iterdir()}
    begin(run, dataset.take(np.array([3, 1, 0, 2])), Recipe())

    assert {path.name: path.read_bytes() for path in run.path.iterdir()} == before
    assert set(before) == {"recipe.json", "environment.json", "pictures.csv"}


def test_the_table_of_pictures_is_what_the_reference_says(run):
    import hashlib

    assert run.read_table("pictures.csv")[1] == {
        "id": "b",
        "label": "negative",
        "votes": "5 0",
        "group": "ann",
        "split": "",
        "weight": "",
        "sha256": hashlib.sha256(b"b").hexdigest(),
    }


def test_settings_that_differ_are_named(run, dataset):
    other = override(Recipe(), {"seed": 3, "data.num_folds": 7})

    with pytest.raises(RunError) as told:
        begin(run, dataset, other)
    expected = "differs in data.num_folds: 5 there, 7 here; seed: 0 there, 3 here; name"
    assert expected in str(told.value)


def test_a_picture_replaced_under_its_name_is_named(run, dataset):
    with open(dataset.paths[2], "w") as file:
        file.write("other")

    with pytest.raises(
        RunError, match="other pictures: the bytes of c are others; name"
    ):
        begin(run, dataset, Recipe())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ids": tuple("abcx")}, "d is not there any more; x is there only now; "),
        (
            {"labels": np.array([1, 1, 1, 1])},
            "the label of a and of 1 more: 'negative' there, 'positive' here",
        ),
        (
            {"votes": np.array([[3, 2], [5, 0], [0, 5], [0, 5]])},
            "the votes of c: '1 4' there, '0 5' here",
        ),
        ({"groups": None}, "the group of b and of 1 more: 'ann' there, '' here"),
    ],
)
def test_what_is_known_of_pictures_is_compared(run, dataset, change, message):
    with pytest.raises(RunError) as told:
        begin(run, replace(dataset, **change), Recipe())
    assert message in str(told.value)


def test_a_kill_before_the_pictures_were_noted_is_no_other_study(run, dataset):
    (run.path / "pictures.csv").unlink()
    begin(run, dataset, Recipe())

    assert len(run.read_table("pictures.csv")) == 4


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("weights", np.array([1, 2, 1, 1], "float32")),
        ("splits", np.array(["train", "test", "train", "test"])),
    ],
)
def test_weights_and_splits_that_differ_are_named(name, column, run, dataset):
    with pytest.raises(RunError, match=rf"the {name[:-1]} of "):
        begin(run, replace(dataset, **{name: column}), Recipe())
