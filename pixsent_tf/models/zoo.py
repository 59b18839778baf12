"""Which backbones are there, and what does each want to see?

A backbone takes RGB crops in 0..255 and normalizes them itself, so that nothing else
needs to know about means and channel orders. Its output is one feature vector.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import keras

from pixsent_tf.config import ModelConfig, PreprocessConfig
from pixsent_tf.config.networks import Branch
from pixsent_tf.config.prompts import read_prompts
from pixsent_tf.config.values import nearest
from pixsent_tf.errors import ConfigError
from pixsent_tf.models import backend
from pixsent_tf.models.caffenet import CROP_SIZE, build_caffenet
from pixsent_tf.models.efficientnet_lite import (
    LITE_VARIANTS,
    build_efficientnet_lite,
)
from pixsent_tf.models.joined import join
from pixsent_tf.models.seeding import seeded
from pixsent_tf.models.towers import reading  # noqa: F401 - a saved model names them

backend.settle()  # before a network is built or loaded

HEAD = "logits"
KERAS_PREFIX, HUB_PREFIX, HF_PREFIX = "keras:", "hub:", "hf:"

Build = Callable[[str | None, int | None, int], keras.Model]


@dataclass(frozen=True)
class BackboneEntry:
    """What the zoo knows about one backbone.

    Attributes:
        build: From starting weights ("imagenet" or None), the side of the crops (None
            for the usual one) and the seed of random weights to the network.
        preprocess: The geometry it was trained with.
        has_imagenet: Whether `weights="imagenet"` is to be had.
        ignored_weights: Layers of a weights file that belong to another task.
        texture_layer: The stage whose texture may be added to the features.
        any_fit: Whether it may see whole pictures or crops, as those that it is joined
            with do.
    """

    build: Build
    preprocess: PreprocessConfig
    has_imagenet: bool = True
    ignored_weights: tuple[str, ...] = ()
    texture_layer: str | None = None
    any_fit: bool = False


def _lite(name: str, weights: Any, input_size: int | None, seed: int) -> keras.Model:
    with seeded(seed):
        return build_efficientnet_lite(name, input_size=input_size, weights=weights)


def _caffe(order: str, weights: Any, input_size: int | None, seed: int) -> keras.Model:
    return build_caffenet(input_size or CROP_SIZE, order=order, seed=seed)


def _application(
    name: str, weights: Any, input_size: int | None, seed: int
) -> keras.Model:
    from pixsent_tf.models.towers.applications import build_application

    with seeded(seed):
        return build_application(name, weights, input_size)


def _preset(name: str, weights: Any, input_size: int | None, seed: int) -> keras.Model:
    from pixsent_tf.models.towers.presets import build_preset

    with seeded(seed):
        return build_preset(name, weights, input_size)


def _keras_entry(name: str) -> BackboneEntry:
    from pixsent_tf.models.towers.applications import application_preprocess

    return BackboneEntry(partial(_application, name), application_preprocess(name))


def _preset_entry(name: str) -> BackboneEntry:
    from pixsent_tf.models.towers.presets import preset_preprocess

    return BackboneEntry(partial(_preset, name), preset_preprocess(name), any_fit=True)


def _official_entry(name: str) -> BackboneEntry:
    from pixsent_tf.models.towers.names import preset_named

    return _preset_entry(preset_named(name))


BACKBONES: dict[str, BackboneEntry] = {
    **{
        name: BackboneEntry(
            partial(_lite, name),
            PreprocessConfig(variant.canvas_size, variant.crop_size),
            texture_layer="stage6",
        )
        for name, variant in LITE_VARIANTS.items()
    },
    **{
        order: BackboneEntry(
            partial(_caffe, order),
            PreprocessConfig(256, CROP_SIZE, fit="crop"),
            has_imagenet=False,
            ignored_weights=("fc8", "fc9"),
        )
        for order in ("caffenet", "alexnet")
    },
}

SOURCES: dict[str, Callable[[str], BackboneEntry]] = {
    KERAS_PREFIX: _keras_entry,
    HUB_PREFIX: _preset_entry,
    HF_PREFIX: _official_entry,
}


def entry(name: str) -> BackboneEntry:
    """Look one backbone up.

    Args:
        name: A key of `BACKBONES`, or one of `SOURCES` and a name that it knows.

    Returns:
        What the zoo knows about it.

    Raises:
        ConfigError: If there is no such backbone.
    """
    if name in BACKBONES:
        return BACKBONES[name]
    prefix, colon, rest = name.partition(":")
    if prefix + colon in SOURCES:
        return SOURCES[prefix + colon](rest)
    from pixsent_tf.models.towers.applications import application_names

    known = [KERAS_PREFIX + one for one in application_names()]
    raise ConfigError(
        f"Unknown backbone {name!r}{nearest(name, [*known, *BACKBONES])}; there are "
        f"{', '.join(sorted(BACKBONES))}, {known[0]} and its like, and presets of "
        f"KerasHub such as {HUB_PREFIX}siglip2_base_patch16_256."
    )


def preprocess_of(model: ModelConfig) -> PreprocessConfig:
    """Give the geometry of a backbone.

    Args:
        model: Names the backbone and the share of the canvas that it sees.

    Returns:
        The geometry; of several branches, that of the largest.

    Raises:
        ConfigError: If there is no such backbone, or branches do not go together.
    """
    configs, bound = [], set()
    for branch in model.branches:
        known = entry(branch.name)
        config = known.preprocess
        if not known.any_fit:
            bound.add(config.fit)
        if branch.size is not None:
            canvas = round(branch.size / config.crop_size * config.canvas_size)
            config = replace(config, canvas_size=canvas, crop_size=branch.size)
        configs.append(config)
    largest = max(configs, key=lambda config: config.crop_size)
    if len(bound) > 1:
        raise ConfigError(
            f"{model.backbone!r} joins backbones that squash and that crop."
        )
    if bound:
        largest = replace(largest, fit=bound.pop())
    if model.crop_fraction is None:
        return largest
    canvas = round(largest.crop_size / model.crop_fraction)
    return replace(largest, canvas_size=canvas)


def build_backbone(model: ModelConfig, *, seed: int = 0) -> keras.Model:
    """Build a backbone with its starting weights.

    Args:
        model: Names the backbone and its weights: "imagenet", a file, or None.
        seed: Of weights that start at random.

    Returns:
        Model from `crops`, RGB 0..255 [B, S, S, 3], to features, float32 [B, F].

    Raises:
        ConfigError: If there is no such backbone, or no such weights for it.
        WeightsError: If its weights are missing or do not fit.
    """
    built = {str(b): _build_branch(b, model.weights, seed) for b in model.branches}
    if model.words is not None:
        built = _with_words(built, model)
    if len(built) == 1 and not (model.mirror or model.texture):
        return built[model.backbone]
    layers = [entry(branch.name).texture_layer for branch in model.branches]
    return join(
        built, mirror=model.mirror, texture_layers=layers if model.texture else None
    )


def build_by_words(model: ModelConfig) -> tuple[keras.Model, tuple[str, ...]]:
    """Build a network that answers by words alone, which no label has trained.

    Args:
        model: Names one preset that reads texts, and the words.

    Returns:
        Model from `crops` to `logits`, float32 [B, K]; the names of the classes.

    Raises:
        ConfigError: If there is no such preset, or it reads no texts.
        WeightsError: If its weights or its tokenizer cannot be read.
    """
    from pixsent_tf.models.towers.words import by_words, word_kernel

    branch, *others = model.branches
    preset = _preset_behind(branch.name)
    if others or preset is None:
        raise ConfigError(
            f"{model.backbone!r} reads no words; name one preset that does, such as "
            f"{HUB_PREFIX}siglip2_base_patch16_256."
        )
    prompts = read_prompts(model.words or "")
    kernel = word_kernel(preset, prompts)
    backbone = _build_branch(branch, model.weights, seed=0)
    return by_words(backbone, kernel, HEAD), tuple(prompts)


def _with_words(
    built: dict[str, keras.Model], model: ModelConfig
) -> dict[str, keras.Model]:
    """Put what words say beside the features of every branch that can read them."""
    from pixsent_tf.models.towers.presets import read_preset
    from pixsent_tf.models.towers.words import with_words, word_kernel

    prompts, readers = read_prompts(model.words or ""), {}
    for branch in model.branches:
        preset = _preset_behind(branch.name)
        if preset is not None and read_preset(preset).tower.reader is not None:
            readers[str(branch)] = preset
    if not readers:
        raise ConfigError(
            f"model.words: {model.backbone!r} reads no words; name a preset that does, "
            f"such as {HUB_PREFIX}siglip2_base_patch16_256."
        )
    return {
        name: with_words(backbone, word_kernel(readers[name], prompts))
        if name in readers
        else backbone
        for name, backbone in built.items()
    }


def _preset_behind(name: str) -> str | None:
    """Give a branch's preset, as KerasHub takes it; None if it is none."""
    if name.startswith(HF_PREFIX):
        from pixsent_tf.models.towers.names import preset_named

        return preset_named(name.removeprefix(HF_PREFIX))
    return name.removeprefix(HUB_PREFIX) if name.startswith(HUB_PREFIX) else None


def _build_branch(branch: Branch, weights: str | None, seed: int) -> keras.Model:
    name, size = branch.name, branch.size
    known = entry(name)
    if weights == "imagenet" and not known.has_imagenet:
        raise ConfigError(
            f"{name} comes without weights; give a .caffemodel with --weights FILE, or "
            f"--weights None to start at random."
        )
    if weights in ("imagenet", None):
        return known.build(weights, size, seed)
    from pixsent_tf.models.weights import load_weights

    backbone = known.build(None, size, seed)
    load_weights(backbone, weights, skip=known.ignored_weights)
    return backbone


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
        drop = keras.layers.Dropout(dropout, seed=seed, name="head_dropout")
        features = drop(features)
    logits = keras.layers.Dense(
        num_classes,
        kernel_initializer=keras.initializers.RandomNormal(stddev=stddev, seed=seed),
        dtype="float32",
        name=HEAD,
    )(features)
    return keras.Model(backbone.input, logits, name="classifier")
