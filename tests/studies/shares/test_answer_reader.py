"""What a model said is understood however it is written, or named where not."""

from __future__ import annotations

import pytest

from pixsent_tf.data.lists import tables
from pixsent_tf.errors import DataError
from pixsent_tf.studies.shares.answer_reader import AnswerReader


def read(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    reader = AnswerReader(tmp_path / "t.csv")
    (batch,) = reader.batches()
    answered = reader.read(batch)
    return (
        reader.class_names,
        answered.rows.tolist(),
        answered.answers.tolist(),
        answered.scores.tolist(),
    )


@pytest.mark.parametrize(
    "text",
    [
        "path,answer,prob_negative,prob_positive\na,negative,0.75,0.25\n",
        "path,answer,prob_positive\na,negative,0.25\n",
        "path,prob\na,0.25\n",
    ],
)
def test_probabilities_may_be_written_in_three_ways(tmp_path, text):
    assert read(tmp_path, text) == (
        ("negative", "positive"),
        [0],
        [0],
        [[0.75, 0.25]],
    )


def test_an_unreadable_picture_is_passed_over_and_an_unsure_one_has_no_class(tmp_path):
    text = (
        "path,answer,prob_glad,prob_sad,status\n"
        "a,,,,truncated\nb,unsure,0.5,0.5,ok\nc,sad,0.25,0.75,\n"
    )

    names, rows, answers, _ = read(tmp_path, text)

    assert (names, rows, answers) == (("glad", "sad"), [1, 2], [-1, 1])


def test_an_answer_alone_counts_as_sure(tmp_path):
    assert read(tmp_path, "id,answer\na,positive\n")[3] == [[0, 1]]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("path,answer\na,positive\nb,sad\n", "row 2 has the answer 'sad'; it knows"),
        ("path,prob\na,0.5\nb,1.5\n", "row 2 has probabilities that are not 0…1"),
        ("path,prob\na,0.5\nb,x\n", "row 2 has probabilities that are not 0…1"),
        ("path,prob\na,nan\n", "row 1 has probabilities that are not 0…1"),
    ],
)
def test_what_cannot_be_understood_is_named_by_its_row(tmp_path, text, match):
    with pytest.raises(DataError, match=match):
        read(tmp_path, text)


def test_rows_are_counted_through_all_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "BATCH_ROWS", 2)
    (tmp_path / "t.csv").write_text("path,prob\na,0.5\nb,0.5\nc,7\n")
    reader = AnswerReader(tmp_path / "t.csv")
    first, second = reader.batches()

    reader.read(first)
    with pytest.raises(DataError, match="row 3 has probabilities"):
        reader.read(second)


def test_a_row_without_a_name_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("id,path,prob\n,a,0.5\n,,0.5\n")
    reader = AnswerReader(tmp_path / "t.csv")
    (batch,) = reader.batches()

    with pytest.raises(DataError, match="has a row without id or path: id, path, prob"):
        reader.names(batch)
