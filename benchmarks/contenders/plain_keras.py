"""Keras as its guides use it: tf.data, a resize without antialiasing, `predict`."""

from __future__ import annotations

from typing import Any

import clock
import keras
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


def train_lite0(work: Work) -> float:
    """Images a second of training the default network, but for its normalization."""
    model = _classifier()
    for layer in model.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    return _train_lite0(model)


def train_lite0_statistics(work: Work) -> float:
    """The same with the normalization, as Keras trains a network by itself."""
    model = _classifier()
    model.trainable = True
    return _train_lite0(model)


def _classifier() -> Any:
    backbone = _build()
    return keras.Model(backbone.input, keras.layers.Dense(2)(backbone.output))


def _train_lite0(model: Any) -> float:
    return _train(model, keras.optimizers.AdamW(1e-4, weight_decay=5e-4), SIDE)


def train_caffenet(work: Work) -> float:
    """Images a second of training CaffeNet, all layers at one rate."""
    from pixsent_tf.models.caffenet import build_caffenet

    return _train(build_caffenet(num_classes=2), keras.optimizers.SGD(1e-3, 0.9), 227)


def _train(model: Any, optimizer: Any, side: int) -> float:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, jit_compile=False)  # with XLA, a CPU takes long
    drawn = np.random.default_rng(0).integers(0, 256, (BATCH, side, side, 3))
    images, labels = tf.constant(drawn, tf.float32), tf.range(BATCH) % 2
    return clock.rate(lambda: model.train_on_batch(images, labels), BATCH)


if __name__ == "__main__":
    clock.answer(
        {
            "network": network,
            "files": files,
            "train-lite0": train_lite0,
            "train-lite0-statistics": train_lite0_statistics,
            "train-caffenet": train_caffenet,
        }
    )
