"""How do several backbones, or several sizes of one, become a single backbone?

    "efficientnet_lite0@320+efficientnet_lite2"

Each branch brings the crop to its own size, and the features stand side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras


def join(branches: Mapping[str, keras.Model]) -> keras.Model:
    """Put backbones side by side.

    Args:
        branches: Backbones by name; each takes square crops of its own size.

    Returns:
        Model from `crops` of the largest size, RGB 0..255 [B, S, S, 3], to the
        features of all branches in their order, float32 [B, F1 + F2 + ...].
    """
    sizes = {name: branch.input.shape[1] for name, branch in branches.items()}
    largest = max(sizes.values())
    crops = keras.Input((largest, largest, 3), name="crops")
    features: list[keras.KerasTensor] = []
    for name, branch in branches.items():
        pixels = crops
        if sizes[name] != largest:
            pixels = Reduce(sizes[name], name=f"reduce_{len(features)}")(crops)
        # Branches share layer names, so each stays a model of its own inside.
        inner = keras.Model(branch.input, branch.output, name=_layer_name(name))
        features.append(inner(pixels))
    joined = keras.layers.Concatenate(name="features")(features)
    return keras.Model(crops, joined, name="joined")


def mirror(backbone: keras.Model) -> keras.Model:
    """Average a backbone's features over a crop and its mirror image.

    Args:
        backbone: Model from crops to features.

    Returns:
        Model of the same input and output, twice as slow.
    """
    crops = keras.Input(backbone.input.shape[1:], name="crops")
    flipped = Mirror(name="mirror")(crops)
    inner = keras.Model(backbone.input, backbone.output, name=f"both_{backbone.name}")
    mean = keras.layers.Average(name="features")([inner(crops), inner(flipped)])
    return keras.Model(crops, mean, name=backbone.name)


@keras.saving.register_keras_serializable(package="pixsent_tf")
class Reduce(keras.layers.Layer):
    """Bring crops to a smaller square, antialiased; float32 [B, side, side, C].

    Keras' own `Resizing` will not do: as an augmentation layer it sets `training` for
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
        size = (self.side, self.side)
        return keras.ops.image.resize(crops, size, antialias=True)

    def get_config(self) -> dict[str, Any]:
        """Give what `from_config` needs.

        Returns:
            The layer's configuration.
        """
        return {**super().get_config(), "side": self.side}


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


def _layer_name(name: str) -> str:
    return name.replace("@", "_")
