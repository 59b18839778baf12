"""A network so small that training it takes no time, and pictures it can tell apart."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import ModelConfig, PreprocessConfig, Recipe, TrainingConfig
from pixsent_tf.models import zoo
from pixsent_tf.models.seeding import seeded

COUNT = 24
# Terms that an answer sums: two convolutions, moments, 3 x 3 places, a head, ten crops.
OPERATIONS = 27 + 36 + 4 + 9 + 6 + 10


def build_tiny(weights, input_size, seed):
    """Two convolutions with normalization between them, 6 features."""
    with seeded(seed):
        return _build_tiny()


def _build_tiny():
    crops = keras.Input((12, 12, 3), name="crops")
    x = keras.layers.Rescaling(1 / 128, offset=-1, name="normalize")(crops)
    x = keras.layers.Conv2D(4, 3, strides=2, name="conv1")(x)
    x = keras.layers.BatchNormalization(name="conv1_bn")(x)
    x = keras.layers.ReLU(name="relu1")(x)
    x = keras.layers.Conv2D(6, 3, activation="relu", name="conv2")(x)
    return keras.Model(
        crops, keras.layers.GlobalAveragePooling2D(name="pool")(x), name="tiny"
    )


@pytest.fixture(autouse=True)
def tiny_backbone(monkeypatch):
    """Put the network into the zoo, as `tiny`."""
    entry = zoo.BackboneEntry(
        build_tiny, PreprocessConfig(canvas_size=16, crop_size=12)
    )
    monkeypatch.setitem(zoo.BACKBONES, "tiny", entry)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Dark and bright noise, by turns."""
    folder = tmp_path_factory.mktemp("dark_and_bright")
    generator = np.random.default_rng(0)
    paths = []
    for number in range(COUNT):
        level = 170 if number % 2 else 20
        pixels = generator.integers(level, level + 60, (16, 16, 3)).astype("uint8")
        paths.append(str(folder / f"{number:02}.jpg"))
        Image.fromarray(pixels).save(paths[-1], quality=95)
    return paths


@pytest.fixture
def targets():
    """Which of them is bright."""
    return np.eye(2, dtype="float32")[np.arange(COUNT) % 2]


@pytest.fixture
def recipe_of():
    """Make a recipe for the tiny network."""

    def build(strategy="all", *, seed=0, ten_crop=False, dropout=0.0, **settings):
        if strategy != "head":
            short = {"epochs": 2, "batch_size": 8, "learning_rate": 0.01}
            settings = short | {"calibration_folds": 0} | settings
        recipe = Recipe(
            model=ModelConfig(backbone="tiny", weights=None, dropout=dropout),
            training=TrainingConfig(strategy=strategy, **settings),
            seed=seed,
        )
        if ten_crop:
            from dataclasses import replace

            recipe = replace(
                recipe, evaluation=replace(recipe.evaluation, ten_crop=True)
            )
        return recipe

    return build
