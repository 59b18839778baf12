"""Rows that stand in for Table 2 where a study, not a network, is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pixsent_tf.config import DataConfig, ModelConfig, PreprocessConfig, Recipe
from pixsent_tf.models import zoo
from pixsent_tf.recipes import finetuning
from tests.studies.conftest import _build_mean_color

FIVE = Recipe(
    name="dark-five",
    data=DataConfig(level="five_agrees"),
    model=ModelConfig("mean_color"),
    expected=(("center", 0.817), ("ten_crop", 0.830)),
)
THREE = Recipe(
    name="dark-three",
    data=DataConfig(level="three_agrees"),
    model=ModelConfig("mean_color"),
)
ROWS = (FIVE, THREE)


def register(setitem: Callable[[dict[str, Any], str, Any], object]) -> None:
    """Make the backbone known that the rows name.

    Args:
        setitem: Sets an entry of a dictionary, and may unset it later.
    """
    entry = zoo.BackboneEntry(_build_mean_color, PreprocessConfig(10, 8))
    setitem(zoo.BACKBONES, "mean_color", entry)


def use_small_rows() -> None:
    """Let this process's Table 2 be the small rows."""
    register(dict.__setitem__)
    finetuning.ROWS = ROWS
