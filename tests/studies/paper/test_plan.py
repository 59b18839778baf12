"""A plan changes recipes by its shortcuts, and says every one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pixsent_tf.errors import ConfigError, WeightsError
from pixsent_tf.recipes.backbones import FROZEN
from pixsent_tf.recipes.finetuning import FIVE
from pixsent_tf.recipes.initialization import SCRATCH, STARTS
from pixsent_tf.studies.paper.plan import PAPER_TABLES, Plan


def test_the_whole_protocol_has_nothing_to_confess():
    plan = Plan("data")

    assert plan.notes == []
    assert plan.is_whole
    assert plan.tables == PAPER_TABLES


@pytest.mark.parametrize(
    ("shortcut", "words"),
    [
        ({"random_start": True}, "Every network started at random"),
        ({"max_steps": 6}, "stopped after 6 steps"),
        ({"example_fraction": 0.25}, "Only 25% of the pictures"),
        ({"folds": (1, 3)}, "Only these of the 5 folds were tested: 1, 3"),
    ],
)
def test_every_shortcut_is_said(shortcut, words):
    assert any(words in note for note in Plan("data", **shortcut).notes)


def test_a_smoke_run_calls_itself_one():
    plan = Plan("data").quick()

    assert plan.notes[0].startswith("Smoke run")
    assert not plan.is_whole
    assert plan.adapt(FIVE).model.backbone == "caffenet@67"


def test_a_smoke_run_keeps_every_branch_of_a_joined_backbone():
    joined = "efficientnet_lite0@320+efficientnet_lite0+keras:MobileNetV2@96"
    row = replace(FROZEN[0], model=replace(FROZEN[0].model, backbone=joined))

    small = Plan("data").quick().adapt(row).model.branches

    lite, mobile = "efficientnet_lite0", "keras:MobileNetV2"
    assert [branch.name for branch in small] == [lite, lite, mobile]
    assert [branch.size for branch in small] == [67, 68, 69]


def test_steps_of_a_head_cannot_be_stopped_early():
    assert Plan("data", max_steps=6).adapt(FROZEN[0]).training == FROZEN[0].training


def test_the_weights_of_a_start_are_found_by_its_name(tmp_path):
    (tmp_path / "mvso_en.npz").touch()
    mvso_en = next(row for row in STARTS if row.model.weights == "mvso_en")

    adapted = Plan("data", weights_dir=tmp_path).adapt(mvso_en)

    assert adapted.model.weights == str(tmp_path / "mvso_en.npz")
    assert adapted.data.source == "data"


def test_the_released_file_name_of_caffenet_is_known(tmp_path):
    path = tmp_path / "bvlc_reference_caffenet.caffemodel"
    path.touch()

    assert Plan("data", weights_dir=tmp_path).adapt(FIVE).model.weights == str(path)


def test_missing_weights_are_never_replaced(tmp_path):
    (tmp_path / "places.npz").touch()

    with pytest.raises(WeightsError, match=r"missing; put caffenet\.caffemodel"):
        Plan("data", weights_dir=tmp_path).adapt(FIVE)


def test_a_row_from_scratch_needs_no_file():
    assert Plan("data").adapt(SCRATCH).model.weights is None


def test_imagenet_weights_come_with_the_backbone():
    assert Plan("data").adapt(FROZEN[0]).model.weights == "imagenet"


def test_shortcuts_change_what_they_name_and_nothing_else():
    plan = Plan("data", max_steps=6, random_start=True)

    adapted = plan.adapt(FIVE, seed=2)

    assert (adapted.training.max_steps, adapted.seed) == (6, 2)
    assert adapted.model.weights is None
    assert adapted.training.learning_rate == FIVE.training.learning_rate


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tables": ("7",)}, r"tables\[0\]='7' is none of 2, 3"),
        ({"folds": (0, 1)}, r"folds\[0\]=0 is no whole number from 1 to 5"),
        ({"folds": ()}, "needs a table to make and a fold to test"),
        ({"example_fraction": 0.0}, "example_fraction=0.0 is no number above 0"),
        ({"max_steps": -1}, "max_steps=-1 is no whole number of 0 or more"),
        ({"is_quick": "x"}, "is_quick='x' is neither true nor false"),
        ({"num_repeats": 0}, "num_repeats=0 is no whole number of 1 or more"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        Plan("data", **settings)


@pytest.mark.parametrize(
    ("patterns", "wanted"),
    [
        ((), True),
        (("*-five",), True),
        (("fc*", "caffenet-five"), True),
        (("fc*",), False),
    ],
)
def test_rows_are_asked_for_by_patterns(patterns, wanted):
    assert Plan("smileys", only=patterns).wants("caffenet-five") is wanted
