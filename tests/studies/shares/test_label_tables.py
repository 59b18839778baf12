"""Are labels for shares read as every table of labels is?"""

from __future__ import annotations

import pytest

import pixsent_tf
from pixsent_tf.errors import DataError
from pixsent_tf.studies.shares.label_tables import read_labels


def test_usual_columns_other_encodings_and_missing_labels_are_read(tmp_path):
    lines = ["File;Sentiment", "a.jpg;NEG", "b.jpg;pos", "c.jpg;NaN", "d.jpg;skip"]
    (tmp_path / "labels.csv").write_bytes("\n".join(lines).encode("utf-16"))

    table = read_labels(tmp_path / "labels.csv")

    assert {name: list(votes) for name, votes in table.votes.items()} == {
        "a.jpg": ["NEG"],
        "b.jpg": ["pos"],
    }
    assert table.num_skipped == 2
    assert table.notes == ("labels.csv: reading NEG as negative; pos as positive",)


def test_labels_and_answers_meet_however_they_are_spelled(tmp_path):
    (tmp_path / "table.csv").write_text(
        "\n".join(
            ["path,answer,prob_neg,prob_pos"]
            + [
                f"{i}.jpg,{('neg', 'pos')[i % 2]},{1 - i % 2},{i % 2}"
                for i in range(40)
            ]
        )
    )
    labels = ["image\tclass", *(f"{i}.jpg\t{i % 2}.0" for i in range(20))]
    (tmp_path / "labels.tsv").write_text("\n".join(labels))

    results = pixsent_tf.share(tmp_path / "table.csv", tmp_path / "labels.tsv")

    (cell,) = results["cells"]
    assert list(cell["shares"]) == ["negative", "positive"]
    assert cell["num_labels"] == 20
    assert cell["shares"]["positive"]["corrected"] == pytest.approx(0.5)
    assert results["notes"][0].startswith("labels.tsv: reading 0.0 as negative; 1.0 as")


def test_labels_without_a_path_are_refused(tmp_path):
    (tmp_path / "labels.csv").write_text("url,label\nx,pos\n")

    with pytest.raises(DataError, match=r"row 1 lacks a path or a label; it has"):
        read_labels(tmp_path / "labels.csv")
