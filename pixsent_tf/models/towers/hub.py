"""Where is KerasHub? An extra, imported only where one of its networks is needed."""

from __future__ import annotations

import logging
from types import ModuleType

import keras

from pixsent_tf.errors import ConfigError, shown


def load_hub(what: str) -> ModuleType:
    """Import KerasHub.

    Args:
        what: What it is needed for.

    Returns:
        The package.

    Raises:
        ConfigError: If it is not installed.
    """
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
