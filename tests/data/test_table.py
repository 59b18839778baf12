"""Is a table of pictures checked, and selected from, as documented?"""

from __future__ import annotations

import os
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from pixsent_tf.config import DataConfig
from pixsent_tf.data.lists.rated import Ratings
from pixsent_tf.data.table import Dataset, build_dataset, check_pictures
from pixsent_tf.errors import DataError

DATASET = Dataset(
    name="four",
    ids=("a", "b", "c", "d"),
    paths=("/a", "/b", "/c", "/d"),
    labels=np.array([0, 1, 1, 1], dtype="int32"),
    class_names=("negative", "positive"),
    folds=np.array([1, 2, 0, 1], dtype="int32"),
    votes=np.array([[5, 0], [1, 4], [2, 3], [0, 5]], dtype="int32"),
)


def files(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).touch()
    return [folder / name for name in names]


def test_majority_rate_is_that_of_the_most_frequent_class():
    assert DATASET.majority_rate == 0.75


@pytest.mark.parametrize("selection", [[3, 1], [False, True, False, True]])
def test_selection_takes_every_column_along(selection):
    taken = DATASET.take(np.array(selection))

    order = [3, 1] if selection == [3, 1] else [1, 3]
    assert taken.ids == tuple("abcd"[i] for i in order)
    assert taken.paths == tuple(f"/{'abcd'[i]}" for i in order)
    assert taken.labels.tolist() == [1, 1]
    assert taken.folds.tolist() == [[1, 2, 0, 1][i] for i in order]
    assert taken.votes.tolist() == [[[5, 0], [1, 4], [2, 3], [0, 5]][i] for i in order]


def test_votes_are_counts_where_they_are_whole_numbers():
    shares = DATASET.votes / np.float32(5)

    assert DATASET.has_counts
    assert not replace(DATASET, votes=shares).has_counts
    assert not replace(DATASET, votes=None).has_counts


def test_hard_targets_are_one_hot():
    assert DATASET.targets().tolist() == [[1, 0], [0, 1], [0, 1], [0, 1]]


def test_soft_targets_are_shares_of_the_votes():
    expected = [[1, 0], [0.2, 0.8], [0.4, 0.6], [0, 1]]

    np.testing.assert_allclose(DATASET.targets("votes"), expected, atol=1e-7)


def test_weights_count_in_what_the_training_aims_at_and_are_taken_along():
    weighted = replace(DATASET, weights=np.array([2, 0.5, 0, 1], "float32"))

    aims = weighted.weighted_targets(DataConfig())

    assert aims.tolist() == [[2, 0], [0, 0.5], [0, 0], [0, 1]]
    assert weighted.take(np.array([3, 0])).weights.tolist() == [1, 2]


def test_soft_targets_need_votes():
    with pytest.raises(DataError, match=r"four has no votes; leave --labels out"):
        replace(DATASET, votes=None).targets("votes")


def test_empty_table_is_refused():
    with pytest.raises(DataError, match=r"mine holds no pictures"):
        build_dataset(name="mine", ids=[], paths=[], labels=[])


def test_one_class_is_refused(tmp_path):
    paths = files(tmp_path, "a.jpg", "b.jpg")

    with pytest.raises(
        DataError, match=r"mine holds one class only, 'sad'; two or more"
    ):
        build_dataset(name="mine", ids=["a", "b"], paths=paths, labels=["sad", "sad"])


def test_picture_named_twice_is_refused(tmp_path):
    paths = files(tmp_path, "a.jpg")

    with pytest.raises(DataError, match=r"mine names 'a' twice"):
        build_dataset(name="mine", ids=["a", "a"], paths=paths * 2, labels=["x", "y"])


def test_missing_files_are_counted_and_the_first_is_named(tmp_path):
    paths = [*files(tmp_path, "a.jpg"), tmp_path / "gone.jpg"]

    with pytest.raises(
        DataError, match=r"1 of 2 files that do not exist, first .*gone"
    ):
        build_dataset(name="mine", ids=["a", "gone"], paths=paths, labels=["x", "y"])


def test_pictures_without_a_group_are_groups_of_their_own():
    grouped = DATASET.grouped(["", "x", "", "x"])

    assert len(set(grouped.groups.tolist())) == 3
    assert grouped.groups[1] == grouped.groups[3]
    assert [grouped.group_names[number] for number in grouped.groups] == [
        "",
        "x",
        "",
        "x",
    ]


def test_unknown_pictures_are_in_no_group_together():
    numbers = DATASET.grouped(list("xxyy")).groups_of(["b", "other", "a", "another"])

    assert numbers[0] == numbers[2]
    assert len(set(numbers.tolist())) == 3


def test_agreement_is_nothing_at_a_tie_and_one_where_all_say_the_same():
    votes = np.array([[5, 0], [1, 4], [2, 3], [3, 3]])

    agreement = replace(DATASET, votes=votes).agreement

    np.testing.assert_allclose(agreement, [1, 0.6, 0.2, 0], atol=1e-6)
    assert replace(DATASET, votes=None).agreement.tolist() == [1, 1, 1, 1]


def test_pictures_count_by_their_agreement_where_that_is_asked_for():
    aims = DATASET.weighted_targets(DataConfig(example_weights="agreement"))

    np.testing.assert_allclose(aims.sum(axis=1), [1, 0.6, 0.2, 1], atol=1e-6)


JOINED = replace(DATASET, joined=np.array([0, 0, 0.5, 0.25], "float32"))


def test_what_was_joined_counts_by_its_weight():
    assert JOINED.only_trains.tolist() == [False, False, True, True]
    aims = JOINED.weighted_targets(DataConfig())
    assert aims.sum(axis=1).tolist() == [1, 1, 0.5, 0.25]


def test_what_was_joined_is_not_like_the_pictures_to_come():
    positions = np.array([0, 1, 2])

    plain, even = (
        JOINED.weights_like_those_to_come(DataConfig(balance=by), among=positions)
        for by in ("none", "classes")
    )

    assert plain.tolist() == [1, 1, 0]
    assert even.tolist() == [1, 1, 0]  # one negative, one positive: even already
    three = DATASET.weights_like_those_to_come(
        DataConfig(balance="classes"), among=positions
    )
    np.testing.assert_allclose(three, [1.5, 0.75, 0.75])


def test_classes_are_balanced_among_what_trains_alone():
    aims = DATASET.weighted_targets(
        DataConfig(balance="classes"), among=np.array([0, 1, 2])
    )

    np.testing.assert_allclose(aims[:3].sum(axis=1), [1.5, 0.75, 0.75])


def test_sources_are_balanced_by_their_numbers():
    two = replace(DATASET, sources=np.array([0, 1, 1, 1]), source_names=("x", "y"))

    aims = two.weighted_targets(DataConfig(balance="sources"))

    np.testing.assert_allclose(aims.sum(axis=1), [2, 2 / 3, 2 / 3, 2 / 3], rtol=1e-6)


@pytest.mark.parametrize(
    ("splits", "expected"),
    [
        (["train", "val", "test", "train"], [False, False, True, False]),
        (["train", "val", "val", "train"], [False, True, True, False]),
    ],
)
def test_the_test_part_is_held_out_and_else_what_validates(splits, expected):
    assert replace(DATASET, splits=np.array(splits)).divided.tolist() == expected


def test_votes_are_aimed_at_where_they_are_asked_for():
    aims = DATASET.weighted_targets(DataConfig(labels="votes"))

    np.testing.assert_allclose(aims, [[1, 0], [0.2, 0.8], [0.4, 0.6], [0, 1]])


def test_every_weight_counts_whatever_else_does():
    weighted = replace(JOINED, weights=np.array([2, 0.5, 3, 4], "float32"))

    aims = weighted.weighted_targets(DataConfig(example_weights="agreement"))

    # by agreement 1, .6, .2 and 1; joined are the last two, by .5 and .25
    np.testing.assert_allclose(aims.sum(axis=1), [2, 0.3, 0.3, 1], rtol=1e-6)


def test_nothing_that_is_known_of_a_picture_stays_behind_when_it_is_taken():
    values = np.arange(8.0).reshape(4, 2)
    known = replace(
        DATASET.grouped(list("xyxz")),
        joined=np.array([0, 1, 2, 3], "float32"),
        sources=np.array([3, 2, 1, 0]),
        splits=np.array(["train", "val", "test", "other"]),
        weights=np.array([4, 5, 6, 7], "float32"),
        ratings=Ratings(("a", "b"), values, (0, 9), values + 1, values + 2),
    )
    taken = known.take(np.array([2, 0]))

    assert taken.groups.tolist() == [0, 0]
    assert taken.joined.tolist() == [2, 0]
    assert taken.sources.tolist() == [1, 3]
    assert taken.splits.tolist() == ["test", "train"]
    assert taken.weights.tolist() == [6, 4]
    assert taken.ratings.values.tolist() == [[4, 5], [0, 1]]
    assert taken.ratings.spreads.tolist() == [[5, 6], [1, 2]]
    assert taken.ratings.counts.tolist() == [[6, 7], [2, 3]]
    rows = {
        field.name
        for field in fields(known)
        if len(np.atleast_1d(getattr(known, field.name))) == 4
    }
    assert rows == {
        *("ids", "paths", "labels", "folds", "votes", "groups", "joined"),
        *("sources", "splits", "weights"),
    }


def test_one_file_under_two_spellings_is_refused_even_where_it_is_not(tmp_path):
    paths = [tmp_path / "a.jpg", tmp_path / "deep" / ".." / "a.jpg"]

    with pytest.raises(DataError, match=r"names one file twice, as 'a' and as 'b'"):
        check_pictures("mine", ["a", "b"], paths, must_exist=False)


def test_one_file_whose_spellings_differ_in_capitals_is_refused(tmp_path):
    (small,) = files(tmp_path, "a.jpg")
    large = tmp_path / "A.jpg"
    if not large.exists():  # a file system that tells capitals apart
        os.link(small, large)

    with pytest.raises(DataError, match=r"names one file twice, as 'a' and as 'b'"):
        check_pictures("mine", ["a", "b"], [small, large])


def test_two_files_whose_names_differ_in_capitals_only_are_two(tmp_path):
    paths = files(tmp_path, "a.jpg", "A.jpg")
    if not os.path.samefile(*paths):
        check_pictures("mine", ["a", "b"], paths)


def test_files_must_exist_unless_it_is_said_that_they_need_not(tmp_path):
    paths = [tmp_path / "gone.jpg"]

    check_pictures("mine", ["a"], paths, must_exist=False)
    with pytest.raises(DataError, match=r"1 of 1 files that do not exist"):
        check_pictures("mine", ["a"], paths)


def test_sources_are_balanced_among_the_pictures_that_are_like_those_to_come():
    known = replace(
        DATASET,
        sources=np.array([0, 1, 1, 0]),
        source_names=("x", "y"),
        joined=np.array([0, 0, 0.5, 0], "float32"),
    )

    found = known.weights_like_those_to_come(
        DataConfig(balance="sources"), among=np.arange(4)
    )

    # two of x and one of y count, three in all: each source one and a half
    np.testing.assert_allclose(found, [0.75, 1.5, 0, 0.75], rtol=1e-6)


def test_a_class_in_between_moves_the_labels_behind_it():
    more = DATASET.with_classes(["neutral"])

    assert more.class_names == ("negative", "neutral", "positive")
    assert more.labels.tolist() == [0, 2, 2, 2]
    assert more.labels.dtype == np.int32


def test_the_first_of_several_missing_files_is_named(tmp_path):
    there = files(tmp_path, "b.jpg")
    paths = [tmp_path / "z.jpg", *there, tmp_path / "a.jpg"]

    with pytest.raises(DataError, match=r"2 of 3 files that do not exist, first .*/z"):
        check_pictures("mine", ["1", "2", "3"], paths)
