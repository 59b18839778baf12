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


def test_each_annotator_gives_a_picture_one_label(tmp_path):
    (tmp_path / "labels.csv").write_text(
        "path,label,annotator\na,pos,ann\na,neg,ben\na,pos,eve\nb,neg,ann\n"
    )

    table = read_labels(tmp_path / "labels.csv")

    assert table.votes == {"a": {"pos": 2, "neg": 1}, "b": {"neg": 1}}
    assert sorted(table.labels) == ["neg", "neg", "pos", "pos"]
    assert table.has_several_votes


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,pos,ann,\na,neg,ann,\n", r"row 2 labels 'a' by 'ann' again; label it"),
        ("a,pos,,\na,neg,,\n", r"row 2 labels 'a' again; label it once"),
        ("a,skip,,\n", r"holds no labels; label some pictures"),
        ("a,pos,ann,0.5\na,pos,ben,0.25\n", r"row 2 gives 'a' another probability"),
        ("a,pos,,0.5\nb,neg,,\n", r"gives 'b' no probability, but others one"),
    ],
)
def test_tables_of_labels_that_contradict_themselves_are_refused(
    rows, message, tmp_path
):
    (tmp_path / "labels.csv").write_text(f"path,label,annotator,probability\n{rows}")

    with pytest.raises(DataError, match=message):
        read_labels(tmp_path / "labels.csv")


def test_probabilities_of_all_pictures_are_kept(tmp_path):
    (tmp_path / "labels.csv").write_text(
        "path,label,probability\na,pos,0.5\nb,neg,0.25\n"
    )

    table = read_labels(tmp_path / "labels.csv")

    assert table.probabilities == {"a": 0.5, "b": 0.25}
    assert not table.has_several_votes


def test_two_labels_of_a_picture_are_several(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("path,label,annotator\na.jpg,sad,ann\na.jpg,glad,bob\n")

    assert read_labels(path).has_several_votes
