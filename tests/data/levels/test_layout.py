"""Is every layout of DeepSent read, and every wrong one refused in one line?"""

from __future__ import annotations

import numpy as np
import pytest
from deepsent_files import COUNTS, fold_of, label_of, name_of, write_deepsent

from pixsent_tf.config import DataConfig
from pixsent_tf.data.levels.layout import is_deepsent, open_deepsent
from pixsent_tf.data.splits import held_out, published_or_stratified
from pixsent_tf.errors import ConfigError, DataError


@pytest.mark.parametrize(
    "images", ["images", "Agg_AMT_Candidates", "twitter_dataset/images", "."]
)
def test_pictures_are_found_in_every_layout(images, tmp_path):
    dataset = open_deepsent(write_deepsent(tmp_path, images), "four_agrees")

    assert dataset.ids == tuple(name_of(number) for number in range(26))
    assert dataset.labels.tolist() == [label_of(number) for number in range(26)]
    assert dataset.class_names == ("negative", "positive")


def test_published_folds_are_read_and_zero_is_in_none(tmp_path):
    dataset = open_deepsent(write_deepsent(tmp_path), "three_agrees")

    assert dataset.folds.tolist() == [fold_of(number) for number in range(32)]


def test_without_published_folds_there_are_none(tmp_path):
    assert (
        open_deepsent(write_deepsent(tmp_path, folds=False), "five_agrees").folds
        is None
    )


def test_votes_follow_from_the_nesting(tmp_path):
    votes = open_deepsent(write_deepsent(tmp_path), "three_agrees").votes

    assert votes[18].tolist() == [0, 5]  # in five_agrees, positive
    assert votes[21].tolist() == [4, 1]  # in four_agrees only, negative
    assert votes[26].tolist() == [2, 3]  # in three_agrees only, positive


def test_table_of_votes_comes_before_the_nesting(tmp_path):
    write_deepsent(tmp_path)
    rows = [
        f"{name_of(n)},5,{5 - 4 * label_of(n)},{4 * label_of(n)}" for n in range(32)
    ]
    (tmp_path / "amt_result.csv").write_text("\n".join(rows))

    votes = open_deepsent(tmp_path, "five_agrees").votes

    assert votes[:2].tolist() == [[1, 4], [5, 0]]


def test_whole_set_is_the_one_that_holds_every_subset(tmp_path):
    dataset = open_deepsent(write_deepsent(tmp_path), "five_agrees")

    assert len(dataset.whole) == COUNTS["three_agrees"]
    assert dataset.whole.whole is None


def test_subset_stands_alone_where_the_larger_lists_are_missing(tmp_path):
    write_deepsent(tmp_path, folds=False)
    (tmp_path / "twitter_three_agrees.txt").unlink()

    dataset = open_deepsent(tmp_path, "five_agrees")

    assert (dataset.whole, dataset.votes) == (None, None)


@pytest.mark.parametrize("folds", [True, False])
def test_pictures_of_lower_agreement_train_and_never_test(tmp_path, folds):
    folder = write_deepsent(tmp_path, folds=folds)

    dataset = open_deepsent(folder, "five_agrees", join_weight=0.5)

    tested = published_or_stratified(dataset, 5)
    assert dataset.ids == tuple(name_of(number) for number in range(32))
    assert dataset.joined.tolist() == [0] * 20 + [0.5] * 12
    assert (tested[:20] > 0).all()
    assert (tested[20:] == 0).all()
    assert not held_out(dataset, 0.2)[20:].any()


def test_copies_of_what_can_test_do_not_join(tmp_path):
    folder = write_deepsent(tmp_path, copies=True)  # 30 is a copy of 1

    dataset = open_deepsent(folder, "five_agrees", join_weight=1.0)

    assert name_of(29) in dataset.ids
    assert name_of(30) not in dataset.ids


def test_joining_pictures_count_by_their_weight(tmp_path):
    folder = write_deepsent(tmp_path)
    dataset = open_deepsent(folder, "five_agrees", join_weight=0.5)

    equal = dataset.weighted_targets(DataConfig()).sum(axis=1)
    agreeing = dataset.weighted_targets(DataConfig(example_weights="agreement")).sum(
        axis=1
    )

    np.testing.assert_allclose(equal, [1] * 20 + [0.5] * 12)
    # 4:1 leads by three fifths of the votes, 3:2 by one
    np.testing.assert_allclose(agreeing, [1] * 20 + [0.3] * 6 + [0.1] * 6, rtol=1e-6)


def test_nothing_joins_where_the_whole_set_is_missing(tmp_path):
    write_deepsent(tmp_path, folds=False)
    (tmp_path / "twitter_three_agrees.txt").unlink()

    with pytest.raises(DataError, match="not part of a complete three_agrees"):
        open_deepsent(tmp_path, "five_agrees", join_weight=1.0)


def test_folder_without_a_list_is_no_deepsent(tmp_path):
    assert not is_deepsent(tmp_path)


def test_unknown_subset_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"'two_agrees'; it is five_agrees, four"):
        open_deepsent(write_deepsent(tmp_path), "two_agrees")


def test_missing_list_is_named(tmp_path):
    write_deepsent(tmp_path)
    (tmp_path / "twitter_four_agrees.txt").unlink()

    with pytest.raises(DataError, match=r"twitter_four_agrees.txt is missing"):
        open_deepsent(tmp_path, "four_agrees")


def test_missing_pictures_are_named(tmp_path):
    write_deepsent(tmp_path)
    (tmp_path / "images" / name_of(0)).unlink()

    with pytest.raises(DataError, match=rf"holds no picture {name_of(0)}"):
        open_deepsent(tmp_path, "five_agrees")


def test_line_that_is_no_name_and_label_is_named_by_number(tmp_path):
    write_deepsent(tmp_path)
    (tmp_path / "twitter_five_agrees.txt").write_text(f"{name_of(0)} 1\nlonely.jpg\n")

    with pytest.raises(DataError, match=r"five_agrees.txt:2 reads 'lonely.jpg'"):
        open_deepsent(tmp_path, "five_agrees")


def test_fold_with_an_unknown_picture_is_refused(tmp_path):
    write_deepsent(tmp_path)
    path = tmp_path / "ground_truth/five_agrees/test2/test.txt"
    path.write_text("stranger.jpg 1\n")

    with pytest.raises(
        DataError, match=r"stranger.jpg, which five_agrees does not hold"
    ):
        open_deepsent(tmp_path, "five_agrees")


def test_picture_in_two_test_folds_is_refused(tmp_path):
    write_deepsent(tmp_path)
    path = tmp_path / "ground_truth/five_agrees/test2/test.txt"
    path.write_text(f"{name_of(0)} 1\n")  # tested in fold 1 already

    with pytest.raises(DataError, match=r"as another test fold does"):
        open_deepsent(tmp_path, "five_agrees")


@pytest.mark.data
@pytest.mark.parametrize(
    ("level", "images", "positive", "in_folds", "test_fold_3"),
    [
        ("five_agrees", 882, 581, 880, (124, 52)),
        ("four_agrees", 1116, 689, 1115, (152, 71)),
        ("three_agrees", 1269, 769, 1265, (153, 100)),
    ],
)
def test_the_real_set_has_its_published_counts(
    level, images, positive, in_folds, test_fold_3, shared_data
):
    dataset = open_deepsent(shared_data / "deepsent", level)
    third = dataset.labels[dataset.folds == 3]

    assert (len(dataset), dataset.labels.sum()) == (images, positive)
    assert (dataset.folds > 0).sum() == in_folds
    assert ((third == 1).sum(), (third == 0).sum()) == test_fold_3
