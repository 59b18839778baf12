"""Keras as its guides use it: tf.data, a resize without antialiasing, `predict`."""

from __future__ import annotations

from typing import Any

import clock
import numpy as np
import tensorflow as tf
from clock import BATCH, CANVAS, SIDE, Work

EDGE = (CANVAS - SIDE) // 2


def _build() -> Any:
    from pixsent_tf.config import ModelConfig
    from pixsent_tf.models import zoo

    return zoo.build_backbone(ModelConfig())


def network(work: Work) -> float:
    """Images a second."""
    crops = np.random.default_rng(0).integers(0, 256, (BATCH, SIDE, SIDE, 3), "uint8")
    backbone = _build()
    return clock.rate(lambda: backbone.predict_on_batch(crops), BATCH)


def files(work: Work) -> float:
    """Files a second, from JPEG to features."""
    backbone = _build()

    def load(path: tf.Tensor) -> tf.Tensor:
        image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        image = tf.image.resize(image, (CANVAS, CANVAS))
        return image[EDGE : EDGE + SIDE, EDGE : EDGE + SIDE]

    def run(some: list[str]) -> int:
        paths = tf.data.Dataset.from_tensor_slices(some)
        crops = paths.map(load, tf.data.AUTOTUNE).batch(BATCH).prefetch(2)
        return len(backbone.predict(crops, verbose=0))

    return clock.files_rate(run, work)


if __name__ == "__main__":
    clock.answer({"network": network, "files": files})
