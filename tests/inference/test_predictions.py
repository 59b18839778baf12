"""Predictions are written for runs, and read from runs and other programs' tables."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.errors import DataError, RunError
from pixsent_tf.inference.predictions import Failure, Predictions
from pixsent_tf.runs import Run
from tests.inference.made_up import make_predictions


def _table(tmp_path, text: str, name: str = "mine.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


RUN_TABLE = """\
id,fold,label,answer,prob_negative,prob_positive,status
a,1,positive,positive,0.250000000,0.750000000,ok
c,2,positive,negative,0.500000000,0.500000000,ok
b,2,negative,,,,truncated
"""


@pytest.fixture
def said():
    """Two answers and a failure, as `RUN_TABLE` holds them."""
    return make_predictions(
        "run",
        [0.75, 0.5],
        labels=[1, 1],
        ids="ac",
        folds=np.array([1, 2]),
        failures=(
            Failure("b", "truncated", "b cannot be read: truncated.", label=0, fold=2),
        ),
    )


def test_label_and_answer_stand_side_by_side_in_a_runs_table(tmp_path, said):
    said.write(Run(tmp_path))

    assert (tmp_path / "predictions.csv").read_text() == RUN_TABLE


def test_a_runs_table_is_read_back(tmp_path, said):
    (tmp_path / "recipe.json").write_text("{}")
    _table(tmp_path, RUN_TABLE, "predictions.csv")

    found = Predictions.read(tmp_path)

    assert found.name == tmp_path.name
    assert found.ids == said.ids
    assert found.labels.tolist() == [1, 1]
    assert found.answers.tolist() == [1, 0]
    assert found.folds.tolist() == [1, 2]
    assert found.fold_numbers == (1, 2)
    assert found.probs.tolist() == [[0.25, 0.75], [0.5, 0.5]]
    assert found.failures == said.failures
    assert found.asked == ("a", "c", "b")


def test_ten_crops_get_columns_of_their_own(tmp_path, said):
    said.write(Run(tmp_path), ten_crop=np.array([[0.1, 0.9], [0.2, 0.8]]))

    head, first, _, failed = (tmp_path / "predictions.csv").read_text().splitlines()
    assert head.endswith("prob_positive,ten_crop_negative,ten_crop_positive,status")
    assert first.endswith("0.750000000,0.100000000,0.900000000,ok")
    assert failed == "b,2,negative,,,,,,truncated"


@pytest.mark.parametrize("column", ["prob", "prob_positive"])
def test_one_probability_is_that_of_the_positive_class(tmp_path, column):
    found = Predictions.read(_table(tmp_path, f"id,{column},label\na,0.75,0\n"))

    assert found.probs.tolist() == [[0.25, 0.75]]
    assert found.labels.tolist() == [0]
    assert found.has_probs


def test_answers_without_probabilities_become_zero_and_one(tmp_path):
    text = "path,answer\na,positive\nb,negative\n"

    found = Predictions.read(_table(tmp_path, text))

    assert found.labels is found.folds is None
    assert found.probs.tolist() == [[0, 1], [1, 0]]
    assert not found.has_probs


def test_a_label_is_no_answer(tmp_path):
    path = _table(tmp_path, "id,label\na,positive\n")

    with pytest.raises(DataError, match="columns id, label; it needs id or path, and"):
        Predictions.read(path)


def test_the_table_that_predict_writes_is_read(tmp_path):
    text = (
        "path,answer,prob_negative,prob_positive,status\n"
        "a,positive,0.2,0.8,ok\nb,,,,empty\n"
    )

    found = Predictions.read(_table(tmp_path, text))

    assert found.labels is None
    assert np.array_equal(found.probs, [[0.2, 0.8]])
    assert [one.to_json() for one in found.failures] == [
        {"id": "b", "reason": "empty", "message": "b cannot be read: empty."}
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "id,score\na,1\n",
            "has the columns id, score; it needs id or path, and prob_N",
        ),
        ("url,prob\na,1\n", "has the columns url, prob; it needs id or path"),
        ("id,prob\n", "holds no predictions"),
        ("id,prob\nb,0.5\na,0.5\na,0.5\n", "names 'a' twice"),
        ("id,prob\na,much\n", "has a row without numbers"),
        ("id,prob\na\n", "has a row without numbers"),
        ("id,prob,label\na,0.5,happy\n", "has the label 'happy'; it knows negative"),
        ("id,prob,label\na,0.5,1\nb,0.5\n", "has the label ''; it knows negative"),
        ("id,prob,fold\na,0.5,x\n", "has the fold 'x'; folds are numbers"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        Predictions.read(_table(tmp_path, text))


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.csv does not exist"):
        Predictions.read(tmp_path / "nowhere.csv")


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunError, match="is no run folder"):
        Predictions.read(tmp_path)


@pytest.mark.parametrize("cell", ["nan", "inf", "-inf"])
def test_probabilities_that_are_not_finite_are_refused(tmp_path, cell):
    path = tmp_path / "table.csv"
    for header, row in (("prob", cell), ("prob_a,prob_b", f"0.5,{cell}")):
        path.write_text(f"id,{header}\nx,{row}\n")
        with pytest.raises(DataError, match="has a row without numbers"):
            Predictions.read(path)


def test_the_table_of_another_program_may_spell_classes_and_columns_otherwise(tmp_path):
    lines = ["filename;target;prob_NEG;prob_POS", "a.jpg;0.0;.9;.1", "b.jpg;1.0;.2;.8"]
    (tmp_path / "theirs.csv").write_bytes("\n".join(lines).encode("utf-16"))

    read = Predictions.read(tmp_path / "theirs.csv")

    assert read.class_names == ("negative", "positive")
    assert read.ids == ("a.jpg", "b.jpg")
    assert read.labels.tolist() == [0, 1]
    np.testing.assert_allclose(read.probs, [[0.9, 0.1], [0.2, 0.8]])


@pytest.mark.parametrize("answers", [("neg", "POS"), ("-1", "1"), ("sad", "happy")])
def test_answers_may_be_spelled_otherwise(answers, tmp_path):
    lines = ["path,answer,label", f"a.jpg,{answers[0]},0", f"b.jpg,{answers[1]},0"]
    (tmp_path / "theirs.csv").write_text("\n".join(lines))

    read = Predictions.read(tmp_path / "theirs.csv")

    assert read.class_names == ("negative", "positive")
    assert (read.answers.tolist(), read.labels.tolist()) == ([0, 1], [0, 0])


def test_a_class_may_be_a_number_of_one_that_is_known(tmp_path):
    found = Predictions.read(_table(tmp_path, "id,prob,label\na,0.75,1\nb,0.2,0\n"))

    assert found.labels.tolist() == [1, 0]
    with pytest.raises(DataError, match="label '2'; it knows negative, positive"):
        Predictions.read(_table(tmp_path, "id,prob,label\na,0.75,2\n"))
