"""How is a vector of features taken from a network, whatever it gives?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras

from pixsent_tf.models.towers.table import Tower, num_prefix_tokens

Features = Callable[[Any], Any]


@keras.saving.register_keras_serializable(package="pixsent_tf")
class FirstToken(keras.layers.Layer):
    """Take the first of some tokens; [B, N, D] becomes [B, D]."""

    def call(self, tokens: keras.KerasTensor) -> keras.KerasTensor:
        """Take it.

        Args:
            tokens: [B, N, D].

        Returns:
            [B, D].
        """
        return tokens[:, 0]


@keras.saving.register_keras_serializable(package="pixsent_tf")
class PatchMap(keras.layers.Layer):
    """Lay the tokens of patches out as they lie in the picture.

    Args:
        num_prefix_tokens: Tokens before those of the patches.
        cells: Patches a side.
        kwargs: What every Keras layer takes.
    """

    def __init__(self, num_prefix_tokens: int, cells: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_prefix_tokens = num_prefix_tokens
        self.cells = cells

    def call(self, tokens: keras.KerasTensor) -> keras.KerasTensor:
        """Lay them out.

        Args:
            tokens: [B, prefix + cells², D].

        Returns:
            [B, cells, cells, D].
        """
        patches = tokens[:, self.num_prefix_tokens :]
        shape = (-1, self.cells, self.cells, tokens.shape[-1])
        return keras.ops.reshape(patches, shape)

    def get_config(self) -> dict[str, Any]:
        """Give what `from_config` needs.

        Returns:
            The layer's configuration.
        """
        own = {"num_prefix_tokens": self.num_prefix_tokens, "cells": self.cells}
        return {**super().get_config(), **own}


def to_backbone(
    name: str,
    side: int,
    normalize: Features,
    network: Features,
    take: Features,
) -> keras.Model:
    """Build a backbone around a network.

    Args:
        name: What to call it.
        side: Of the crops, in pixels.
        normalize: From RGB 0..255, [B, S, S, 3], to what the network wants.
        network: From that to whatever the network gives.
        take: From that to a vector, [B, F]; see `vector_of`.

    Returns:
        Model from `crops`, RGB 0..255 [B, S, S, 3], to features, float32 [B, F].
    """
    crops = keras.Input((side, side, 3), name="crops")
    return keras.Model(crops, take(network(normalize(crops))), name=name)


def rescale(scale: Any, offset: Any) -> Features:
    """Make the layer that multiplies pixels and adds to them.

    Args:
        scale: A factor, one for each channel, or None for 1.
        offset: A summand, one for each channel, or None for 0.

    Returns:
        From pixels to pixels; nothing at all where nothing would change.
    """
    scale, offset = _plain(scale, 1.0), _plain(offset, 0.0)
    if scale == 1.0 and offset == 0.0:
        return lambda pixels: pixels
    return keras.layers.Rescaling(scale, offset, name="normalize")


def _plain(value: Any, default: float) -> float | list[float]:
    """Give one number where all channels have the same, else a list."""
    if value is None:
        return default
    if not isinstance(value, Sequence):
        return float(value)
    numbers = [float(one) for one in value]
    return numbers[0] if len(set(numbers)) == 1 else numbers


def mean_of_maps(maps: Any) -> Any:
    """Take the mean over the last maps.

    Args:
        maps: [B, h, w, F], or a dictionary of several stages, of which the coarsest is
            the last.

    Returns:
        [B, F], called `features`.
    """
    if isinstance(maps, dict):
        maps = min(maps.values(), key=lambda one: (one.shape[1], -one.shape[-1]))
    return keras.layers.GlobalAveragePooling2D(name="features")(maps)


def vector_of(tower: Tower, network: Any, whole: Any) -> Features:
    """Say how a network's output becomes a vector.

    Args:
        tower: What is known of its kind.
        network: Its vision part.
        whole: All of it, which holds the layers behind token 0.

    Returns:
        From the output to features, [B, F].
    """
    if tower.reading == "maps":
        return mean_of_maps
    if tower.reading == "vector":
        return lambda pooled: pooled
    if tower.reading == "token":
        behind = [getattr(whole, name) for name in tower.behind]
        return lambda tokens: _through(behind, FirstToken(name="token")(tokens))
    prefix = num_prefix_tokens(network, tower)
    return lambda tokens: _token_and_patches(tokens, prefix)


def _through(layers: Sequence[Any], value: Any) -> Any:
    for layer in layers:
        value = layer(value)
    return value


def _token_and_patches(tokens: Any, prefix: int) -> Any:
    cells = math.isqrt(tokens.shape[1] - prefix)
    maps = PatchMap(prefix, cells, name="patches")(tokens)
    if prefix == 0:
        return mean_of_maps(maps)
    mean = keras.layers.GlobalAveragePooling2D(name="patch_mean")(maps)
    first = FirstToken(name="token")(tokens)
    return keras.layers.Concatenate(name="features")([first, mean])
