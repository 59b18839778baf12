"""Where is KerasHub? An extra, imported only where one of its networks is needed."""

from __future__ import annotations

import logging
import os
from types import ModuleType

import keras

from pixsent_tf.errors import ConfigError, shown

# With oneDNN's kernels for AVX-512, training a tower ends the process now and then, its
# heap damaged; with those for AVX2 it does not. Likely its batched matmul, of which
# tensorflow#117700 and oneDNN#4396 report the like.
ONEDNN_ISA = "ONEDNN_MAX_CPU_ISA"
SAFE_ISA = "AVX2"


def load_hub(what: str) -> ModuleType:
    """Import KerasHub, and keep oneDNN from kernels that damage memory.

    What the environment says of `ONEDNN_ISA` stays. It is read at the first step of any
    network of the process.

    Args:
        what: What it is needed for.

    Returns:
        The package.

    Raises:
        ConfigError: If it is not installed.
    """
    os.environ.setdefault(ONEDNN_ISA, SAFE_ISA)
    try:
        import keras_hub
    except ImportError as error:
        raise ConfigError(
            f"{shown(what)} needs KerasHub, which cannot be imported ({error}); get it "
            f"with: pip install 'pixsent-tf[hub]'"
        ) from error
    # what it tells of every attempt to reach a network, our one line says
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    return keras_hub


def uses_hub(model: keras.Model) -> bool:
    """Tell whether a model holds a network of KerasHub.

    Args:
        model: Any model.

    Returns:
        Whether its code is in that package.
    """
    return any(
        type(layer).__module__.startswith("keras_hub.")
        for layer in model._flatten_layers()
    )
