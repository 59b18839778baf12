"""Predictions are read from runs and from other programs' tables."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.errors import DataError, RunError
from pixsent_tf.inference.predictions import read_answers


def _table(tmp_path, text: str, name: str = "mine.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_in_a_runs_table_the_label_is_the_truth(tmp_path):
    (tmp_path / "recipe.json").write_text("{}")
    _table(
        tmp_path,
        "id,fold,label,prob_negative,prob_positive,status\n"
        "a,1,positive,0.25,0.75,ok\n"
        "b,2,negative,,,truncated\n"
        "c,2,negative,0.5,0.5,ok\n",
        "predictions.csv",
    )

    answers = read_answers(tmp_path)

    assert answers.ids == ("a", "c")
    assert answers.labels.tolist() == [1, 0]
    assert answers.folds.tolist() == [1, 2]
    assert answers.probs.tolist() == [[0.25, 0.75], [0.5, 0.5]]
    assert answers.failures == {"b": "truncated"}


@pytest.mark.parametrize("column", ["prob", "prob_positive"])
def test_one_probability_is_that_of_the_positive_class(tmp_path, column):
    answers = read_answers(_table(tmp_path, f"id,{column},truth\na,0.75,0\n"))

    assert answers.probs.tolist() == [[0.25, 0.75]]
    assert answers.labels.tolist() == [0]
    assert answers.has_probs


def test_elsewhere_the_label_is_the_answer(tmp_path):
    answers = read_answers(_table(tmp_path, "path,label\na,positive\nb,negative\n"))

    assert answers.labels is None
    assert answers.probs.tolist() == [[0, 1], [1, 0]]
    assert not answers.has_probs


def test_the_table_that_predict_writes_is_read(tmp_path):
    text = "path,label,prob_negative,prob_positive,status\na,positive,0.2,0.8,ok\n"

    answers = read_answers(_table(tmp_path, text))

    assert answers.labels is None
    assert np.array_equal(answers.probs, [[0.2, 0.8]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,score\na,1\n", "has the columns id, score; it needs id, and prob_NAME"),
        ("id,prob\n", "holds no predictions"),
        ("id,prob\na,0.5\na,0.5\n", "names 'a' twice"),
        ("id,prob\na,much\n", "has a row without numbers"),
        ("id,prob,truth\na,0.5,happy\n", "has the label 'happy'; it knows negative"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read_answers(_table(tmp_path, text))


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.csv does not exist"):
        read_answers(tmp_path / "nowhere.csv")


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunError, match="is no run folder"):
        read_answers(tmp_path)
