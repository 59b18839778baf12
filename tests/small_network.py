"""A backbone of one convolution: whole commands, no time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import pytest

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.models import zoo
from pixsent_tf.models.seeding import seeded

SMALL = ("--backbone", "small")


def build_small(weights: Any, input_size: Any, seed: int) -> keras.Model:
    """Sixteen features of crops of 12 pixels."""
    crops = keras.Input((12, 12, 3), name="crops")
    with seeded(seed):
        maps = keras.layers.Conv2D(16, 3, activation="relu")(crops)
    return keras.Model(
        crops, keras.layers.GlobalAveragePooling2D(name="features")(maps)
    )


@pytest.fixture(scope="session")
def small() -> Iterator[None]:
    """Put it into the zoo."""
    entry = zoo.BackboneEntry(build_small, PreprocessConfig(16, 12))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(zoo.BACKBONES, "small", entry)
        yield
