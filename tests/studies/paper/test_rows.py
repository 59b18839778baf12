"""A row is run with every seed, once, under a name of its own."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pixsent_tf.config import DataConfig, ModelConfig, Recipe
from pixsent_tf.errors import RunError, WeightsError
from pixsent_tf.recipes.finetuning import FIVE, FOUR, SLOW
from pixsent_tf.runs import Run
from pixsent_tf.studies.paper import rows as rows_module
from pixsent_tf.studies.paper.plan import Plan
from pixsent_tf.studies.paper.rows import STAND_IN, Rows, why_missing
from tests.heard import Heard
from tests.studies.paper.drawn_answers import DrawnProtocol, answers

DATA = Path(__file__).parents[2] / "data"
A = replace(FIVE, name="a:one", data=DataConfig(level="three_agrees"), expected=())
WHITE = replace(A, name="white", expected=(("center", 0.7),))
OTHER = replace(A, name="other", training=replace(A.training, epochs=9))


@pytest.fixture
def protocol(monkeypatch: pytest.MonkeyPatch) -> DrawnProtocol:
    drawn = DrawnProtocol()
    monkeypatch.setattr(rows_module, "run_protocol", drawn)
    return drawn


@pytest.fixture
def plan(colored_folder: Path) -> Plan:
    return Plan(str(colored_folder), folds=(2, 4), random_start=True, num_repeats=3)


def test_a_row_is_run_with_every_seed_in_a_folder_of_its_own(
    protocol: DrawnProtocol, plan: Plan, tmp_path: Path
) -> None:
    heard = Heard()
    rows = Rows(plan, Run(tmp_path), heard)

    row = rows.row(A)

    assert row.name == "a:one"
    folders = ["a-one", "a-one-seed1", "a-one-seed2"]
    assert [call.run.path for call in protocol.calls] == [
        tmp_path / "rows" / name for name in folders
    ]
    assert [call.recipe.seed for call in protocol.calls] == [0, 1, 2]
    assert [rows.run_of(A, seed) for seed in range(3)] == [
        call.run for call in protocol.calls
    ]
    assert rows.run_of(A) == protocol.calls[0].run
    for call in protocol.calls:
        assert call.folds == (2, 4)
        assert call.recipe.data.source == plan.source
        assert call.recipe.model.weights is None  # the plan's start, not the row's
        assert call.dataset is rows.dataset(A)
    assert heard.lines == [f"{name}: folds 2, 4" for name in folders]
    drawn = [answers(f"a:one {seed}", "three_agrees", (2, 4)) for seed in range(3)]
    for found, expected in zip(row.answered, drawn, strict=True):
        np.testing.assert_array_equal(found.probs["center"], expected.probs["center"])


def test_a_row_that_is_the_same_but_for_its_name_is_the_first_ones_run(
    protocol: DrawnProtocol, plan: Plan, tmp_path: Path
) -> None:
    rows = Rows(replace(plan, num_repeats=2), Run(tmp_path))
    first = rows.row(A)
    other = rows.row(OTHER)
    weights = replace(WHITE, model=replace(WHITE.model, weights="places"))

    again, white, start = rows.row(A), rows.row(WHITE), rows.row(weights)

    assert [call.recipe.name for call in protocol.calls] == [
        *("a:one", "a:one", "other", "other"),
    ]
    assert again.name == "a:one"
    assert white.name == "white (the same run as a:one)"
    assert start.name == "white (the same run as a:one)"  # no start is read at random
    assert again.answered is white.answered is start.answered is first.answered
    assert other.name == "other"
    assert other.answered is not first.answered


def test_only_the_models_of_five_agrees_and_of_its_first_seed_are_kept(
    protocol: DrawnProtocol, plan: Plan, tmp_path: Path
) -> None:
    rows = Rows(plan, Run(tmp_path))

    for recipe in (FOUR, SLOW[0], FIVE, A):
        rows.row(recipe)

    kept = {
        (call.run.path.name, call.keep_models)
        for call in protocol.calls
        if call.keep_models or call.recipe.name == "caffenet-five"
    }
    assert kept == {
        ("caffenet-five", True),
        ("caffenet-five-seed1", False),
        ("caffenet-five-seed2", False),
    }


def test_a_study_is_gone_on_with_and_a_folder_of_another_row_is_left_alone(
    protocol: DrawnProtocol, plan: Plan, tmp_path: Path
) -> None:
    first = Rows(plan, Run(tmp_path)).row(A)

    again = Rows(plan, Run(tmp_path)).row(A)

    assert again.name == first.name
    assert len(protocol.calls) == 6  # what is finished the protocol knows by itself
    changed = replace(A, training=replace(A.training, epochs=7))
    with pytest.raises(RunError, match="recipe differs in"):
        Rows(plan, Run(tmp_path)).row(changed)
    assert len(protocol.calls) == 6


def test_a_level_is_opened_once_and_is_the_one_that_the_row_is_about(
    plan: Plan, tmp_path: Path
) -> None:
    rows = Rows(plan, Run(tmp_path))
    five, three = rows.dataset(FIVE), rows.dataset(A)

    assert five.name.endswith("five_agrees")
    assert three.name.endswith("three_agrees")
    # seven tenths of each class in each fold: 2 of 3, twice, and 1 of 2, three times
    assert (len(five), len(three)) == (14, 24)
    assert rows.dataset(SLOW[0]) is five
    assert rows.dataset(replace(A, name="b")) is three
    fewer = Rows(replace(plan, example_fraction=0.5), Run(tmp_path)).dataset(A)
    assert len(fewer) == 12
    assert set(fewer.ids) < set(three.ids)


def test_the_larger_class_is_that_of_the_pictures_that_are_tested(
    plan: Plan, tmp_path: Path
) -> None:
    rows = Rows(plan, Run(tmp_path))
    whole = rows.dataset(A)
    chosen = [i for i, label in enumerate(whole.labels) if label or i % 3 == 0]
    unequal = whole.take(np.array(chosen))
    # folds 2 and 4 hold the last ten pictures, all of the second class but one
    folds = np.array([1, 3, 5] * len(unequal))[: len(unequal)]
    folds[-10:] = [2, 4] * 5
    labels = np.zeros(len(unequal), dtype="int32")
    labels[-10:] = [1, 1, 1, 0, 1, 1, 1, 1, 0, 1]

    class Unequal(Rows):
        def dataset(self, recipe: Recipe):
            return replace(unequal, folds=folds, labels=labels)

    unequal_rows = Unequal(plan, Run(tmp_path))
    assert unequal_rows.majority(A) == {"three_agrees": 0.8}  # 8 of 10
    assert unequal_rows.majority(FIVE) == {"five_agrees": 0.8}
    nobody = replace(A, data=replace(A.data, level=None))
    assert unequal_rows.majority(nobody) == {"None": 0.8}


def test_levels_that_were_never_voted_on_are_told_and_compared_to_nothing(
    colored_folder: Path, tmp_path: Path
) -> None:
    whole = Rows(Plan(str(colored_folder)), Run(tmp_path))
    part = Rows(Plan(str(colored_folder), folds=(3,)), Run(tmp_path))

    assert whole.notes == [STAND_IN]
    assert not whole.is_comparable
    assert part.notes == [
        "Only these of the 5 folds were tested: 3.",
        STAND_IN,
    ]
    assert "70, 88 and 100 %" in STAND_IN


def test_only_the_papers_levels_and_whole_trainings_are_compared_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(DATA)
    assert str(DATA) in sys.path
    from deepsent_files import write_deepsent

    source = str(write_deepsent(tmp_path / "deepsent"))
    run = Run(tmp_path)

    assert Rows(Plan(source), run).notes == []
    assert Rows(Plan(source), run).is_comparable
    assert Rows(Plan(source, folds=(1,)), run).is_comparable
    assert not Rows(Plan(source, max_steps=4), run).is_comparable
    assert not Rows(Plan(source, random_start=True), run).is_comparable


def test_a_row_without_its_start_is_told_and_never_run_from_another(
    protocol: DrawnProtocol, colored_folder: Path, tmp_path: Path
) -> None:
    rows = Rows(Plan(str(colored_folder), weights_dir=tmp_path), Run(tmp_path))
    random = replace(A, model=ModelConfig("mean_color", weights=None))

    assert why_missing(rows, random) is None
    reason = why_missing(rows, FIVE)
    assert reason is not None
    assert "put caffenet.caffemodel" in reason
    with pytest.raises(WeightsError, match="starting weights are missing"):
        rows.row(FIVE)
    assert protocol.calls == []
