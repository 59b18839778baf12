"""The search space: names of settings, and only those that a strategy has."""

from __future__ import annotations

import pytest

from pixsent_tf.config import Recipe
from pixsent_tf.config.changes import setting_names
from pixsent_tf.errors import ConfigError
from pixsent_tf.studies.search.space import (
    SearchConfig,
    active_settings,
    build_space,
    head_recipes,
)

ALL = SearchConfig(strategies=("head", "last-blocks", "all"))


def names_for(strategy):
    space = build_space(ALL, has_agreement=True)
    space.values["training.strategy"] = strategy
    space.ensure_active_values()
    return set(active_settings(space))


SHARED = {"model.backbone", "training.strategy", "data.example_weights"}
TUNED = {
    *("training.learning_rate", "training.weight_decay", "model.dropout"),
    *("training.min_area_fraction", "training.mixup"),
}


@pytest.mark.parametrize(
    ("strategy", "own"),
    [
        ("head", {"training.inverse_penalty", "model.texture"}),
        ("last-blocks", {*TUNED, "training.trained_fraction"}),
        ("all", TUNED),
    ],
)
def test_a_strategy_is_searched_over_its_own_settings(strategy, own):
    assert names_for(strategy) == SHARED | own


def test_every_name_is_a_setting_of_a_recipe():
    space = build_space(ALL, has_agreement=True)

    assert {entry.name for entry in space.space} <= set(setting_names())


def test_weights_are_searched_only_where_annotators_disagree():
    assert "data.example_weights" not in active_settings(build_space(SearchConfig()))


def test_what_keras_tuner_adds_is_no_setting():
    space = build_space(SearchConfig())
    space.Fixed("tuner/epochs", 3)

    assert "tuner/epochs" not in active_settings(space)


def test_each_network_that_a_head_may_need_is_named_once():
    config = SearchConfig(backbones=("efficientnet_lite0", "keras:MobileNetV2"))

    found = [recipe.model for recipe in head_recipes(config, Recipe())]

    # The second has no texture to add, so neither is asked for it.
    assert [(model.backbone, model.texture) for model in found] == [
        ("efficientnet_lite0", Recipe().model.texture),
        ("keras:MobileNetV2", Recipe().model.texture),
    ]
    assert head_recipes(SearchConfig(strategies=("all",)), Recipe()) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tuner": "grid"}, "tuner='grid' is none of random"),
        ({"tuner": "hyperband", "trials": 3}, "Hyperband counts its own trials"),
        ({"trials": 0}, "trials=0 is no whole number of 1 or more"),
        ({"strategies": ("magic",)}, "='magic' is none of head"),
        ({"backbones": ()}, "needs a backbone and a strategy"),
        ({"num_inner_folds": 6}, "num_inner_folds=6 is no whole number from 1 to 5"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        SearchConfig(**settings)


def test_an_unknown_backbone_is_refused_before_anything_is_read():
    with pytest.raises(ConfigError, match="Unknown backbone 'lenet'"):
        build_space(SearchConfig(backbones=("lenet",)))


def test_heads_are_scored_on_all_inner_folds_and_networks_on_one():
    assert SearchConfig().scored_folds == 5
    assert ALL.scored_folds == 1
    assert SearchConfig(num_inner_folds=2).scored_folds == 2
