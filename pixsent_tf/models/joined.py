"""How do several backbones, or several sizes of one, become a single backbone?

    "efficientnet_lite0@320+efficientnet_lite2"

Each branch brings the crop to its own size, and the features stand side by side. A
branch may look at the mirror image too, and may add the texture of an earlier stage:
mean and deviation of its maps, which tell how much of something there is and how evenly
it is spread.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from pixsent_tf.errors import ConfigError

POOLED, TEXTURE = "_pooled", "_texture"
TEXTURE_SHARE = 0.25  # of the squared norm of all features; chosen on inner splits


@dataclass(frozen=True)
class FeatureBlock:
    """Features of one kind, which a linear head puts on one scale.

    Attributes:
        width: Number of features.
        share: Of the mean squared norm of all features, 0…1.
        standardize: Whether each feature gets unit variance first.
    """

    width: int
    share: float = 1.0
    standardize: bool = False


def join(
    branches: Mapping[str, keras.Model],
    *,
    mirror: bool = False,
    texture_layers: Sequence[str | None] | None = None,
) -> keras.Model:
    """Put backbones side by side.

    Args:
        branches: Backbones by name; each takes square crops of its own size.
        mirror: Average each branch over a crop and its mirror image.
        texture_layers: The layer of each branch whose texture is added, in order; then
            pooled features are brought to unit length. None adds nothing.

    Returns:
        Model from `crops` of the largest size, RGB 0..255 [B, S, S, 3], to the
        features of all branches in their order, float32 [B, F1 + F2 + ...].

    Raises:
        ConfigError: If a branch has no texture to add.
    """
    largest = max(branch.input.shape[1] for branch in branches.values())
    crops = keras.Input((largest, largest, 3), name="crops")
    features: list[keras.KerasTensor] = []
    stems: set[str] = set()
    for number, (name, branch) in enumerate(branches.items()):
        layer = texture_layers[number] if texture_layers else ""
        if layer is None:
            raise ConfigError(f"{name} has no stage whose texture is known.")
        pixels, side = crops, branch.input.shape[1]
        if side != largest:
            pixels = Reduce(side, name=f"reduce_{number}")(crops)
        # Branches share layer names, so each stays a model of its own inside.
        stem = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
        stem += f"_{number}" if stem in stems else ""
        stems.add(stem)
        outputs = [branch.output, branch.get_layer(layer).output] if layer else None
        inner = keras.Model(branch.input, outputs or branch.output, name=stem)
        views = (
            [pixels, Mirror(name=f"mirror_{number}")(pixels)] if mirror else [pixels]
        )
        seen = [_describe(inner(view), stem, i) for i, view in enumerate(views)]
        features += _finish([_average(kind) for kind in zip(*seen, strict=True)], stem)
    if len(features) == 1:
        return keras.Model(crops, features[0], name="joined")
    joined = keras.layers.Concatenate(name="features")(features)
    return keras.Model(crops, joined, name="joined")


def feature_blocks(backbone: keras.Model) -> tuple[FeatureBlock, ...]:
    """Tell which features of a backbone belong together.

    Args:
        backbone: Any backbone.

    Returns:
        The blocks in the order of the features; one block, unless texture was added.
    """
    kinds = [
        layer for layer in backbone.layers if layer.name.endswith((POOLED, TEXTURE))
    ]
    if not kinds:
        return (FeatureBlock(backbone.output.shape[-1]),)
    num_branches = len(kinds) / 2
    return tuple(
        FeatureBlock(
            layer.output.shape[-1],
            share=(TEXTURE_SHARE if is_texture else 1 - TEXTURE_SHARE) / num_branches,
            standardize=is_texture,
        )
        for layer in kinds
        for is_texture in [layer.name.endswith(TEXTURE)]
    )


def _describe(outputs: Any, stem: str, view: int) -> list[keras.KerasTensor]:
    """Give the pooled features, and the texture where there is a map for it."""
    if not isinstance(outputs, list):
        return [outputs]
    pooled, maps = outputs
    return [pooled, Texture(name=f"{stem}_statistics_{view}")(maps)]


def _average(views: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
    return views[0] if len(views) == 1 else keras.layers.Average()(list(views))


def _finish(kinds: list[keras.KerasTensor], stem: str) -> list[keras.KerasTensor]:
    if len(kinds) == 1:
        return kinds
    unit = keras.layers.UnitNormalization(name=stem + POOLED)(kinds[0])
    return [unit, keras.layers.Identity(name=stem + TEXTURE)(kinds[1])]


@keras.saving.register_keras_serializable(package="pixsent_tf")
class Texture(keras.layers.Layer):
    """Reduce maps to mean and deviation; [B, h, w, C] becomes [B, 2 C]."""

    def call(self, maps: keras.KerasTensor) -> keras.KerasTensor:
        """Reduce maps.

        Args:
            maps: float, [B, h, w, C].

        Returns:
            The means of the channels, then their standard deviations, [B, 2 C].
        """
        mean, variance = keras.ops.moments(maps, axes=[1, 2])
        deviation = keras.ops.sqrt(keras.ops.maximum(variance, 0.0))
        return keras.ops.concatenate([mean, deviation], axis=-1)


@keras.saving.register_keras_serializable(package="pixsent_tf")
class Reduce(keras.layers.Layer):
    """Bring crops to a smaller square, antialiased; float32 [B, side, side, C].

    Two matrix products with constant weights: the same numbers, but for
    rounding, as `tf.image.resize` gives, whose operation no other engine knows. Keras'
    own `Resizing` will not do either: as an augmentation layer it sets `training` for
    all that follows, and the normalization of the branch then uses batch statistics.

    Args:
        side: Side of the square, in pixels.
        kwargs: What every Keras layer takes.
    """

    def __init__(self, side: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.side = side

    def call(self, crops: keras.KerasTensor) -> keras.KerasTensor:
        """Resize.

        Args:
            crops: [B, S, S, C], any dtype.

        Returns:
            float32 [B, side, side, C].
        """
        lines = keras.ops.transpose(keras.ops.cast(crops, "float32"), (0, 3, 1, 2))
        weights = _line_weights(crops.shape[1], self.side).T  # [S, side]
        rows = keras.ops.matmul(lines, weights)  # [B, C, S, side]
        both = keras.ops.matmul(keras.ops.transpose(rows, (0, 1, 3, 2)), weights)
        return keras.ops.transpose(both, (0, 3, 2, 1))  # [B, C, x, y] -> [B, y, x, C]

    def get_config(self) -> dict[str, Any]:
        """Give what `from_config` needs.

        Returns:
            The layer's configuration.
        """
        return {**super().get_config(), "side": self.side}


def _line_weights(size: int, side: int) -> np.ndarray:
    """How much each pixel of a line counts for each of the new ones, [side, size]."""
    scale = size / side  # at least 1
    places = (np.arange(side)[:, None] + 0.5) * scale - np.arange(size) - 0.5
    weights = np.maximum(0, 1 - np.abs(places) / scale)
    return (weights / weights.sum(axis=1, keepdims=True)).astype("float32")


@keras.saving.register_keras_serializable(package="pixsent_tf")
class Mirror(keras.layers.Layer):
    """Turn images left to right, always; [B, H, W, C] stays [B, H, W, C]."""

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """Mirror images.

        Args:
            images: [B, H, W, C], any dtype.

        Returns:
            The mirror images, of the same shape and dtype.
        """
        return keras.ops.flip(images, axis=2)
