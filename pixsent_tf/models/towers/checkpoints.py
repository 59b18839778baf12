"""What is to be done to pixels, where a checkpoint of `transformers` says it?

KerasHub converts the networks of some of these, and says nothing of their pictures; a
file beside the weights does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.errors import ConfigError, shown

HF_ADDRESS = "hf://"
FILE = "preprocessor_config.json"
KINDS = {  # what `config.json` calls a network -> what KerasHub calls it
    "deit": "DeiTBackbone",
    "dinov2": "DINOV2Backbone",
    "dinov2_with_registers": "DINOV2Backbone",
    "dinov3_vit": "DINOV3Backbone",
    "metaclip_2": "MetaCLIP2Backbone",
    "vit": "ViTBackbone",
}
_BICUBIC = 3  # Pillow's number, which the file holds
_PAIR = ("height", "width")


def kind_of(preset: str) -> str:
    """Name the class that KerasHub makes of a checkpoint.

    Args:
        preset: A folder, or an address that begins with hf://.

    Returns:
        The class; what the checkpoint calls itself, where KerasHub has none.

    Raises:
        ConfigError: If the file that says so cannot be read.
    """
    found = _read(preset, "config.json").get("model_type", "checkpoint without a kind")
    return KINDS.get(found, str(found))


def pixels_of(preset: str) -> tuple[PreprocessConfig, list[float], list[float]]:
    """Read the geometry of a checkpoint, and the constants of its normalization.

    Args:
        preset: A folder, or an address that begins with hf://.

    Returns:
        The geometry; factor and summand of each channel, for pixels in 0..255.

    Raises:
        ConfigError: If the file is missing, or no square follows from it.
    """
    told = _read(preset, FILE)
    factor = float(told.get("rescale_factor", 1 / 255))
    mean, deviation = (
        told.get("image_mean", [0.5] * 3),
        told.get("image_std", [0.5] * 3),
    )
    if not told.get("do_normalize", True):
        mean, deviation = [0.0] * 3, [1.0] * 3
    size, crop = told.get("size"), told.get("crop_size")
    shortest = size.get("shortest_edge") if isinstance(size, Mapping) else None
    canvas = int(shortest or _square(preset, size))
    side = _square(preset, crop) if told.get("do_center_crop") and crop else canvas
    return (
        PreprocessConfig(
            max(canvas, side),
            side,
            "crop" if shortest else "squash",
            "bicubic" if told.get("resample") == _BICUBIC else "bilinear",
        ),
        [factor / one for one in deviation],
        [-one / other for one, other in zip(mean, deviation, strict=True)],
    )


def _square(preset: str, size: Any) -> int:
    """Read the side of a square, however it is written."""
    sides = (
        [size.get(key) for key in _PAIR] if isinstance(size, Mapping) else [size] * 2
    )
    if not isinstance(sides[0], int) or sides[0] != sides[1]:
        raise ConfigError(
            f"{FILE} of {shown(preset)} makes pictures of {size} pixels; only squares "
            f"are taken, such as 224 by 224."
        )
    return sides[0]


def _read(preset: str, name: str) -> dict[str, Any]:
    path = Path(preset, name)
    try:
        if preset.startswith(HF_ADDRESS):
            from huggingface_hub import hf_hub_download

            path = Path(hf_hub_download(preset.removeprefix(HF_ADDRESS), name))
        return dict(json.loads(path.read_text("utf-8")))
    except Exception as error:  # without a network it raises nearly any type
        raise ConfigError(
            f"{shown(preset)} does not say what is to be done to pixels: its {name} "
            f"cannot be read ({type(error).__name__}); put the file there, or save an "
            f"ImageConverter beside the network."
        ) from error
