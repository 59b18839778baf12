"""What do CaffeNet and AlexNet look like, from pixels to scores?

The two differ in one place: CaffeNet pools before it normalizes, AlexNet after. The
names are Caffe's. Caffe's ReLU works in place, so the activation that a name such as
`conv5` or `fc7` stands for is the one after the ReLU; so it is here.

Reference:
    Campos et al., "From Pixels to Sentiment", Image and Vision Computing 65, 2017,
    section 3; Krizhevsky et al., "ImageNet Classification with Deep Convolutional
    Neural Networks", NIPS 2012.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import keras

from pixsent_tf.errors import ConfigError
from pixsent_tf.models.layers import (
    CaffeInput,
    CeilMaxPooling2D,
    GroupedConv2D,
    LocalResponseNormalization,
)

CROP_SIZE = 227
ORDERS = ("caffenet", "alexnet")

_MIN_INPUT_SIZE = 67  # the smallest crop of which pool5 leaves one cell


@dataclass(frozen=True)
class Convolution:
    """One row of the table of convolutions.

    Attributes:
        filters: Number of output channels.
        kernel: Side of the kernel, in cells.
        stride: Step of the kernel, in cells.
        padding: As in Keras.
        groups: Number of parts that the channels fall into.
        bias: What the biases start from.
        pooled: Whether a 3x3 pooling of stride 2 follows.
        normalized: Whether a response normalization stands beside the pooling.
    """

    filters: int
    kernel: int
    stride: int = 1
    padding: Literal["valid", "same"] = "same"
    groups: int = 1
    bias: float = 0.0
    pooled: bool = False
    normalized: bool = False


CONVOLUTIONS = (
    Convolution(96, 11, stride=4, padding="valid", pooled=True, normalized=True),
    Convolution(256, 5, groups=2, bias=1.0, pooled=True, normalized=True),
    Convolution(384, 3),
    Convolution(384, 3, groups=2, bias=1.0),
    Convolution(256, 3, groups=2, bias=1.0, pooled=True),
)
DENSE_UNITS = 4096


def build_caffenet(
    input_size: int = CROP_SIZE,
    num_classes: int | None = None,
    *,
    order: str = "caffenet",
    dropout: float = 0.5,
    width: float = 1.0,
    seed: int = 0,
) -> keras.Model:
    """Build the network with random weights, drawn as the paper's were.

    Args:
        input_size: Side of the crops, in pixels, at least 67. The weights of `fc6`
            belong to one size; `surgery.to_fully_convolutional` frees them from it.
        num_classes: Number of scores K of `fc8`; None leaves `fc8` away.
        order: "caffenet" pools before it normalizes, "alexnet" after.
        dropout: Share of `fc6` and of `fc7` that training drops, 0..1.
        width: Factor on the number of channels and units; 1 is the published network.
        seed: What the weights and the dropout are drawn from.

    Returns:
        A functional model from "crops", RGB pixels 0..255 [B, S, S, 3], to the
        activation of `fc7` [B, 4096], or to logits [B, K].

    Raises:
        ConfigError: If `order` or `input_size` is none of the above.

    Example:
        >>> build_caffenet(num_classes=2).count_params()
        56876418
    """
    if order not in ORDERS:
        raise ConfigError(f"No network pools in the order {order!r}; use {ORDERS}.")
    if input_size < _MIN_INPUT_SIZE:
        raise ConfigError(
            f"A crop of {input_size} pixels is gone before pool5; use at least "
            f"{_MIN_INPUT_SIZE}."
        )
    crops = keras.Input((input_size, input_size, 3), name="crops")
    maps = CaffeInput(name="data")(crops)
    for number, spec in enumerate(CONVOLUTIONS, start=1):
        maps = _add_convolution(maps, number, spec, order, width, seed)
    vectors = keras.layers.Flatten(name="flatten")(maps)  # [B, 6, 6, 256] -> [B, 9216]
    for number in (6, 7):
        vectors = keras.layers.Dense(
            round(DENSE_UNITS * width),
            activation="relu",
            kernel_initializer=_gaussian(0.005, seed + number),
            bias_initializer="ones",
            name=f"fc{number}",
        )(vectors)
        drop = keras.layers.Dropout(dropout, seed=seed + number, name=f"drop{number}")
        vectors = drop(vectors)
    if num_classes is not None:
        head = keras.layers.Dense(
            num_classes, kernel_initializer=_gaussian(0.01, seed + 8), name="fc8"
        )
        vectors = head(vectors)
    return keras.Model(crops, vectors, name=order)


def _add_convolution(
    maps: keras.KerasTensor,
    number: int,
    spec: Convolution,
    order: str,
    width: float,
    seed: int,
) -> keras.KerasTensor:
    """Append `conv<number>` and what stands behind it."""
    maps = GroupedConv2D(
        round(spec.filters * width),
        spec.kernel,
        strides=spec.stride,
        padding=spec.padding,
        groups=spec.groups,
        activation="relu",
        kernel_initializer=_gaussian(0.01, seed + number),
        bias_initializer=keras.initializers.Constant(spec.bias),
        name=f"conv{number}",
    )(maps)
    behind = []
    if spec.pooled:
        behind.append(CeilMaxPooling2D(3, 2, name=f"pool{number}"))
    if spec.normalized:
        behind.append(LocalResponseNormalization(name=f"norm{number}"))
    for layer in behind if order == "caffenet" else reversed(behind):
        maps = layer(maps)
    return maps


def _gaussian(stddev: float, seed: int) -> keras.initializers.Initializer:
    """Caffe's filler: normal, not truncated."""
    return keras.initializers.RandomNormal(stddev=stddev, seed=seed)
