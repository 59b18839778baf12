"""The recipes to start from."""

from __future__ import annotations

import pytest

from pixsent_tf.config import Recipe
from pixsent_tf.errors import ConfigError
from pixsent_tf.models import zoo
from pixsent_tf.recipes import RECIPES, find_recipe


def test_the_default_recipe_states_nothing_of_its_own():
    assert find_recipe("default") == Recipe()


def test_every_recipe_names_a_backbone_of_the_zoo():
    for recipe in RECIPES.values():
        assert zoo.preprocess_of(recipe.model).crop_size > 0


def test_the_best_recipe_sees_the_whole_picture():
    config = zoo.preprocess_of(find_recipe("best").model)

    assert config.canvas_size == config.crop_size == 380


def test_an_unknown_recipe_is_refused_with_those_that_there_are():
    with pytest.raises(ConfigError, match="Unknown recipe 'bst'; there are default, b"):
        find_recipe("bst")


def test_the_fine_tuned_recipe_trains_one_network_past_what_is_kept():
    recipe = find_recipe("finetuned")

    assert len(recipe.model.branches) == 1
    assert recipe.training.strategy == "last-blocks"
    assert (recipe.training.trained_fraction, recipe.training.epochs) == (0.1, 8)
    assert recipe.training.num_views > 0
    assert recipe.training.calibration_folds > 0


def test_the_recipes_of_the_shipped_models_say_what_the_cards_say():
    shipped, best = find_recipe("shipped"), find_recipe("shipped-best")

    assert shipped.data.example_weights == "agreement"
    assert shipped.data.balance == "both"
    assert shipped.training.inverse_penalty == 3
    assert shipped.model.backbone == "efficientnet_lite0@288"
    assert zoo.preprocess_of(shipped.model).canvas_size == 288  # nothing is cut off
    assert (best.data, best.training) == (shipped.data, shipped.training)
    assert best.model == find_recipe("best").model
    assert best.model.texture
    assert [branch.size for branch in best.model.branches] == [320, 320, 380]
