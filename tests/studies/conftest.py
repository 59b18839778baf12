"""A backbone whose features are known, so that studies take no time."""

from __future__ import annotations

import keras
import pytest

from pixsent_tf.config import ModelConfig, PreprocessConfig, Recipe
from pixsent_tf.models import zoo

OPERATIONS = 8 * 8 + 3 + 10  # terms of an answer: places, colors, ten crops


def _build_mean_color(weights, input_size, seed):
    crops = keras.Input((8, 8, 3), name="crops")
    pooled = keras.layers.GlobalAveragePooling2D(name="features")(crops)
    return keras.Model(crops, pooled, name="mean_color")


@pytest.fixture
def mean_color(monkeypatch) -> Recipe:
    """A recipe of the default strategy on the mean color of a picture."""
    entry = zoo.BackboneEntry(_build_mean_color, PreprocessConfig(10, 8))
    monkeypatch.setitem(zoo.BACKBONES, "mean_color", entry)
    return Recipe(model=ModelConfig("mean_color"))
