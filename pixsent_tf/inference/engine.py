"""What computes a frozen network? LiteRT on a CPU, where it can; else TensorFlow.

LiteRT's XNNPACK kernels pass pictures through a network about twice as fast as
TensorFlow's graph does, and give the same numbers but for rounding. Converting takes
seconds, so it is done for many pictures only, and what was converted is kept; the
default backbone was converted before it was shipped:

    CACHE/engines/DIGEST.tflite     a network that was converted
    CACHE/engines/DIGEST.txt        why one was not
    CACHE/engines/DIGEST.size       how many pictures at a time it likes

The digest is that of architecture, weights and versions. A network that has just been
converted is compared with TensorFlow's graph before it is used.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pixsent_tf.errors import ConfigError
from pixsent_tf.inference.feature_cache import prune
from pixsent_tf.inference.litert import (
    SIGNATURE,
    LiteNetwork,
    calibrate,
    muted,
    output_name,
)
from pixsent_tf.inference.prepared import prepare_features
from pixsent_tf.inference.sweep import Look, compile_look
from pixsent_tf.machine import num_cores, wanted_engine
from pixsent_tf.models.towers.hub import uses_hub
from pixsent_tf.runs import cache_folder
from pixsent_tf.whole import whole

MAX_BYTES = 2 * 10**9  # of converted networks; those that were used last stay
FEWEST = 256  # pictures for which converting a network pays
MANY = 4096  # for which it pays to measure how many it likes at a time
TOLERANCE = 1e-4  # of the largest value; rounding makes a twentieth of it
_METHOD = 2  # counts changes of what is converted, and how
_SEEN = 4  # pictures that both engines must agree on
# What does not change the numbers, or stands in the weights already.
_IDLE = {"name", "trainable", "seed", "module", "registered_name", "build_config"}

_log = logging.getLogger(__name__)


def explain() -> str:
    """Say which engine passes many pictures through a network here, and why.

    Returns:
        Its name, and the reason.
    """
    why = why_tensorflow()
    if why:
        return f"tensorflow: {why}"
    version = metadata.version("ai-edge-litert")
    return f"litert {version} with XNNPACK on {num_cores()} cores, no GPU is there"


@dataclass(frozen=True)
class Original:
    """A network as TensorFlow computes it.

    Attributes:
        look: From crops, uint8 [B, S, S, 3], to the outputs; what `compile_look` makes.
        weights: Its variables.
        outputs: Anything of the structure of the outputs.
        identity: Gives what it is known by wherever it is built; None if by nothing.
    """

    look: Any
    weights: Sequence[tf.Variable]
    outputs: Any = None
    identity: Callable[[], str] | None = None

    @classmethod
    def of(cls, network: keras.Model) -> Original:
        """Take a Keras model.

        Args:
            network: Model from crops, [B, S, S, 3] 0..255, to one or several outputs.

        Returns:
            What it computes when it is not in training.
        """
        look = compile_look(network, network.input_shape[1])
        weights = [variable.value for variable in network.variables]
        return cls(look, weights, network.output, lambda: identify(network))


def forward(network: keras.Model, num_examples: int) -> Look:
    """Compile a pass through a network that no longer changes.

    Args:
        network: Model from crops, [B, S, S, 3] 0..255, to one or several outputs.
        num_examples: How many pictures will pass.

    Returns:
        From crops, uint8 [B, S, S, 3], to the outputs, float32.

    Raises:
        ConfigError: If LiteRT is asked for and cannot compute this network.
    """
    return fastest(Original.of(network), lambda: digest(network), num_examples)


def fastest(original: Original, name: Callable[[], str], num_examples: int) -> Look:
    """Choose what computes a network.

    Args:
        original: The network.
        name: Gives what stands for it in the cache.
        num_examples: How many pictures will pass.

    Returns:
        From crops, uint8 [B, S, S, 3], to the outputs, float32.

    Raises:
        ConfigError: If LiteRT is asked for and cannot compute this network.
    """
    why = why_tensorflow()
    if not why:
        path = cache_folder("engines") / f"{name()}.tflite"
        is_many = num_examples >= FEWEST or wanted_engine() == "litert"
        if is_many or path.is_file():
            why = keep(original, path)
            if not why:
                if num_examples >= MANY:
                    shape = original.look.input_signature[0].shape[1:]
                    calibrate(path, num_cores(), tuple(shape))
                return _lite(original.outputs, path)
        else:
            why = f"{num_examples} pictures are too few to convert a network for"
    if wanted_engine() == "litert":
        raise ConfigError(f"LiteRT cannot compute this network: {why}; --engine auto.")
    _log.info("engine: tensorflow (%s)", why)
    return original.look


def why_tensorflow() -> str:
    """Say why no network is converted here.

    Returns:
        The reason; "" where they are converted.
    """
    if wanted_engine() == "tensorflow":
        return "it is asked for"
    if wanted_engine() == "auto" and tf.config.list_physical_devices("GPU"):
        return "a GPU is there"
    if importlib.util.find_spec("ai_edge_litert") is None:
        return "ai-edge-litert is not installed"
    return ""


def _lite(structure: Any, path: Path) -> Look:
    lite = LiteNetwork(path, num_cores())
    with contextlib.suppress(OSError):
        os.utime(path)  # it was used now
    _log.info("engine: litert (%s), %d pictures at a time", path, lite.size)

    def look(crops: Any) -> Any:
        return tf.nest.pack_sequence_as(structure, lite(np.asarray(crops)))

    return look


def keep(original: Original, path: Path) -> str:
    """Convert a network unless that was tried before.

    Args:
        original: The network.
        path: The `.tflite` file to make, if it is not there.

    Returns:
        Why it cannot be done; "" where the file is there now.
    """
    if path.is_file():
        return ""
    refusal = path.with_suffix(".txt")
    with contextlib.suppress(OSError):
        return refusal.read_text("utf-8")
    try:
        if original.identity and prepare_features(original.identity(), path):
            return ""
        content = convert(original)
        with whole(path) as temporary:
            temporary.write_bytes(content)
            why = _difference(original, temporary)
            if why:
                raise ArithmeticError(why)
        prune(path.parent, MAX_BYTES)
    except OSError as error:
        return f"the cache cannot be written to ({error})"
    except Exception as error:  # the converter raises nearly every type
        why = " ".join(str(error).split())[:200] or type(error).__name__
        with contextlib.suppress(OSError), whole(refusal) as temporary:
            temporary.write_text(why, "utf-8")
        return why
    return ""


def convert(original: Original) -> bytes:
    """Convert a network for `LiteNetwork`.

    Args:
        original: The network.

    Returns:
        The file's content: from crops, uint8, to the outputs in their order.
    """

    @tf.function(input_signature=original.look.input_signature)
    def look(crops: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = tf.nest.flatten(original.look(crops))
        return {output_name(i): output for i, output in enumerate(outputs)}

    # Through a SavedModel: from_concrete_functions loses the weights of Keras 3.
    module = tf.Module()
    module.weights = list(original.weights)
    with tempfile.TemporaryDirectory() as folder, muted(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the converter uses what it deprecates
        signatures = {SIGNATURE: look.get_concrete_function()}
        tf.saved_model.save(module, folder, signatures=signatures)
        return tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=[SIGNATURE]
        ).convert()


def _difference(original: Original, path: Path) -> str:
    """Compare both engines on a few pictures; "" where they agree."""
    shape = (_SEEN, *original.look.input_signature[0].shape[1:])
    crops = np.random.default_rng(0).integers(0, 256, shape, "uint8")
    expected = tf.nest.flatten(original.look(crops))
    for wanted, found in zip(expected, LiteNetwork(path, 1)(crops), strict=True):
        wanted = np.asarray(wanted, "float32")
        off = float(np.abs(found - wanted).max() / max(np.abs(wanted).max(), 1e-30))
        if not off <= TOLERANCE:  # nor is NaN
            return f"its numbers are off by {off:.1e} of the largest"
    return ""


def digest(network: keras.Model) -> str:
    """Tell networks apart by what they compute, whatever their layers are called.

    Args:
        network: Any functional model.

    Returns:
        Hexadecimal digits of architecture, weights and versions.
    """
    hub = ["keras-hub"] if uses_hub(network) else []
    return identify(
        network,
        *(
            f"{name} {metadata.version(name)} {_METHOD};"
            for name in ("tensorflow", "keras", *hub)
        ),
    )


def identify(network: keras.Model, *versions: str) -> str:
    """Tell networks apart as `digest` does, on every machine alike.

    Args:
        network: Any functional model.
        versions: What else is to make a difference.

    Returns:
        Hexadecimal digits of architecture, weights and `versions`.
    """
    config = network.get_config()
    kept = {key: config[key] for key in config if key not in _IDLE}
    found = hashlib.sha256(json.dumps(_plain(kept, {}), sort_keys=True).encode())
    for version in versions:
        found.update(version.encode())
    for value in network.get_weights():
        found.update(f"{value.dtype} {value.shape}".encode())
        found.update(np.ascontiguousarray(value).data)
    return found.hexdigest()[:32]


def _plain(config: Any, names: dict[str, str]) -> Any:
    """Leave out of a configuration what does not change the numbers."""
    if isinstance(config, Mapping):
        if isinstance(config.get("name"), str):
            names.setdefault(config["name"], f"#{len(names)}")
        return {
            key: _plain(value, names)
            for key, value in config.items()
            if key not in _IDLE and not key.endswith(("initializer", "regularizer"))
        }
    if isinstance(config, list | tuple):
        return [_plain(value, names) for value in config]
    if isinstance(config, str):
        return names.get(config, config)
    return config if isinstance(config, int | float | None) else repr(config)
