"""Tables of ratings: written, read, and made classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.errors import DataError
from pixsent_tf.inference.predictions import Failure
from pixsent_tf.inference.rated import (
    RatedTable,
    is_rated_table,
    rated_cells,
    rated_columns,
)
from pixsent_tf.runs import Run

ANSWERS = np.array([[2.0, 5.0], [6.5, 3.0], [4.0, 4.0]])
TABLE = RatedTable(
    name="run",
    ids=("a", "b", "c"),
    targets=("valence", "arousal"),
    answers=ANSWERS,
    labels=ANSWERS + 0.5,
    low=(ANSWERS - 2).clip(1, 7),
    high=(ANSWERS + 2).clip(1, 7),
    folds=np.array([1, 2, 1]),
    failures=(Failure("d", "empty", "d cannot be read: empty."),),
)


@pytest.fixture
def run(tmp_path):
    run = Run.create(tmp_path / "run")
    (run.path / "recipe.json").write_text("{}")
    TABLE.write(run)
    return run


def test_what_is_written_is_read_again(run):
    found = RatedTable.read(run.path)

    assert (found.ids, found.targets) == (TABLE.ids, TABLE.targets)
    for name in ("answers", "labels", "low", "high", "folds"):
        np.testing.assert_allclose(getattr(found, name), getattr(TABLE, name))
    assert found.failures[0].reason == "empty"
    assert is_rated_table(run.path)


def test_labels_and_answers_stand_on_their_sides_of_a_threshold():
    found = TABLE.at_threshold(4.2)

    assert found.answers.tolist() == [0, 1, 0]
    assert found.labels.tolist() == [0, 1, 1]
    # intervals of 2 hold nine tenths of a logistic curve: its scale is 2 / ln 19
    assert found.probs[2, 1] == pytest.approx(1 / (1 + np.exp(0.2 / (2 / np.log(19)))))


def test_answers_alone_have_no_probabilities(tmp_path):
    (tmp_path / "a.csv").write_text("path,answer_valence\nx.jpg,5\ny.jpg,3")
    found = RatedTable.read(tmp_path / "a.csv").at_threshold(4)

    assert not found.has_probs
    assert found.answers.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,answer\na,1", "holds no ratings"),
        ("answer_valence\n1", "holds no ratings"),
        ("path,answer_valence\na,much", "a row without numbers"),
        ("path,answer_valence\na,inf", "not finite"),
        ("path,answer_valence\nb,1\na,1\na,2", "names 'a' twice"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        RatedTable.read(tmp_path / "a.csv")


def test_the_widest_interval_of_each_fold_says_how_sure_it_is():
    # a reaches 1 in fold 1 and b, c reach 3 in fold 2: scales 1 and 3 over ln 19
    answers = np.array([[5.0], [5.0], [4.0]])
    reach = np.array([[1.0], [2.0], [3.0]])
    table = RatedTable(
        name="run",
        ids=("a", "b", "c"),
        targets=("valence",),
        answers=answers,
        low=answers - reach,
        high=answers + reach,
        folds=np.array([1, 2, 2]),
    )

    positive = table.at_threshold(4).probs[:, 1]
    together = replace(table, folds=None).at_threshold(4).probs[:, 1]

    steep = np.log(19) / np.array([1, 3, 3])
    assert positive == pytest.approx(1 / (1 + np.exp(-steep * [1, 1, 0])))
    assert together[0] == pytest.approx(together[1]) == pytest.approx(positive[1])


def test_where_no_folds_are_told_apart_there_is_one():
    assert replace(TABLE, folds=None).fold_numbers == (1,)
    assert TABLE.fold_numbers == (1, 2)


def test_one_number_that_is_not_finite_is_enough(tmp_path):
    (tmp_path / "a.csv").write_text("path,answer_valence\na,1\nb,inf\nc,2")

    with pytest.raises(DataError, match="not finite"):
        RatedTable.read(tmp_path / "a.csv")


def test_a_file_without_an_answer_has_empty_cells():
    row = {
        "path": "a.jpg",
        "ratings": {"valence": 4.0},
        "low": {"valence": 3.0},
        "high": {"valence": 5.0},
        "status": "ok",
    }
    broken = dict.fromkeys(row) | {"path": "b.jpg", "status": "empty"}

    assert rated_columns(["valence"])[1] == "answer_valence"
    assert rated_cells(row, ["valence"]) == ["a.jpg", 4.0, 3.0, 5.0, "ok"]
    assert rated_cells(broken, ["valence"]) == ["b.jpg", None, None, None, "empty"]


def test_a_threshold_is_of_valence_wherever_it_stands():
    turned = replace(
        TABLE,
        targets=("arousal", "valence"),
        answers=TABLE.answers[:, ::-1],
        labels=TABLE.labels[:, ::-1],
        low=TABLE.low[:, ::-1],
        high=TABLE.high[:, ::-1],
    )

    found, expected = turned.at_threshold(4.2), TABLE.at_threshold(4.2)

    np.testing.assert_allclose(found.probs, expected.probs)
    assert found.labels.tolist() == expected.labels.tolist()
    other = replace(TABLE, targets=("dominance", "arousal")).at_threshold(4.2)
    np.testing.assert_allclose(other.probs, expected.probs)  # the first, where none is


def test_what_is_exactly_at_the_threshold_is_positive():
    alone = replace(TABLE, labels=ANSWERS, low=None, high=None).at_threshold(4.0)

    assert alone.labels.tolist() == alone.answers.tolist() == [0, 1, 1]


def test_each_target_has_its_answer_and_its_interval_side_by_side():
    row = {
        "path": "a.jpg",
        "ratings": {"valence": 4.0, "arousal": 2.0},
        "low": {"arousal": 1.5, "valence": 3.0},
        "high": {"valence": 5.0, "arousal": 2.5},
        "status": "ok",
    }

    assert rated_columns(["valence", "arousal"]) == [
        *("path", "answer_valence", "low_valence", "high_valence"),
        *("answer_arousal", "low_arousal", "high_arousal", "status"),
    ]
    assert rated_cells(row, ["valence", "arousal"]) == (
        ["a.jpg", 4.0, 3.0, 5.0, 2.0, 1.5, 2.5, "ok"]
    )


def test_an_interval_that_the_scale_has_cut_is_as_wide_as_on_its_other_side():
    # half widths are 3: near either end of 1…7 one side is cut
    answers = np.array([[1.5], [6.0]])
    for i in (0, 1):
        table = RatedTable(
            name="run",
            ids=("a",),
            targets=("valence",),
            answers=answers[[i]],
            low=(answers[[i]] - 3).clip(1, 7),
            high=(answers[[i]] + 3).clip(1, 7),
        )
        above = answers[i, 0] - 4
        positive = table.at_threshold(4).probs[0, 1]
        assert positive == pytest.approx(1 / (1 + np.exp(-above * np.log(19) / 3)))


def test_numbers_are_written_to_six_digits(tmp_path):
    answers = np.array([[2.1234564, 5.9999997], [0.0000016, -1.5]])
    table = replace(
        TABLE, ids=("a", "b"), answers=answers, labels=None, low=None, high=None
    )
    table = replace(table, folds=None, failures=())
    run = Run.create(tmp_path / "run")
    (run.path / "recipe.json").write_text("{}")

    table.write(run)

    lines = (run.path / "predictions.csv").read_text().splitlines()
    assert lines[1:] == [
        "a,1,2.123456,6.000000,ok",
        "b,1,0.000002,-1.500000,ok",
    ]
