"""What a study leaves behind: a row for each tested picture, and the numbers."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ImageError
from pixsent_tf.runs import Run
from pixsent_tf.studies.outcome import Outcome

# The third picture was never tested, the fifth could not be read.
PROBS = [[0.9, 0.1], [0.4, 0.6], [np.nan] * 2, [0.2, 0.8], [np.nan] * 2]


@pytest.fixture
def outcome():
    dataset = Dataset(
        name="five",
        ids=tuple("abcde"),
        paths=tuple("abcde"),
        labels=np.array([0, 0, 1, 1, 1], dtype="int32"),
        class_names=("negative", "positive"),
    )
    failures = {4: ImageError("e is empty.", "empty")}
    return Outcome(dataset, np.array(PROBS), np.array([1, 2, 0, 1, 2]), failures)


def test_numbers_are_of_the_pictures_that_were_tested_and_read(outcome, tmp_path):
    run = Run.create(tmp_path / "run")
    results = outcome.write(run, outcome.measure(run, started=time.monotonic() - 3))

    assert results["num_examples"] == 3
    assert results["accuracy"] == pytest.approx(2 / 3)
    assert results["seconds"] == pytest.approx(3, abs=1)
    assert results["out"] == str(run.path)
    assert results["unreadable"] == [
        {"id": "e", "reason": "empty", "message": "e is empty."}
    ]
    assert json.loads((run.path / "results.json").read_text()) == results


def test_shares_of_votes_are_measured_where_they_were_learnt(outcome, tmp_path):
    run = Run.create(tmp_path / "run")
    votes = np.array([[5, 0], [4, 1], [1, 4], [0, 5], [2, 3]], dtype="int32")
    heard = replace(outcome, dataset=replace(outcome.dataset, votes=votes))

    plain = heard.measure(run, started=0.0)
    learnt = heard.measure(run, started=0.0, of_votes=True)

    assert plain["distribution"] is None
    assert learnt["distribution"]["num_examples"] == 3


def test_every_tested_picture_has_a_row_with_its_status(outcome, tmp_path):
    run = Run.create(tmp_path / "run")
    outcome.write(run, outcome.measure(run, started=time.monotonic()))

    rows = run.read_table("predictions.csv")
    assert [(row["id"], row["fold"], row["label"], row["status"]) for row in rows] == [
        ("a", "1", "negative", "ok"),
        ("b", "2", "negative", "ok"),
        ("d", "1", "positive", "ok"),
        ("e", "2", "positive", "empty"),
    ]
    assert [row["answer"] for row in rows] == ["negative", "positive", "positive", ""]
    assert [row["prob_positive"] for row in rows] == [
        *("0.100000000", "0.600000000", "0.800000000", ""),
    ]


@pytest.mark.parametrize("broken", [[0], [2], [0, 2, 4]])
def test_rows_around_a_broken_picture_keep_their_labels_and_folds(broken, tmp_path):
    dataset = Dataset(
        name="five",
        ids=tuple("abcde"),
        paths=tuple("abcde"),
        labels=np.array([0, 1, 0, 1, 1], dtype="int32"),
        class_names=("negative", "positive"),
    )
    positive = np.array([0.1, 0.9, 0.2, 0.8, 0.7])
    probs = np.stack([1 - positive, positive], axis=1)
    probs[broken] = np.nan
    failures = {i: ImageError(f"{i} is empty.", "empty") for i in broken}
    outcome = Outcome(dataset, probs, np.array([1, 2, 3, 4, 5]), failures)
    run = Run.create(tmp_path / "run")

    results = outcome.write(run, outcome.measure(run, started=time.monotonic()))

    assert results["accuracy"] == 1
    said = outcome.predictions
    kept = np.setdiff1d(np.arange(5), broken)
    assert said.ids == tuple("abcde"[i] for i in kept)
    assert said.labels.tolist() == dataset.labels[kept].tolist()
    assert said.folds.tolist() == (kept + 1).tolist()
    np.testing.assert_allclose(said.probs[:, 1], positive[kept])
    rows = {row["id"]: row for row in run.read_table("predictions.csv")}
    assert sorted(rows) == list("abcde")
    for i, name in enumerate("abcde"):
        assert rows[name]["fold"] == str(i + 1)
        assert rows[name]["status"] == ("empty" if i in broken else "ok")
        if i not in broken:
            assert float(rows[name]["prob_positive"]) == pytest.approx(positive[i])


def test_sources_groups_and_votes_are_those_of_the_pictures_that_were_answered(
    tmp_path,
):
    # the first could not be read, the fourth was never tested
    dataset = Dataset(
        name="six",
        ids=tuple("abcdef"),
        paths=tuple("abcdef"),
        labels=np.array([0, 1, 0, 1, 0, 1], dtype="int32"),
        class_names=("negative", "positive"),
        votes=np.array([[5, 0], [1, 4], [5, 0], [2, 3], [4, 1], [0, 5]]),
        sources=np.array([0, 0, 0, 1, 1, 1]),
        source_names=("tweets", "trips"),
    ).grouped(list("xxyyzz"))
    positive = np.array([np.nan, 0.8, 0.1, np.nan, 0.7, 1.0])
    outcome = Outcome(
        dataset,
        np.stack([1 - positive, positive], axis=1),
        np.array([1, 1, 2, 0, 1, 2]),
        {0: ImageError("a is empty.", "empty")},
    )

    found = outcome.measure(
        Run.create(tmp_path / "run"), started=time.monotonic(), of_votes=True
    )

    rows = [
        (r["source"], r["num_examples"], r["accuracy"]) for r in found["per_source"]
    ]
    assert rows == [("tweets", 2, 1.0), ("trips", 2, 0.5)]
    assert found["interval_unit"] == "group"
    # |.8 - .8|, |.1 - 0|, |.7 - .2|, |1 - 1|
    assert found["distribution"]["chebyshev"] == pytest.approx(0.6 / 4)
    assert found["distribution"]["mean_votes"] == 5
