"""Does the audit find what was planted?"""

from __future__ import annotations

import json

import numpy as np
import pytest
from deepsent_files import name_of, write_deepsent
from torture import picture, write_torture

from pixsent_tf.config import DataConfig
from pixsent_tf.data.copies.audit import audit, open_parts
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import DataError


def examine(folder, level=None):
    return audit(open_parts(DataConfig(str(folder), level)))


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """DeepSent with picture 1 (fold 2) again as 3 (fold 4) and 30 (fold 1)."""
    folder = write_deepsent(tmp_path_factory.mktemp("copied"), copies=True)
    return examine(folder)


def test_findings_are_json(copied):
    assert json.loads(json.dumps(copied, allow_nan=False)) == copied


def test_every_level_of_agreement_is_a_part(copied):
    assert [(part["num_examples"], part["in_folds"]) for part in copied["parts"]] == [
        (20, 20),
        (26, 26),
        (32, 31),
    ]


def test_one_level_alone_is_one_part(tmp_path):
    findings = examine(write_deepsent(tmp_path), "four_agrees")

    assert [part["num_examples"] for part in findings["parts"]] == [26]


def test_classes_are_counted_in_every_fold(copied):
    first = copied["parts"][0]["folds"][0]  # pictures 0, 5, 10 and 15

    assert first["classes"] == {"negative": 2, "positive": 2}
    assert first["majority_rate"] == 0.5


def test_copies_across_folds_are_listed_with_their_folds(copied):
    three = copied["parts"][2]

    assert [(pair["ids"], pair["folds"]) for pair in three["crossing"]] == [
        ([name_of(1), name_of(3)], [2, 4]),
        ([name_of(1), name_of(30)], [2, 1]),
        ([name_of(3), name_of(30)], [4, 1]),
    ]
    assert [fold["copied_from_training"] for fold in three["folds"]] == [1, 1, 0, 1, 0]


def test_copies_with_two_labels_are_listed(copied):
    conflicting = copied["parts"][2]["conflicting"]  # 1 and 3 negative, 30 positive

    assert [pair["ids"][1] for pair in conflicting] == [name_of(30)] * 2
    assert {tuple(pair["labels"]) for pair in conflicting} == {("negative", "positive")}


def test_test_pictures_that_another_level_trains_on_are_counted(tmp_path):
    write_deepsent(tmp_path)
    # The first fold of five_agrees is renamed the second, and the other way round.
    for name in ("test1", "test2"):
        (tmp_path / "ground_truth/five_agrees" / name).rename(tmp_path / name)
    (tmp_path / "test1").rename(tmp_path / "ground_truth/five_agrees/test2")
    (tmp_path / "test2").rename(tmp_path / "ground_truth/five_agrees/test1")

    rows = {
        (row["trained"], row["tested"]): row
        for row in examine(tmp_path)["across_parts"]
    }

    stem = tmp_path.name
    assert rows[f"{stem}-three_agrees", f"{stem}-five_agrees"]["leaked"] == [
        4,
        4,
        0,
        0,
        0,
    ]
    assert rows[f"{stem}-three_agrees", f"{stem}-four_agrees"]["leaked"] == [0] * 5


def test_consistent_folds_without_copies_have_no_leak(tmp_path):
    findings = examine(write_deepsent(tmp_path))

    assert not findings["has_leak"]
    assert [part["is_stratified"] for part in findings["parts"]] == [True] * 3


@pytest.mark.parametrize(("moved", "is_stratified"), [(0, True), (2, True), (5, False)])
def test_folds_with_other_shares_of_a_class_are_not_stratified(
    moved, is_stratified, tmp_path
):
    labels = np.tile([0, 1], 50)
    folds = np.repeat([1, 2], 50)  # 25 of each class in each
    negatives, positives = np.flatnonzero(labels[:50] == 0), np.flatnonzero(labels == 1)
    folds[negatives[:moved]], folds[positives[-moved or 50 :]] = 2, 1
    picture().save(tmp_path / "0.jpg")  # an audit that reads nothing is refused
    names = tuple(str(tmp_path / f"{n}.jpg") for n in range(100))
    dataset = Dataset("d", names, names, labels, ("negative", "positive"), folds)

    assert audit([dataset])["parts"][0]["is_stratified"] is is_stratified


def test_an_audit_that_reads_nothing_is_refused(tmp_path):
    for name in ("negative", "positive"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "broken.jpg").write_bytes(b"")

    with pytest.raises(
        DataError, match=r"None of the 2 .* copies cannot be told: .*empty"
    ):
        examine(tmp_path)


def test_groups_that_published_folds_tear_apart_are_named(tmp_path):
    folder = write_deepsent(tmp_path)
    (part,) = open_parts(DataConfig(str(folder), "five_agrees"))
    # Of the first user are pictures 0 and 1, in folds 1 and 2; of the next 2 and 7.
    names = ["ann", "ann", "ben", *"cdef", "ben", *(f"u{n}" for n in range(12))]

    found = audit([part.grouped(names)])["parts"][0]

    assert (found["num_groups"], found["crossing_groups"]) == (18, ["ann"])
    assert examine(folder)["parts"][0]["crossing_groups"] is None


def test_unreadable_files_are_counted_by_reason(tmp_path):
    statuses = {}
    for name in ("negative", "positive"):
        files = write_torture(tmp_path / name)
        statuses = {file.name: file.status for file in files}
    named = {
        name: status
        for name, status in statuses.items()
        if "." in name and name != "folder.jpg"
    }

    part = examine(tmp_path)["parts"][0]

    found = {row["id"]: row["reason"] for row in part["unreadable"]}
    assert found == {
        f"{label}/{name}": status
        for label in ("negative", "positive")
        for name, status in named.items()
        if status != "ok"
    }
    assert sum(part["unreadable_by_reason"].values()) == len(found)


def test_folder_without_folds_or_votes_has_neither(tmp_path):
    for number in range(4):
        (tmp_path / "ab"[number % 2]).mkdir(exist_ok=True)
        picture(seed=number).save(tmp_path / "ab"[number % 2] / f"{number}.png")

    part = examine(tmp_path)["parts"][0]

    assert (part["folds"], part["in_folds"], part["label_ceiling"]) == ([], None, None)


def test_nothing_to_examine_is_refused():
    with pytest.raises(DataError, match=r"no data set to audit"):
        audit([])


@pytest.mark.data
def test_the_real_set_shows_its_known_faults(shared_data):
    findings = examine(shared_data / "deepsent")
    five, four, three = findings["parts"]

    assert [part["num_examples"] for part in (five, four, three)] == [882, 1116, 1269]
    assert [part["in_folds"] for part in (five, four, three)] == [880, 1115, 1265]
    assert three["exact_pairs"] == 13
    assert 9 <= len(five["crossing"]) <= 12
    assert not five["is_stratified"]
    (row,) = (
        row
        for row in findings["across_parts"]
        if "three" in row["trained"] and "five" in row["tested"]
    )
    assert (min(row["leaked"]), max(row["leaked"])) == (131, 146)
    assert row["num_examples"] == [176] * 5


def test_a_copy_leaks_where_one_trains_what_tests_the_other_and_nowhere_else(tmp_path):
    # a is alone in a fold; both of b are in one, with two labels; c is in two
    places = {"a1": 1, "a2": 0, "b1": 2, "b2": 2, "c1": 1, "c2": 2}
    for name in places:
        picture(seed=ord(name[0])).save(tmp_path / f"{name}.png")
    dataset = Dataset(
        name="six",
        ids=tuple(places),
        paths=tuple(str(tmp_path / f"{name}.png") for name in places),
        labels=np.array([0, 0, 0, 1, 1, 1]),
        class_names=("negative", "positive"),
        folds=np.array(list(places.values())),
    )

    found = audit([dataset])
    part = found["parts"][0]

    assert [pair["ids"] for pair in part["pairs"]] == [
        ["a1", "a2"],
        ["b1", "b2"],
        ["c1", "c2"],
    ]
    assert [pair["ids"] for pair in part["crossing"]] == [["c1", "c2"]]
    assert [pair["ids"] for pair in part["conflicting"]] == [["b1", "b2"]]
    assert [fold["copied_from_training"] for fold in part["folds"]] == [1, 1]
    assert found["has_leak"]
    assert not audit([dataset.take(np.arange(4))])["has_leak"]


def test_how_far_people_agree_is_told_by_the_votes_of_all_levels(copied):
    five, four, three = (part["label_ceiling"] for part in copied["parts"])

    # all five agree on each of the first, and would have been six of six sometimes not
    assert 0.5 < three < four < five < 1
