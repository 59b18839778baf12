"""Studies of ratings: recovered to the ceiling, and nothing where there is nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.config import DataConfig
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.errors import RunError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.rated import RatedTable
from pixsent_tf.runs import Run
from pixsent_tf.studies.crossval import crossval
from pixsent_tf.studies.fit import fit
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
