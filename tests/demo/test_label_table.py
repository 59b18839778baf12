"""labels.csv: every line at once, nothing lost, and people compared."""

from __future__ import annotations

import multiprocessing
import os

import pytest

import pixsent_tf
from pixsent_tf.demo.label_sample import Chosen, Sample
from pixsent_tf.demo.label_table import LabelFile, check_annotator, sample_path
from pixsent_tf.errors import DataError, UsageError

HEAD = "path,label,annotator,probability,seconds\n"


def sample_of(count: int) -> Sample:
    pictures = tuple(Chosen(f"{i}, x.jpg", 1 / 3) for i in range(count))
    return Sample({}, ("negative", "positive"), 3 * count, pictures)


@pytest.fixture
def table(tmp_path):
    sample = sample_of(6)
    sample.write(sample_path(tmp_path / "labels.csv"))
    return LabelFile.open(tmp_path / "labels.csv", sample)


def test_a_line_is_in_the_file_and_asked_onto_the_disk(table, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(descriptor))

    assert table.add(0, "negative", "ada", 1.26)

    line = '"0, x.jpg",negative,ada,0.3333333333333333,1.3\n'
    assert table.path.read_text() == HEAD + line
    assert len(synced) == 1


def test_a_picture_has_one_label_of_each_annotator(table):
    assert table.add(0, "negative", "ada", 1)
    assert not table.add(0, "positive", "ada", 1)
    assert table.add(0, "positive", "bob", 1)

    assert table.labels_of("ada") == {0: "negative"}
    assert table.labels_of("bob") == {0: "positive"}


def test_undo_takes_back_one_s_own_last_label_only(table):
    for number, label, who in (
        (3, "skip", "ada"),
        (1, "negative", "ada"),
        (1, "positive", "bob"),
    ):
        table.add(number, label, who, 1)

    assert table.undo("ada") == 1
    assert (table.labels_of("ada"), table.labels_of("bob")) == (
        {3: "skip"},
        {1: "positive"},
    )
    assert table.undo("ada") == 3
    assert table.undo("ada") is None
    assert table.labels_of("bob") == {1: "positive"}


def test_what_a_power_cut_left_of_a_line_is_dropped(table):
    table.add(0, "negative", "ada", 1)
    whole = table.path.read_text()
    table.path.write_text(whole + '"1, x.jpg",posi')

    again = LabelFile.open(table.path, table.sample)

    assert table.path.read_text() == whole
    assert again.add(1, "positive", "ada", 1)
    assert again.labels_of("ada") == {0: "negative", 1: "positive"}


def label_all(path, sample, annotator):
    table = LabelFile.open(path, sample)
    for number in range(len(sample.pictures)):
        table.add(number, "negative", annotator, 1)
        if number % 3 == 2:
            table.undo(annotator)
            table.add(number, "positive", annotator, 1)


def test_two_processes_lose_no_line(tmp_path):
    sample, path = sample_of(30), tmp_path / "labels.csv"
    sample.write(sample_path(path))
    context = multiprocessing.get_context("fork")
    others = [
        context.Process(target=label_all, args=(path, sample, who)) for who in "ab"
    ]
    for other in others:
        other.start()
    for other in others:
        other.join(60)

    table = LabelFile.open(path, sample)
    expected = {i: "positive" if i % 3 == 2 else "negative" for i in range(30)}
    assert [table.labels_of(who) for who in "ab"] == [expected] * 2


def test_annotators_are_counted_and_compared(table):
    said = {
        "ada": ("negative", "negative", "positive", "positive", "skip", "negative"),
        "bob": ("negative", "positive", "positive", "positive", "negative", "skip"),
    }
    for who, labels in said.items():
        for number, label in enumerate(labels):
            table.add(number, label, who, number)

    first, second = table.annotated()
    agreement = table.agreement()

    assert (first["annotator"], first["num_labels"], first["num_skipped"]) == (
        "ada",
        5,
        1,
    )
    assert (second["annotator"], second["median_seconds"]) == ("bob", 2.5)
    assert agreement["num_shared"] == 4
    assert agreement["all_agree"] == agreement["ceiling"] == 0.75
    # by hand: agree .75, by chance .5 * .25 + .5 * .75 = .5
    assert agreement["cohen_kappa"] == pytest.approx(0.5)
    # by hand: 1 - (8 - 1) * 2 / (8² - 3² - 5²)
    assert agreement["krippendorff_alpha"] == pytest.approx(1 - 14 / 30)


def test_one_alone_agrees_with_nobody(table):
    table.add(0, "negative", "ada", 1)

    assert table.agreement() is None


def test_share_reads_it(table, tmp_path):
    rows = [f'"{i}, x.jpg",negative' for i in range(18)]
    (tmp_path / "t.csv").write_text("\n".join(["path,answer", *rows]) + "\n")
    for number in range(6):
        label = ("negative", "positive", "skip")[number % 3]
        table.add(number, label, "ada", 1)
        table.add(number, "negative", "bob", 1)

    (cell,) = pixsent_tf.share(tmp_path / "t.csv", table.path)["cells"]

    assert cell["num_labels"] == 6
    assert cell["shares"]["negative"]["corrected"] == pytest.approx(
        (2 + 2 * 0.5 + 2) / 6
    )


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("path,label\n", "has no columns path, label, annotator"),
        (
            HEAD + "other.jpg,negative,ada,1,1\n",
            "'other.jpg', which is not in its sample",
        ),
    ],
)
def test_a_table_of_something_else_is_refused(table, text, match):
    table.path.write_text(text)

    with pytest.raises(DataError, match=match):
        LabelFile.open(table.path, table.sample)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 101])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(UsageError, match="is no name"):
        check_annotator(name)
