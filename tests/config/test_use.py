"""What would do nothing is refused, with what would let it do something."""

from __future__ import annotations

import pytest

from pixsent_tf.config import Recipe, override, with_strategy
from pixsent_tf.config.changes import setting_names
from pixsent_tf.config.use import FLAGS, USES, With
from pixsent_tf.errors import ConfigError


def test_the_refusal_names_the_option_and_the_strategies():
    with pytest.raises(ConfigError) as caught:
        override(Recipe(), {"training.epochs": 3})

    assert str(caught.value) == (
        "training.epochs (--epochs) does nothing with strategy head; use --strategy "
        "last-blocks, all or lp-ft."
    )


def test_a_setting_of_one_strategy_names_that_one():
    with pytest.raises(
        ConfigError, match=r"strategy all; use --strategy last-blocks\.$"
    ):
        override(
            Recipe(), {"training.strategy": "all", "training.trained_fraction": 0.5}
        )


def test_the_table_holds_every_setting_and_no_other():
    assert sorted(USES) == sorted(setting_names())
    assert set(FLAGS) <= set(USES)
    needed = {one.setting for one in USES.values() if isinstance(one, With)}
    assert needed <= set(USES)


def test_settings_are_changed_all_at_once_in_any_order():
    first = {"training.epochs": 3, "training.strategy": "all"}

    recipe = override(Recipe(), first)

    assert recipe == override(Recipe(), dict(reversed(first.items())))
    assert override(recipe, {"training.strategy": "head", "training.epochs": 10}) == (
        Recipe()
    )


def test_a_new_strategy_takes_back_what_it_does_not_use():
    recipe = override(
        Recipe(seed=3),
        {
            "training.strategy": "all",
            "training.optimizer": "caffe_sgd",
            "training.momentum": 0.5,
            "training.head_multiplier": 2.0,
            "model.dropout": 0.5,
            "training.ensemble_size": 2,
        },
    )

    second = with_strategy(recipe, "lp-ft")
    assert second.training.head_multiplier == 10
    assert (second.training.momentum, second.model.dropout) == (0.5, 0.5)
    kept = {"training.ensemble_size": 2, "seed": 3}
    assert with_strategy(recipe, "head") == override(Recipe(), kept)


def test_a_strategy_that_does_not_exist_is_refused():
    with pytest.raises(
        ConfigError, match=r"training\.strategy='magic' is none of head"
    ):
        with_strategy(Recipe(), "magic")
