"""Studies of ratings: recovered to the ceiling, and nothing where there is nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.config import DataConfig
from pixsent_tf.data.lists.rated import Ratings
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ImageError, RunError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.rated import RatedTable
from pixsent_tf.runs import Run
from pixsent_tf.studies.crossval import crossval
from pixsent_tf.studies.fit import fit
from pixsent_tf.studies.folds import Predicted, divide
from pixsent_tf.studies.ratings.outcome import measure_table, pool_ratings
from tests.rated_pictures import COUNT, TARGETS, write_rated


@pytest.fixture
def table(tmp_path):
    return write_rated(tmp_path)


def rated(recipe, table, **settings):
    """A recipe of ratings, and its pictures."""
    data = DataConfig(str(table), target=TARGETS, scale="1:7", **settings)
    return replace(recipe, data=data), open_dataset(data)


def test_what_raters_go_by_is_recovered_to_their_ceiling(mean_color, table, tmp_path):
    run = Run.create(tmp_path / "run")
    results = crossval(*rated(mean_color, table), run)

    assert results["num_examples"] == COUNT
    for one in results["targets"]:
        # another panel has its own noise; a model that knows the truth has none
        assert one["pearson_r"] > one["ceiling"]["pearson_r"] - 0.03
        assert one["rmse"] < one["ceiling"]["rmse"]
        assert one["coverage"]["observed"] == pytest.approx(0.9, abs=0.1)
        assert len(one["per_fold_r"]) == 5


def test_shuffled_ratings_are_not_recovered(mean_color, tmp_path):
    table = write_rated(tmp_path, shuffled=True)
    results = crossval(*rated(mean_color, table), Run.create(tmp_path / "run"))

    for one in results["targets"]:
        low, high = one["pearson_r_null_band"]
        assert one["pearson_r"] is None or low <= one["pearson_r"] <= high
        assert one["coverage"]["observed"] == pytest.approx(0.9, abs=0.1)


def test_a_group_is_on_one_side_of_every_split(mean_color, table, tmp_path):
    text = table.read_text().splitlines()
    lines = [f"{text[0]},group"]
    lines += [f"{line},g{i // 3}" for i, line in enumerate(text[1:])]
    table.write_text("\n".join(lines))
    run = Run.create(tmp_path / "run")
    results = crossval(*rated(mean_color, table), run)

    folds = [int(row["fold"]) for row in run.read_table("predictions.csv")]
    assert all(len(set(folds[i : i + 3])) == 1 for i in range(0, COUNT, 3))
    assert results["interval_unit"] == "group"


def test_the_model_that_is_kept_says_what_the_table_says(mean_color, table, tmp_path):
    recipe, dataset = rated(mean_color, table)
    run = Run.create(tmp_path / "run")
    fit(recipe, dataset, run)

    said = RatedTable.read(run.path)
    paths = dict(zip(dataset.ids, dataset.paths, strict=True))
    model = SentimentModel.load(run.path)
    found = list(model.rate([paths[name] for name in said.ids]))
    assert model.rating.targets == TARGETS
    assert model.rating.scale == (1, 7)
    np.testing.assert_allclose([one.ratings for one in found], said.answers, atol=1e-4)
    np.testing.assert_allclose([one.low for one in found], said.low, atol=1e-4)
    np.testing.assert_allclose([one.high for one in found], said.high, atol=1e-4)


def test_a_rating_that_changes_ends_a_run(mean_color, table, tmp_path):
    run = Run.create(tmp_path / "run")
    recipe, dataset = rated(mean_color, table)
    fit(recipe, dataset, run)
    first = table.read_text().splitlines()[1]
    changed = first.split(",")[0] + ",6.9," + first.split(",", 2)[2]
    table.write_text(table.read_text().replace(first, changed))

    with pytest.raises(RunError, match="began with other pictures: the label of aa"):
        fit(*rated(mean_color, table), run)


def test_a_picture_that_cannot_be_read_is_told(mean_color, table, tmp_path):
    (tmp_path / "ab.png").write_bytes(b"")
    run = Run.create(tmp_path / "run")
    results = crossval(*rated(mean_color, table), run)

    assert [row["id"] for row in results["unreadable"]] == ["ab.png"]
    assert results["num_examples"] == COUNT - 1
    assert RatedTable.read(run.path).failures[0].reason == "empty"
    assert json.loads((run.path / "results.json").read_text()) == results


def test_groups_of_raters_have_heads_and_the_pictures_on_which_they_differ(
    mean_color, table, tmp_path
):
    head, *rows = table.read_text().splitlines()
    lines = [f"{head},rater_group"]
    for i, row in enumerate(rows):
        lines.append(f"{row},men")
        name, valence, rest = row.split(",", 2)
        off = 2.0 if i == 7 else 0.5  # the others rate all higher, one picture most
        lines.append(f"{name},{min(7.0, float(valence) + off):.4f},{rest},women")
    table.write_text("\n".join(lines))
    results = crossval(*rated(mean_color, table), Run.create(tmp_path / "run"))

    names = [one["target"] for one in results["targets"]]
    assert names == ["valence_men", "valence_women", "arousal_men", "arousal_women"]
    first = results["group_differences"][0]
    assert (first["first"], first["second"]) == ("valence_men", "valence_women")
    assert first["id"] == rows[7].split(",")[0]
    low, high = first["raters_interval"]
    assert low < first["raters"] < high < 0
    assert -1 < first["answers"] < 0


def hand_made():
    """Four pictures, two groups of raters, and what a model says of three of them."""
    values = np.array([[2.0, 4.0], [5.0, 3.0], [6.0, 6.5], [3.0, 1.0]])
    ratings = Ratings(
        ("valence_men", "valence_women"),
        values,
        (1, 7),
        spreads=np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 1.0], [0.5, 3.0]]),
        counts=np.array([[4.0, 16.0], [16.0, 4.0], [4.0, 4.0], [25.0, 9.0]]),
        perspectives=("men", "women"),
    )
    return Dataset(
        name="four",
        ids=tuple("abcd"),
        paths=tuple("abcd"),
        labels=np.array([0, 1, 1, 0], dtype="int32"),
        class_names=("low", "high"),
        ratings=ratings,
    )


def test_every_fold_has_the_intervals_of_its_own_model():
    dataset = hand_made()
    parts = divide(dataset, np.array([2, 1, 2, 1]))
    said = np.array([[3.0, 3.0], [4.0, 4.0]], "float32")
    error = ImageError("a is empty.", "empty")
    predicted = {
        1: Predicted(("d", "b"), said, {}, (1.0, 0.5)),
        2: Predicted(("c",), said[:1], {"a": error}, (2.0, 3.0)),
    }

    table = pool_ratings(dataset, parts, predicted).table

    assert table.ids == ("b", "c", "d")
    assert table.answers.tolist() == [[4, 4], [3, 3], [3, 3]]
    assert table.labels.tolist() == [[5, 3], [6, 6.5], [3, 1]]
    assert table.folds.tolist() == [1, 2, 1]
    assert table.low.tolist() == [[3, 3.5], [1, 1], [2, 2.5]]
    assert table.high.tolist() == [[5, 4.5], [5, 6], [4, 3.5]]
    assert [one.id for one in table.failures] == ["a"]


def test_numbers_of_each_target_are_of_its_own_raters_and_pictures():
    dataset = hand_made()
    said = RatedTable(
        name="run",
        ids=("d", "b", "c"),
        targets=dataset.ratings.targets,
        answers=np.array([[3.0, 2.0], [4.0, 4.0], [5.0, 6.0]]),
        labels=dataset.ratings.values[[3, 1, 2]],
    )

    found = measure_table(said, dataset, (1, 7))

    men, women = (one["ceiling"] for one in found["targets"])
    # means 3, 5, 6 vary by 7 / 3; noise .01, .25, .25
    assert men["pearson_r"] == pytest.approx(1 - 0.17 / (7 / 3))
    # means 1, 3, 6.5; noise 1, .25, .25
    assert women["pearson_r"] == pytest.approx(1 - 0.5 / np.var([1, 3, 6.5], ddof=1))
    first = found["group_differences"][0]
    assert (first["id"], first["raters"], first["answers"]) == ("d", 2.0, 1.0)
    reach = 1.959964 * (0.01 + 1) ** 0.5
    assert first["raters_interval"] == pytest.approx([2 - reach, 2 + reach])
