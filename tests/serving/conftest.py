"""A model small enough to export in every test, and pictures for it."""

from __future__ import annotations

import io

import keras
import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import DataConfig, PreprocessConfig, Recipe
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.predictions import Predictions
from pixsent_tf.runs import Run
from pixsent_tf.serving.saved_model import export_saved_model

# Terms that an answer sums: a convolution, 14 x 14 places, a head, ten crops.
OPERATIONS = 27 + 14 * 14 + 8 + 10


@pytest.fixture(scope="session")
def tiny_model() -> SentimentModel:
    """One convolution on crops of 16 pixels, with weights that tell colors apart."""
    crops = keras.Input((16, 16, 3), name="crops")
    scaled = keras.layers.Rescaling(1 / 255)(crops)
    initializer = keras.initializers.RandomNormal(stddev=0.3, seed=0)
    conv = keras.layers.Conv2D(
        8, 3, activation="relu", kernel_initializer=initializer, name="conv"
    )(scaled)
    features = keras.layers.GlobalAveragePooling2D()(conv)
    logits = keras.layers.Dense(
        2,
        kernel_initializer=keras.initializers.RandomNormal(stddev=2.0, seed=1),
        name="logits",
    )(features)
    classifier = keras.Model(crops, logits, name="classifier")
    return SentimentModel.build(
        classifier, PreprocessConfig(20, 16), ("negative", "positive"), temperature=1.5
    )


@pytest.fixture(scope="session")
def tiny_export(tiny_model, tmp_path_factory):
    """The tiny model as a SavedModel."""
    return export_saved_model(tiny_model, tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def images() -> list[np.ndarray]:
    """Seven noisy color gradients of different sizes, uint8 [H, W, 3]."""
    generator = np.random.default_rng(0)
    pictures = []
    for _ in range(7):
        height, width = generator.integers(24, 60, 2)
        ends = generator.integers(0, 256, (2, 3))
        ramp = np.linspace(0, 1, width)[None, :, None]
        pixels = ends[0] * (1 - ramp) + ends[1] * ramp
        pixels = pixels + generator.normal(0, 10, (height, width, 3))
        pictures.append(pixels.clip(0, 255).astype("uint8"))
    return pictures


@pytest.fixture(scope="session")
def pngs(images) -> list[bytes]:
    """The same as files."""
    return [to_file(image) for image in images]


def to_file(image: np.ndarray, form: str = "PNG", **settings) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, form, **settings)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def tiny_run(tiny_model, colored_folder, tmp_path_factory) -> Run:
    """A run that tested on every third picture of the colored folder."""
    run = Run.create(tmp_path_factory.mktemp("runs") / "tiny")
    recipe = Recipe(name="tiny", data=DataConfig(source=str(colored_folder)))
    run.write_recipe(recipe)
    names = [
        f"{label}/{number:02}.png"
        for label in ("negative", "positive")
        for number in range(0, 12, 3)
    ]
    Predictions(
        name="tiny",
        ids=tuple(names),
        probs=np.full((len(names), 2), 0.5),
        class_names=("negative", "positive"),
        folds=np.ones(len(names), dtype="int32"),
    ).write(run)
    tiny_model.save(run.model_path)
    return run
