"""How does a model become a file that a phone runs, and what does that answer?

A phone decodes and crops pictures itself, so the file starts at the crop:

    crops   uint8 [1, S, S, 3], RGB 0..255   ->   probs   float32 [1, K]

whatever the numbers inside; a model of ratings gives `ratings` float32 [1, T]. The
signature is `serving_default`; the file ends with a zip archive that holds the names of
the classes, or of the ratings, and the geometry of the crop.
"""

from __future__ import annotations

import os
import re
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from pixsent_tf.errors import ExportError
from pixsent_tf.inference.litert import muted, open_runner
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.serving.saved_model import write_assets
from pixsent_tf.serving.scorecard import Runtime
from pixsent_tf.whole import whole

QUANTIZATIONS = ("none", "float16", "dynamic", "int8")
SIGNATURE = "serving_default"


def convert(
    model: SentimentModel,
    quantize: str = "none",
    representative: np.ndarray | None = None,
) -> bytes:
    """Convert a model to a TFLite file.

    Args:
        model: The model.
        quantize: "none" keeps float32; "float16" halves the file; "dynamic" keeps
            weights in 8 bits and computes in floats; "int8" computes in 8 bits.
        representative: Crops of the pictures that trained it, uint8 [N, S, S, 3]; what
            "int8" takes the ranges of activations from.

    Returns:
        The file's content.

    Raises:
        ExportError: If the model does not convert, or "int8" has no pictures.
    """
    _check(model, quantize, representative)
    # Integers arrive as floats here: the converter then makes the input an integer of
    # its own, and no conversion of types is left in the graph.
    dtype = tf.float32 if quantize == "int8" else tf.uint8
    with tempfile.TemporaryDirectory() as folder, muted(), warnings.catch_warnings():
        # The converter uses it itself.
        warnings.filterwarnings("ignore", r"\s*Warning: tf.lite.Interpreter is dep")
        _save_crops_model(model, folder, dtype)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=[SIGNATURE]
        )
        if quantize != "none":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if quantize == "int8":
            assert representative is not None
            converter.representative_dataset = lambda: _calibration(representative)
            builtins = tf.lite.OpsSet.TFLITE_BUILTINS_INT8
            converter.target_spec.supported_ops = [builtins]
            converter.inference_input_type = tf.uint8
        try:
            content = converter.convert()
        except Exception as error:  # the converter raises nearly every type
            raise ExportError(
                f"TFLite cannot convert this model with --quantize {quantize}: "
                f"{_reason(error)}; try another --quantize, or another backbone."
            ) from error
    return content


def write_tflite(
    content: bytes, model: SentimentModel, path: str | os.PathLike[str]
) -> Path:
    """Write a TFLite file with the names of the classes inside.

    Args:
        content: What `convert` returned.
        model: The model; its assets go along.
        path: The file to make.

    Returns:
        The file.
    """
    path = Path(path)
    with whole(path) as temporary, tempfile.TemporaryDirectory() as folder:
        temporary.write_bytes(content)
        with zipfile.ZipFile(temporary, "a") as file:
            for asset in write_assets(model, Path(folder)):
                file.write(asset, Path(asset).name)
    return path


def read_class_names(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Read the names of the classes from a TFLite file.

    Args:
        path: A file that `write_tflite` made.

    Returns:
        Names by class index.
    """
    with zipfile.ZipFile(path) as file:
        return tuple(file.read("class_names.txt").decode().splitlines())


def open_runtime(path: str | os.PathLike[str], num_threads: int = 1) -> Runtime:
    """Open a file in LiteRT's interpreter, as on a phone.

    Args:
        path: The file.
        num_threads: Processor cores to use.

    Returns:
        What it answers.
    """
    runner = open_runner(path, SIGNATURE, num_threads)
    return lambda crops: next(iter(runner(crops=crops).values()))


def _check(
    model: SentimentModel, quantize: str, representative: np.ndarray | None
) -> None:
    if quantize not in QUANTIZATIONS:
        raise ExportError(
            f"No quantization {quantize!r}; it is one of {', '.join(QUANTIZATIONS)}."
        )
    if quantize == "int8" and (representative is None or len(representative) == 0):
        raise ExportError(
            "int8 needs pictures that the model was trained on, to see how large its "
            "activations are; name where they are with --data."
        )
    for layer in model.classifier.layers:
        if not isinstance(layer, keras.layers.InputLayer) and layer.compute_dtype in (
            "float16",
            "bfloat16",
        ):
            raise ExportError(
                f"The layer {layer.name!r} computes in {layer.compute_dtype}, which "
                f"TFLite does not take; train in float32 and export with float16."
            )


def _reason(error: Exception) -> str:
    """Say in a few words what a page of the converter's output says."""
    operation = re.search(r"'tf\.(\w+)' op is neither", str(error))
    if operation:
        return f"it has no operation {operation[1]}"
    return str(error).strip().splitlines()[0][:200]


def _save_crops_model(model: SentimentModel, folder: str, dtype: tf.DType) -> None:
    side = model.preprocessor.config.crop_size

    @tf.function(input_signature=[tf.TensorSpec([1, side, side, 3], dtype, "crops")])
    def answer(crops: tf.Tensor) -> dict[str, tf.Tensor]:
        pixels = tf.cast(crops, tf.float32)
        numbers = model.output(model.classifier(pixels, training=False))
        return {model.answer_name: numbers}

    module = tf.Module()
    module.weights = [variable.value for variable in model.model.variables]
    signatures = {SIGNATURE: answer.get_concrete_function()}
    tf.saved_model.save(module, folder, signatures=signatures)


def _calibration(crops: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    """Yield crops, and a black and a white one: levels then stay integers."""
    yield {"crops": np.zeros_like(crops[:1], dtype="float32")}
    yield {"crops": np.full_like(crops[:1], 255, dtype="float32")}
    for crop in crops:
        yield {"crops": crop[None].astype("float32")}
