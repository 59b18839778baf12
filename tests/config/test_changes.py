"""Recipes: override by name, and to JSON and back."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pixsent_tf.config import (
    PreprocessConfig,
    Recipe,
    TrainingConfig,
    from_json,
    override,
    to_json,
)
from pixsent_tf.errors import ConfigError


def test_a_dotted_name_changes_one_setting_and_no_other():
    start = Recipe(training=TrainingConfig(strategy="all"))
    changed = override(start, {"training.epochs": 3})

    assert changed.training.epochs == 3
    assert override(changed, {"training.epochs": 10}) == start


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("training.epochs", "7", 7),
        ("training.learning_rate", "1e-3", 0.001),
        ("training.crop", "false", False),
        ("model.weights", "None", None),
        ("training.schedule", "step", "step"),
        ("seed", "5", 5),
    ],
)
def test_text_is_read_as_the_type_of_the_setting(name, text, value):
    part = override(Recipe(training=TrainingConfig(strategy="all")), {name: text})
    for step in name.split("."):
        part = getattr(part, step)

    assert part == value
    assert type(part) is type(value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("training.epoch", "3", "No setting 'training.epoch'"),
        ("seed.value", "3", "No setting 'seed.value'"),
        ("training.epochs", "many", "epochs='many' is no whole number of 1 or more"),
        ("training.crop", "yes", "crop='yes' is neither true nor false"),
        ("training.schedule", "linear", "none of constant, step, cosine"),
        ("training.strategy", "magic", "strategy='magic' is none of head, last-blocks"),
    ],
)
def test_a_wrong_setting_is_named(name, value, message):
    with pytest.raises(ConfigError, match=message):
        override(Recipe(), {name: value})


def test_json_brings_back_an_equal_recipe():
    recipe = Recipe(
        name="mine", training=TrainingConfig(strategy="all"), expected=(("five", 0.8),)
    )

    assert from_json(to_json(recipe)) == recipe


@pytest.mark.parametrize("text", ["{", "[1]", '{"sead": 1}'])
def test_json_that_is_no_recipe_is_refused(text):
    with pytest.raises(ConfigError):
        from_json(text)


def test_a_crop_larger_than_its_canvas_is_refused():
    with pytest.raises(ConfigError, match="crop_size=300"):
        PreprocessConfig(canvas_size=256, crop_size=300)


def test_config_and_recipes_load_neither_tensorflow_nor_numpy():
    code = (
        "import sys, pixsent_tf.config, pixsent_tf.recipes;"
        "sys.exit(bool({'tensorflow', 'numpy', 'keras'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_penalty_of_zero_is_refused():
    with pytest.raises(ConfigError, match=r"inverse_penalty=0\.0 is no number above 0"):
        override(Recipe(), {"training.inverse_penalty": 0.0})
