"""What is searched is checked; what no trial would use is refused."""

from __future__ import annotations

import pytest

from pixsent_tf.config import Recipe, override
from pixsent_tf.errors import ConfigError
from pixsent_tf.studies.search.settings import (
    SearchConfig,
    refuse_unsearched,
    trial_recipe,
)

ALL = SearchConfig(strategies=("head", "last-blocks", "all"))
START = override(
    Recipe(), {"training.strategy": "all", "training.epochs": 3, "seed": 5}
)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tuner": "grid"}, "tuner='grid' is none of random, hyperband, bayesian"),
        ({"tuner": "hyperband", "trials": 3}, "Hyperband counts its own trials"),
        ({"trials": 0}, "trials=0 is no whole number of 1 or more"),
        ({"trials": 1.5}, "trials=1.5 is no whole number"),
        ({"strategies": ("magic",)}, r"strategies\[0\]='magic' is none of head, last"),
        ({"backbones": ("a@b",)}, "Backbone 'a@b' is not of the form NAME"),
        ({"nested": 1}, "nested=1 is neither true nor false"),
        ({"backbones": ()}, "needs a backbone and a strategy"),
        ({"num_inner_folds": 6}, "num_inner_folds=6 is no whole number from 1 to 5"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        SearchConfig(**settings)


def test_a_trial_of_another_strategy_takes_back_what_it_does_not_use():
    found = trial_recipe(
        START, {"training.strategy": "head", "training.inverse_penalty": 3.0}
    )

    expected = {"training.inverse_penalty": 3.0, "seed": 5}
    assert found == override(Recipe(), expected)
    assert trial_recipe(START, {"training.strategy": "lp-ft"}).training.epochs == 3


def test_a_start_that_no_strategy_uses_is_refused():
    refuse_unsearched(ALL, START)
    with pytest.raises(ConfigError, match=r"training\.epochs does nothing in a search"):
        refuse_unsearched(SearchConfig(), START)


def test_heads_are_scored_on_all_inner_folds_and_networks_on_one():
    assert SearchConfig().scored_folds == 5
    assert ALL.scored_folds == 1
    assert SearchConfig(num_inner_folds=2).scored_folds == 2


def test_a_search_tries_as_many_as_it_is_told_and_a_dozen_otherwise():
    assert SearchConfig().max_trials == 12
    assert SearchConfig(trials=3).max_trials == 3
    assert SearchConfig(tuner="hyperband").trials is None
