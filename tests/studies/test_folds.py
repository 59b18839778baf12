"""What each part finds is computed once, kept whole, and pooled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ConfigError, ImageError, RunError
from pixsent_tf.runs import Run
from pixsent_tf.studies.folds import (
    Folds,
    Predicted,
    choose,
    divide,
    hold_out,
    leave_sources_out,
    pool,
)

FOLDS = np.array([1, 2, 0, 1, 2], dtype="int32")


@dataclass(frozen=True)
class Count:
    """How many pictures trained."""

    trained: int

    def to_json(self) -> dict[str, Any]:
        """Give what JSON can hold."""
        return {"trained": self.trained}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Count:
        """Build it again."""
        return cls(values["trained"])


@pytest.fixture
def dataset():
    return Dataset(
        name="five",
        ids=tuple("abcde"),
        paths=tuple("abcde"),
        labels=np.array([0, 0, 1, 1, 1], dtype="int32"),
        class_names=("negative", "positive"),
    )


@pytest.fixture
def kept(dataset, tmp_path):
    return Folds(Run(tmp_path), dataset, Count, {"recipe": {"seed": 0}, "search": 1})


def count(part):
    return Count(len(part.train))


def never(part):
    raise AssertionError(f"part {part.number} was computed again")


def positions(part):
    return [part.train.tolist(), part.test.tolist(), part.left_out.tolist()]


def test_each_fold_tests_once_and_trains_the_others(dataset):
    first, second = divide(dataset, FOLDS)

    assert (first.number, second.number) == (1, 2)
    assert positions(first) == [[1, 4], [0, 3], []]
    assert positions(second) == [[0, 3], [1, 4], []]


def test_pictures_that_only_train_do_so_in_every_part(dataset):
    joined = np.array([0, 0, 1, 0, 0], dtype="float32")

    parts = divide(replace(dataset, joined=joined), FOLDS)

    assert [part.train.tolist() for part in parts] == [[1, 2, 4], [0, 2, 3]]


def test_copies_of_a_test_picture_are_left_out(dataset):
    copies = np.array([0, 0, 2, 3, 4])  # of a and b, which are in other folds

    first, second = divide(dataset, FOLDS, units=copies)

    assert positions(first) == [[4], [0, 3], [1]]
    assert positions(second) == [[3], [1, 4], [0]]


def test_what_is_not_held_out_trains():
    mask = np.array([False, True, False, True])

    assert positions(hold_out(mask)) == [[0, 2], [1, 3], []]
    copies = hold_out(mask, units=np.array([0, 1, 1, 3]))
    assert positions(copies) == [[0], [1, 3], [2]]


def test_parts_are_chosen_once_each_in_order(dataset):
    parts = divide(dataset, FOLDS)

    assert choose(parts, None) == parts
    assert [part.number for part in choose(parts, [2, 1, 2])] == [1, 2]
    for wrong in ([0], [3, 1], []):
        with pytest.raises(ConfigError, match=r"are not all between 1 and 2"):
            choose(parts, wrong)


def test_what_is_kept_is_not_computed_again(kept, dataset, tmp_path):
    parts = divide(dataset, FOLDS)
    first = kept.find(parts, count)
    again = kept.find(parts, never)

    assert first == again == {1: Count(2), 2: Count(2)}
    names = sorted(path.name for path in (tmp_path / "folds").iterdir())
    assert names == ["fold-1.json", "fold-2.json"]


def test_what_was_finished_before_a_kill_is_kept(kept, dataset):
    parts, done = divide(dataset, FOLDS), []

    def killed(part):
        if done:
            raise KeyboardInterrupt
        done.append(part.number)
        return count(part)

    with pytest.raises(KeyboardInterrupt):
        kept.find(parts, killed)
    assert kept.recall(parts[0]) == Count(2)
    assert kept.recall(parts[1]) is None
    kept.find(parts, lambda part: done.append(part.number) or count(part))
    assert done == [1, 2]


def test_a_part_that_another_process_finished_meanwhile_is_recalled(kept, dataset):
    parts, computed = divide(dataset, FOLDS), []

    def compute(part):
        computed.append(part.number)
        kept.find(parts[1:], count)  # the other process
        return count(part)

    kept.find(parts, compute)
    assert computed == [1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ids": tuple("Abcde")}, "tested other pictures in fold 1"),
        ({"ids": tuple("aBcde")}, "trained on other pictures or labels in fold 1"),
        ({"labels": np.ones(5, int)}, "trained on other pictures or labels in fold 1"),
    ],
)
def test_what_other_pictures_led_to_is_refused(kept, dataset, change, message):
    kept.find(divide(dataset, FOLDS), count)
    other = replace(kept, dataset=replace(dataset, **change))

    with pytest.raises(RunError, match=f"{message}; name another folder with --out"):
        other.find(divide(dataset, FOLDS), never)


def test_what_another_recipe_led_to_is_refused_before_anything_is_computed(
    kept, dataset
):
    parts = divide(dataset, FOLDS)
    kept.find(parts[1:], count)
    other = replace(kept, made_by={"recipe": {"seed": 1}, "search": 1})

    with pytest.raises(RunError, match="used another recipe in fold 2"):
        other.find(parts, never)


def test_predictions_are_pooled_where_they_were_tested(dataset):
    parts = divide(dataset, FOLDS)
    error = ImageError("d is empty.", "empty")
    predicted = {
        1: Predicted(("a",), np.array([[0.9, 0.1]], "float32"), {"d": error}),
        2: Predicted(
            ("e", "b"), np.array([[0.2, 0.8], [0.4, 0.6]], "float32"), {"d": error}
        ),
    }

    outcome = pool(dataset, parts, predicted)

    assert outcome.folds.tolist() == FOLDS.tolist()
    assert outcome.failures == {3: error}
    nothing = [np.nan, np.nan]
    expected = [[0.9, 0.1], [0.4, 0.6], nothing, nothing, [0.2, 0.8]]
    np.testing.assert_array_equal(outcome.probs, np.array(expected, "float32"))


def test_parts_that_were_not_tested_have_no_fold_in_the_pool(dataset):
    predicted = {2: Predicted((), np.zeros((0, 2), "float32"), {})}

    outcome = pool(dataset, divide(dataset, FOLDS), predicted)

    assert outcome.folds.tolist() == [0, 2, 0, 0, 2]
    assert np.isnan(outcome.probs).all()


def test_predictions_are_the_same_after_a_way_through_json():
    probs = np.random.default_rng(0).dirichlet([1, 1], 3).astype("float32")
    error = ImageError("d is empty.", "empty")
    first = Predicted(tuple("abc"), probs, {"d": error})

    again = Predicted.from_json(json.loads(json.dumps(first.to_json())))

    assert again.ids == first.ids
    assert again.probs.dtype == np.float32
    np.testing.assert_array_equal(again.probs, first.probs)
    (failed,) = again.failures.items()
    assert (failed[0], str(failed[1]), failed[1].reason) == (
        "d",
        "d is empty.",
        "empty",
    )


def test_a_part_that_another_is_at_is_refused_and_others_are_not(kept, dataset):
    first, second = divide(dataset, FOLDS)

    def beside(part):
        assert kept.find([second], count) == {2: count(second)}
        with pytest.raises(RunError, match="fold-1 is being worked on by process"):
            kept.find([first], never)
        return count(part)

    assert kept.find([first], beside) == {1: count(first)}
    assert not list((kept.run.path / "folds").glob("*.lock"))


def test_a_source_that_is_left_out_trains_nothing_nor_do_its_copies(dataset):
    sources = np.array([0, 0, 0, 1, 1])
    joined = np.array([0, 0.5, 0, 0, 0.5])  # b and e only train
    units = np.array([0, 1, 2, 2, 3])  # d is a copy of c, which tests
    several = replace(dataset, sources=sources, source_names=("x", "y"), joined=joined)

    first, second = leave_sources_out(several, units=units)

    assert (first.number, second.number) == (1, 2)
    assert (first.test.tolist(), first.train.tolist()) == ([0, 2], [4])
    assert first.left_out.tolist() == [3]
    assert (second.test.tolist(), second.train.tolist()) == ([3], [0, 1])


def test_a_single_source_cannot_be_left_out(dataset):
    selected = replace(dataset, sources=np.zeros(5, "int32"), source_names=("a", "b"))

    for single in (dataset, selected):
        with pytest.raises(ConfigError, match="five is a single source"):
            leave_sources_out(single, units=np.arange(5))


def test_what_is_on_the_disk_is_told_also_of_a_part_that_was_kept_before(kept, dataset):
    told = []

    def note(part):
        told.append(part.number)
        assert (kept.run.path / f"folds/fold-{part.number}.json").is_file()

    kept.find(divide(dataset, FOLDS)[:1], count)
    kept.find(divide(dataset, FOLDS), count, on_kept=note)

    assert told == [1, 2]


def test_what_is_kept_of_a_part_has_a_checksum(kept, dataset, tmp_path):
    (part, _) = divide(dataset, FOLDS)
    kept.find([part], count)
    path = tmp_path / "folds" / "fold-1.json"
    path.write_text(path.read_text().replace('"trained": 2', '"trained": 9'))

    with pytest.raises(RunError, match=r"fold-1.json is damaged: .* to do fold 1 ag"):
        kept.finished([part])
