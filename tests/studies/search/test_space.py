"""The search space: names of settings, and only those that a strategy has."""

from __future__ import annotations

import pytest

from pixsent_tf.config import Recipe
from pixsent_tf.config.changes import setting_names
from pixsent_tf.errors import ConfigError
from pixsent_tf.studies.search.settings import SearchConfig, trial_recipe
from pixsent_tf.studies.search.space import (
    active_settings,
    build_space,
    head_recipes,
    refuse_searched,
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
    *("training.label_smoothing", "training.ema"),
}


@pytest.mark.parametrize(
    ("strategy", "own"),
    [
        ("head", {"training.inverse_penalty", "model.texture"}),
        (
            "last-blocks",
            {*TUNED, "training.trained_fraction", "training.head_first"},
        ),
        ("all", TUNED),
    ],
)
def test_a_strategy_is_searched_over_its_own_settings(strategy, own):
    assert names_for(strategy) == SHARED | own


def test_every_name_is_a_setting_of_a_recipe():
    space = build_space(ALL, has_agreement=True)

    assert {entry.name for entry in space.space} <= set(setting_names())


@pytest.mark.parametrize("strategy", ["head", "last-blocks", "all"])
def test_what_is_drawn_for_a_strategy_is_what_it_uses(strategy):
    space = build_space(ALL, has_agreement=True)
    space.values["training.strategy"] = strategy
    space.ensure_active_values()

    recipe = trial_recipe(Recipe(), active_settings(space))

    assert recipe.training.strategy == strategy


def test_what_the_search_draws_cannot_be_set():
    with pytest.raises(ConfigError, match=r"--set model\.backbone does nothing in"):
        refuse_searched(SearchConfig(), ["seed", "model.backbone"])
    refuse_searched(SearchConfig(), ["training.learning_rate"])


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


def test_an_unknown_backbone_is_refused_before_anything_is_read():
    with pytest.raises(ConfigError, match="Unknown backbone 'lenet'"):
        build_space(SearchConfig(backbones=("lenet",)))
