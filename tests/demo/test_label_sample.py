"""Samples for labelling: drawn once, kept, refused where another was asked for."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pixsent_tf.demo.label_sample import (
    Chosen,
    Population,
    Sample,
    draw_alike,
    draw_diverse,
)
from pixsent_tf.errors import DataError, UsageError
from pixsent_tf.evaluation.sampling import inclusion_probabilities, uncertainty

ASKED = {"source": "t.csv", "num": 2, "by": "random", "seed": 0}
SAMPLE = Sample(
    ASKED, ("negative", "positive"), 9, (Chosen("a.jpg", 0.25, "negative", 0.75),)
)


@pytest.fixture
def table(tmp_path):
    rows = [f"{i}.jpg,negative,{0.5 + i / 40},{0.5 - i / 40},ok" for i in range(20)]
    rows.insert(3, "broken.jpg,,,,truncated")
    head = "path,answer,prob_negative,prob_positive,status"
    (tmp_path / "t.csv").write_text("\n".join([head, *rows]) + "\n")
    return tmp_path / "t.csv"


def test_a_random_sample_is_of_what_got_an_answer_each_with_the_same_chance(table):
    population = Population.read(table)

    chosen = draw_alike(population, 5, "random", 0)

    assert population.class_names == ("negative", "positive")
    assert len({each.path for each in chosen}) == 5
    assert "broken.jpg" not in population.paths
    assert {each.probability for each in chosen} == {0.25}
    number = int(chosen[0].path.removesuffix(".jpg"))
    assert chosen[0].sureness == pytest.approx(0.5 + number / 40)
    assert chosen == draw_alike(population, 5, "random", 0)
    assert chosen != draw_alike(population, 5, "random", 1)


def test_more_than_there_are_are_all(table):
    chosen = draw_alike(Population.read(table), 100, "uncertainty", 0)

    assert [each.probability for each in chosen] == [1] * 20


def test_an_uncertain_sample_says_how_likely_each_picture_was(table):
    chosen = draw_alike(Population.read(table), 5, "uncertainty", 0)

    sure = 0.5 + np.arange(20) / 40
    wanted = inclusion_probabilities(uncertainty(np.stack([sure, 1 - sure], 1)), 5)
    for each in chosen:
        number = int(each.path.removesuffix(".jpg"))
        assert each.probability == pytest.approx(wanted[number], rel=1e-6)


def test_the_chances_of_a_diverse_sample_are_those_of_both_draws():
    part = [Chosen(f"{i}", 0.5) for i in range(6)]
    features = np.repeat([[0.0], [9.0]], [4, 2], axis=0)

    chosen = draw_diverse(part, features, 2, 0)

    chances = {each.path: each.probability for each in chosen}
    assert sorted(chances.values()) == [0.5 / 4, 0.5 / 2]
    assert all((p == 0.25) == (path in "45") for path, p in chances.items())


def test_a_sample_that_is_kept_is_the_same_when_read(tmp_path):
    SAMPLE.write(tmp_path / "s.json")

    assert Sample.read(tmp_path / "s.json") == SAMPLE
    Sample.read(tmp_path / "s.json").check(ASKED, tmp_path / "s.json")


@pytest.mark.parametrize(
    "change", [{"num": 3}, {"by": "uncertainty"}, {"seed": 1}, {"source": "u.csv"}]
)
def test_another_sample_is_refused(tmp_path, change):
    (name,) = change

    with pytest.raises(UsageError, match=f"holds a sample of {name} .*another --out"):
        SAMPLE.check({**ASKED, **change}, tmp_path / "s.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"pictures": [{"x": 1}]})])
def test_a_file_that_is_no_sample_is_refused(tmp_path, text):
    (tmp_path / "s.json").write_text(text)

    with pytest.raises(DataError, match="is no sample"):
        Sample.read(tmp_path / "s.json")


def test_a_table_without_answers_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("path,answer,status\na.jpg,,truncated\n")

    with pytest.raises(DataError, match="no picture that got an answer"):
        Population.read(tmp_path / "t.csv")
