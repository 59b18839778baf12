"""Features of labelled pictures that are drawn, two of which could not be read."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.lists.rated import Ratings
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ImageError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models.zoo import HEAD, attach_head
from pixsent_tf.studies.adapting.looked import Came, Looked
from pixsent_tf.training.adapting import Standard

COUNT, BROKEN = 34, (0, 15)
READ = np.array([i for i in range(COUNT) if i not in BROKEN])
GEOMETRY = PreprocessConfig(10, 8)
KERNEL = np.array([[1.5, -0.5], [0.25, 2.0], [0.0, -1.0]], dtype="float32")
BIAS = np.array([0.75, -0.25], dtype="float32")
UNITS = np.concatenate([np.arange(COUNT - 4), np.arange(COUNT - 4, COUNT - 2), [5, 9]])


def network() -> keras.Model:
    """The mean color, and a head on it that is known."""
    crops = keras.Input((8, 8, 3), name="crops")
    pooled = keras.layers.GlobalAveragePooling2D(name="features")(crops)
    model = attach_head(keras.Model(crops, pooled, name="mean_color"), 2)
    model.get_layer(HEAD).set_weights([KERNEL, BIAS])
    return model


def features() -> np.ndarray:
    """Three features of each picture; zero where none was read."""
    found = np.random.default_rng(3).normal(0, 1, (COUNT, 3)).astype("float32")
    found[list(BROKEN)] = 0
    return found


@dataclass(frozen=True)
class Dealt(Looked):
    """Pictures in three folds that do not hang on their labels, of unequal size."""

    def deal(self) -> np.ndarray:
        """Number of each one's fold; copies are in that of the others."""
        folds = (1 + UNITS**2 % 7 % 3).astype("int32")
        folds[list(BROKEN)] = 0
        return folds


def look(
    model: SentimentModel, labels: np.ndarray, ratings: Ratings | None = None
) -> Dealt:
    """Put a model before the pictures.

    Args:
        model: Answers by the head that is known.
        labels: Class of each picture, or range of its rating.
        ratings: What raters said, if anything.

    Returns:
        What it sees, in a collection that has another mean and other deviations.
    """
    others = np.random.default_rng(4).normal([1, -2, 0.5], [2, 1, 3], (50, 3))
    dataset = Dataset(
        name="mine",
        ids=tuple(f"n{i}" for i in range(COUNT)),
        paths=tuple(f"{i}.jpg" for i in range(COUNT)),
        labels=labels.astype("int32"),
        class_names=("positive", "negative"),
        ratings=ratings,
    )
    dataset = dataset.grouped([f"g{unit // 6}" for unit in UNITS])
    errors = {i: ImageError(f"{i}.jpg is empty.", "empty") for i in BROKEN}
    standard = Standard.of(others.astype("float32"))
    return Dealt(model, dataset, features(), errors, standard, UNITS, 7)


def judged() -> list[int]:
    """How many pictures that could be read each of the folds judges."""
    return np.bincount(1 + UNITS[READ] ** 2 % 7 % 3)[1:].tolist()


def check_candidates(came: Came, loss: str) -> None:
    """Hold what is told of each candidate against what was measured of it."""
    told = came.told["candidates"]
    assert [one["name"] for one in told] == ["as-is", "scale", "head"]
    for one, measured in zip(told, came.losses, strict=True):
        assert one[loss] == measured.loss
        assert one["gain_over_head"] == measured.gain
        assert one["gain_error"] == measured.gain_error
