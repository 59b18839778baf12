"""Recipes: override by name, and to JSON and back."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pixsent_tf.config import DataConfig, Recipe, TrainingConfig
from pixsent_tf.config.changes import (
    from_json,
    kind_of_setting,
    override,
    setting_names,
    to_json,
)
from pixsent_tf.errors import ConfigError


def test_a_dotted_name_changes_one_setting_and_no_other():
    changed = override(Recipe(), {"data.num_folds": 3})

    assert changed.data.num_folds == 3
    assert override(changed, {"data.num_folds": 5}) == Recipe()


def test_a_part_is_changed_before_its_settings():
    changes = {"data": DataConfig("pictures", num_folds=3), "data.source": "others"}

    assert override(Recipe(), changes).data == DataConfig("others", num_folds=3)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("training.epoch", "training.epochs"),
        ("epochs", "training.epochs"),
        ("trainig.epochs", "training.epochs"),
        ("model.epochs", "training.epochs"),
        ("sead", "seed"),
    ],
)
def test_an_unknown_setting_is_told_the_nearest(name, meant):
    message = f"No setting '{name}'; the nearest is '{meant}'"

    with pytest.raises(ConfigError, match=message):
        override(Recipe(), {name: 3})


@pytest.mark.parametrize("name", ["seed.value", "", ".", "training.epochs.first"])
def test_a_name_of_nothing_is_refused(name):
    with pytest.raises(ConfigError, match=f"No setting '{name}'"):
        override(Recipe(), {name: "3"})


def test_json_brings_back_an_equal_recipe():
    recipe = Recipe(
        name="mine", training=TrainingConfig(strategy="all"), expected=(("five", 0.8),)
    )

    assert from_json(to_json(recipe)) == recipe


def test_a_default_of_another_day_that_does_nothing_is_todays():
    written = json.loads(to_json(Recipe()))
    assert written["training"]["strategy"] == "head"
    written["training"].update(epochs=77, trained_fraction=0.77)
    del written["training"]["num_views"]  # which was added later

    assert from_json(json.dumps(written)) == Recipe()

    written["training"]["strategy"] = "last-blocks"
    training = from_json(json.dumps(written)).training
    assert (training.epochs, training.trained_fraction) == (77, 0.77)


def test_what_does_nothing_in_a_recipe_of_a_few_words_is_refused():
    with pytest.raises(ConfigError, match=r"epochs .--epochs. does nothing"):
        from_json('{"training": {"epochs": 77}}')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[1]", "is a JSON object"),
        ('{"sead": 1}', "No setting 'sead'; the nearest is 'seed'"),
        ('{"data": {"surce": 1}}', r"No setting 'data\.surce'; .* 'data\.source'"),
        ('{"seed": {}}', "seed={} is no whole number"),
        ('{"training": {"epochs": "3"}}', "training.epochs='3' is no whole number"),
        ('{"training": {"learning_rate": NaN}}', "learning_rate=nan is no number"),
        ('{"model": {"mirror": "true"}}', "mirror='true' is neither true nor false"),
        ('{"expected": {"center": 1}}', "expected={'center': 1} is no list"),
        ('{"expected": [["center"]]}', r"expected\[0\]=\['center'\] is no list of 2"),
    ],
)
def test_json_that_is_no_recipe_is_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        from_json(text)


def test_the_names_are_those_of_the_fields_in_order():
    names = setting_names()

    assert names[:3] == ("name", "data.source", "data.level")
    assert kind_of_setting("training.epochs").type is int


def test_config_and_recipes_load_neither_tensorflow_nor_numpy():
    code = (
        "import sys, pixsent_tf.config, pixsent_tf.recipes;"
        "sys.exit(bool({'tensorflow', 'numpy', 'keras'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
