"""Which backbones are there, and what does each want to see?

A backbone takes RGB crops in 0..255 and normalizes them itself, so that nothing else
needs to know about means and channel orders. Its output is one feature vector.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras

from pixsent_tf.config import ModelConfig, PreprocessConfig
from pixsent_tf.errors import ConfigError
from pixsent_tf.models.efficientnet_lite import (
    LITE_VARIANTS,
    build_efficientnet_lite,
)

HEAD = "logits"


@dataclass(frozen=True)
class BackboneEntry:
    """What the zoo knows about one backbone.

    Attributes:
        build: Takes the starting weights ("imagenet", a file or None) and the seed of
            random ones; gives the backbone.
        preprocess: The geometry it was trained with.
        default_weights: What `weights="imagenet"` falls back to.
    """

    build: Callable[[str | None, int], keras.Model]
    preprocess: PreprocessConfig


def _lite(name: str) -> BackboneEntry:
    variant = LITE_VARIANTS[name]

    def build(weights: str | None, seed: int) -> keras.Model:
        keras.utils.set_random_seed(seed)
        return build_efficientnet_lite(name, weights=weights)

    return BackboneEntry(
        build, PreprocessConfig(variant.canvas_size, variant.crop_size)
    )


BACKBONES: dict[str, BackboneEntry] = {name: _lite(name) for name in LITE_VARIANTS}


def entry(name: str) -> BackboneEntry:
    """Look a backbone up.

    Args:
        name: A key of `BACKBONES`.

    Returns:
        What the zoo knows about it.

    Raises:
        ConfigError: If there is no such backbone.
    """
    if name not in BACKBONES:
        raise ConfigError(
            f"Unknown backbone {name!r}; there are {', '.join(sorted(BACKBONES))}."
        )
    return BACKBONES[name]


def build_backbone(model: ModelConfig, *, seed: int = 0) -> keras.Model:
    """Build a backbone with its starting weights.

    Args:
        model: Names the backbone and its weights.
        seed: Of weights that start at random.

    Returns:
        Model from `crops`, RGB 0..255 [B, S, S, 3], to features, float32 [B, F].

    Raises:
        ConfigError: If there is no such backbone.
        WeightsError: If its weights are missing or do not fit.
    """
    return entry(model.backbone).build(model.weights, seed)


def attach_head(
    backbone: keras.Model,
    num_classes: int,
    *,
    dropout: float = 0.0,
    stddev: float = 0.01,
    seed: int = 0,
) -> keras.Model:
    """Put a linear classifier on a backbone.

    Args:
        backbone: Model from crops to features, [B, F].
        num_classes: K.
        dropout: Share of the features dropped in training, 0…1.
        stddev: Of the normal distribution that the weights start from.
        seed: Of these.

    Returns:
        Flat functional model from `crops` to `logits`, float32 [B, K].
    """
    features = backbone.output
    if dropout:
        features = keras.layers.Dropout(dropout, seed=seed, name="head_dropout")(
            features
        )
    logits = keras.layers.Dense(
        num_classes,
        kernel_initializer=keras.initializers.RandomNormal(stddev=stddev, seed=seed),
        dtype="float32",
        name=HEAD,
    )(features)
    return keras.Model(backbone.input, logits, name="classifier")
