"""Is a table of pictures checked, and selected from, as documented?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pixsent_tf.config import DataConfig
from pixsent_tf.data.table import Dataset, build_dataset
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
