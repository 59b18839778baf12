"""How does a preset of KerasHub become a backbone like ours?

    hub:siglip2_base_patch16_256    a name that KerasHub knows; downloaded once
    hub:kaggle://... hub:hf://...   an address
    hub:/folder                     a folder that `save_to_preset` wrote; no network

The constants are those of the preset's own ImageConverter. Two things differ from it:
pictures are resized antialiased, and the normalization is part of the backbone.
KerasHub is an extra and takes seconds to import: it is loaded when it is needed.
"""

from __future__ import annotations

import functools
import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import keras

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.config.values import nearest
from pixsent_tf.errors import ConfigError, WeightsError, shown
from pixsent_tf.models.towers.checkpoints import kind_of, pixels_of
from pixsent_tf.models.towers.hub import load_hub
from pixsent_tf.models.towers.reading import rescale, to_backbone, vector_of
from pixsent_tf.models.towers.sizes import (
    fits,
    number_positions,
    patch_side,
    resized,
)
from pixsent_tf.models.towers.table import TOWERS, Tower

HUB_PREFIX = "hub:"
CONFIG = "config.json"


@dataclass(frozen=True)
class Preset:
    """What a preset says about pixels, and what its network is.

    Attributes:
        name: As KerasHub takes it.
        network: Name of the class of its network.
        tower: What is known of this kind.
        preprocess: The square that its ImageConverter makes, and how.
        scale: Factor of pixels, 0..255: one, one a channel, or None.
        offset: What is added then, likewise.
    """

    name: str
    network: str
    tower: Tower
    preprocess: PreprocessConfig
    scale: Any
    offset: Any


def preset_preprocess(name: str) -> PreprocessConfig:
    """Give the geometry of a preset.

    Args:
        name: As `hub:` takes it.

    Returns:
        The square that its own ImageConverter makes.

    Raises:
        ConfigError: If there is no such preset, or no vector can be taken from it.
    """
    return read_preset(name).preprocess


def build_preset(
    name: str, weights: str | None, input_size: int | None = None
) -> keras.Model:
    """Build the vision part of a preset.

    Args:
        name: As `hub:` takes it.
        weights: "imagenet" for those that it comes with, None for random ones.
        input_size: Side of the crops, in pixels; the preset's own if None.

    Returns:
        Model from `crops`, RGB 0..255 [B, S, S, 3], to features, float32 [B, F].

    Raises:
        ConfigError: If there is no such preset, or it cannot be built at this size.
        WeightsError: If its weights cannot be read.
    """
    preset = read_preset(name)
    whole = load_network(preset, input_size, load_weights=weights is not None)
    tower, side = preset.tower, input_size or preset.preprocess.crop_size
    network = _vision_part(preset, whole)
    if not fits(network, side):
        network = resized(network, side)
    return to_backbone(
        re.sub(r"\W+", "_", f"hub_{name}", flags=re.ASCII),
        side,
        rescale(preset.scale, preset.offset),
        lambda pixels: network(_as_input(network, pixels)),
        vector_of(tower, network, whole),
    )


def read_preset(name: str) -> Preset:
    """Read what a preset says of itself; its weights stay where they are.

    Args:
        name: As `hub:` takes it.

    Returns:
        What it says.

    Raises:
        ConfigError: If KerasHub is missing, there is no such preset, its network is of
            no kind that `table` knows, or it does not say what is done to pixels.
    """
    if name.startswith("~"):  # behind a colon no shell expands it
        name = str(Path(name).expanduser())
    config = Path(name, CONFIG)
    return _read(name, config.stat().st_mtime_ns if config.is_file() else 0)


@functools.lru_cache(maxsize=16)
def _read(name: str, changed: int) -> Preset:
    hub = load_hub(f"Backbone {HUB_PREFIX}{name}")
    _refuse_unknown(hub, name)
    try:
        converter = hub.layers.ImageConverter.from_preset(name)
    except Exception as error:  # without a network KerasHub raises nearly any type
        raise ConfigError(_unreadable(name, error)) from error
    if converter is None:
        preprocess, scale, offset = pixels_of(name)
        return Preset(name, *_tower_of(name, kind_of(name)), preprocess, scale, offset)
    network = converter.backbone_cls.__name__
    geometry, constants = (
        _geometry(name, converter),
        (converter.scale, converter.offset),
    )
    return Preset(name, *_tower_of(name, network), geometry, *constants)


def _geometry(name: str, converter: Any) -> PreprocessConfig:
    """Read how pictures become the square that a network reads."""
    size = converter.image_size
    if size is None or size[0] != size[1]:
        raise ConfigError(
            f"{HUB_PREFIX}{shown(name)} makes pictures of {size} pixels; only squares "
            f"are taken, such as (224, 224)."
        )
    if converter.pad_to_aspect_ratio:
        raise ConfigError(
            f"{HUB_PREFIX}{shown(name)} puts bars around pictures; only an "
            f"ImageConverter that crops or squashes is taken: save one without "
            f"pad_to_aspect_ratio beside the network."
        )
    return PreprocessConfig(
        int(size[0]),
        int(size[0]),
        "crop" if converter.crop_to_aspect_ratio else "squash",
        "bicubic" if converter.interpolation == "bicubic" else "bilinear",
    )


def _tower_of(name: str, network: str) -> tuple[str, Tower]:
    """Look up what is known of a network, beside its name."""
    if network not in TOWERS:
        raise ConfigError(
            f"{HUB_PREFIX}{shown(name)} is a {shown(network)}, which no vector is "
            f"taken from; there are {', '.join(TOWERS)}."
        )
    return network, TOWERS[network]


def load_network(
    preset: Preset, input_size: int | None = None, *, load_weights: bool
) -> Any:
    """Load all of a preset's network.

    Args:
        preset: What the preset says of itself.
        input_size: Side of the crops that it is to read, in pixels; None for those of
            its own ImageConverter. A network with a table of positions keeps its own.
        load_weights: Whether with its weights, or with random ones.

    Returns:
        The network, as KerasHub makes it.

    Raises:
        ConfigError: If it cannot be built at this size.
        WeightsError: If its files cannot be read.
    """
    hub = load_hub(f"Backbone {HUB_PREFIX}{preset.name}")
    kind = getattr(hub.models, preset.network)
    own = preset.preprocess.crop_size
    side = input_size or own
    # EfficientNet alone takes pictures of any size, and no such argument
    takes_size = "image_shape" in inspect.signature(kind.__init__).parameters
    is_asked = takes_size and not preset.tower.table_of_positions
    size = {"image_shape": (side, side, 3)} if is_asked else {}
    try:
        whole = hub.models.Backbone.from_preset(
            preset.name, load_weights=load_weights, **size
        )
    except Exception as error:  # of damaged files Keras raises nearly any type
        raise WeightsError(_unreadable(preset.name, error)) from error
    network = _vision_part(preset, whole)
    if not load_weights:
        number_positions(network)
    patch, reads = patch_side(network), _input_side(preset, network)
    if side != own and side % patch:
        raise ConfigError(
            f"{HUB_PREFIX}{shown(preset.name)} reads pictures in patches of {patch} "
            f"pixels and cannot take {side}; its size must be a multiple of {patch}."
        )
    if input_size is None and reads not in (None, own):
        raise ConfigError(
            f"{HUB_PREFIX}{shown(preset.name)} reads {reads} pixels, and its "
            f"ImageConverter makes {own}; write which is meant: @{reads} or @{own}."
        )
    return whole


def _vision_part(preset: Preset, whole: Any) -> Any:
    return getattr(whole, preset.tower.vision) if preset.tower.vision else whole


def _input_side(preset: Preset, network: Any) -> int | None:
    """Tell which squares a network reads; None if any."""
    height, width = keras.tree.flatten(network.input)[0].shape[1:3]
    if height != width:
        raise ConfigError(
            f"{HUB_PREFIX}{shown(preset.name)} reads {height} by {width} pixels; only "
            f"networks that read squares are taken."
        )
    return None if height is None else int(height)


def _refuse_unknown(hub: ModuleType, name: str) -> None:
    """Refuse a folder that is none, and a name that KerasHub does not know."""
    if "://" in name or Path(name, CONFIG).is_file():
        return
    known = [one for kind in TOWERS for one in getattr(hub.models, kind).presets]
    if name in known:
        return
    raise ConfigError(
        f"No preset {shown(name)!r}{nearest(name, known)}: it is neither a name that "
        f"KerasHub knows nor a folder with a {CONFIG}, as save_to_preset writes it."
    )


def _as_input(network: keras.Model, pixels: Any) -> Any:
    """Give pixels the name that the network asks for, if it asks for one."""
    if isinstance(network.input, dict):
        return dict.fromkeys(network.input, pixels)
    return pixels


def _unreadable(name: str, error: Exception) -> str:
    reason = " ".join(str(error).split())[:200]
    return (
        f"Preset {shown(name)} cannot be read ({type(error).__name__}: {reason}); "
        f"without a network give a folder that save_to_preset wrote, as "
        f"{HUB_PREFIX}/FOLDER."
    )
