"""Scales, and what does not go together with ratings."""

from __future__ import annotations

import math

import pytest

from pixsent_tf.config import DataConfig, Recipe, override
from pixsent_tf.config.scales import logistic_scale, read_scale, spread_of
from pixsent_tf.errors import ConfigError


@pytest.mark.parametrize("text", ["1", "7:1", "1:1", "a:b", "1:inf", "1:2:3", ""])
def test_what_is_no_scale_is_refused(text):
    with pytest.raises(ConfigError, match="is no scale; write the lowest"):
        read_scale(text)


def test_a_scale_without_ratings_does_nothing():
    with pytest.raises(ConfigError, match=r"\(--scale\) does nothing with target"):
        DataConfig(scale="1:7")


@pytest.mark.parametrize(
    "idle",
    [
        {"labels": "votes"},
        {"balance": "classes"},
        {"threshold": 0.0},
        {"level": "five_agrees"},
        {"join_weight": 0.5},
        {"more_sources": ("others",)},
    ],
)
def test_what_is_for_classes_is_refused_beside_a_target(idle):
    with pytest.raises(ConfigError, match="is for classes, and --target asks"):
        DataConfig("ratings.csv", target=("valence",), **idle)


def test_a_target_is_named_once():
    with pytest.raises(ConfigError, match="names 'valence' twice"):
        DataConfig(target=("valence", "valence"))


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("training.ensemble_size", 2, "ensemble_size averages logits, and does noth"),
        ("training.blend_head", True, "blend_head averages logits, and does nothing"),
        ("training.label_smoothing", 0.1, "label_smoothing is about classes, and"),
        ("model.surgery", "fc8-2", "surgery is about units of classes, and does"),
        ("training.calibration_folds", 0, "=0 leaves ratings without intervals; use 1"),
    ],
)
def test_what_does_nothing_for_ratings_is_refused(setting, value, message):
    with pytest.raises(ConfigError, match=message):
        override(
            Recipe(),
            {"data.target": "valence", "training.strategy": "all", setting: value},
        )


def test_a_loss_of_ratings_does_nothing_for_classes():
    with pytest.raises(ConfigError, match="rating_loss does nothing with classes"):
        override(
            Recipe(), {"training.strategy": "all", "training.rating_loss": "huber"}
        )


def test_the_logistic_distribution_holds_nine_tenths_within_the_interval():
    scale = logistic_scale(2.0)

    def below(x):
        return 1 / (1 + math.exp(-x / scale))

    assert below(2.0) - below(-2.0) == pytest.approx(0.9)


def test_the_normal_distribution_holds_nine_tenths_within_the_interval():
    spread = spread_of(2.0)

    assert math.erf(2.0 / spread / math.sqrt(2)) == pytest.approx(0.9, abs=1e-6)
    assert spread_of(0.0) == logistic_scale(0.0) == 1e-3  # never no spread at all


def test_a_scale_is_two_numbers_the_lower_first():
    assert read_scale("-3:2.5") == (-3.0, 2.5)
