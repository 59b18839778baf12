"""How does a model become an ONNX file, and what does that answer?

As for TFLite the file starts at the crop: `crops` uint8 [B, S, S, 3] -> `probs` float32
[B, K], or `ratings` float32 [B, T].
"""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np

from pixsent_tf.errors import ExportError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.serving.scorecard import Runtime

CROPS = "crops"
_MISSING = "{} is not installed; get it with: pip install 'pixsent-tf[onnx]'"


def convert(model: SentimentModel) -> bytes:
    """Convert a model with Keras' own exporter.

    Args:
        model: The model.

    Returns:
        The file's content.

    Raises:
        ExportError: If a package is missing or the model does not convert.
    """
    side = model.preprocessor.config.crop_size
    crops = keras.Input((side, side, 3), dtype="uint8", name=CROPS)
    numbers = model.output(model.classifier(crops))
    flat = keras.Model(crops, {model.answer_name: numbers})
    flat(np.zeros((1, side, side, 3), "uint8"))  # Keras exports what was called once
    try:
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise ExportError(_MISSING.format("tf2onnx")) from error
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own use of old NumPy names
        # what it calls an error there, `_mend` puts right
        logging.getLogger("tf2onnx.tfonnx").setLevel(logging.CRITICAL)
        path = Path(folder, "model.onnx")
        try:
            flat.export(str(path), format="onnx", verbose=False)
        except Exception as error:  # the converter raises nearly every type
            what = str(error).strip().splitlines()[0]
            raise ExportError(
                f"ONNX cannot express this model: {what}; use savedmodel or tflite."
            ) from error
        return _mend(path.read_bytes())


def _mend(content: bytes) -> bytes:
    """Put right what the converter leaves behind of a transformer.

    Its GELU asks for erfc, which ONNX has not: 1 - erf is the same. Numbers that the
    network keeps as plain tensors stay behind as inputs, though they are constants.
    """
    import onnx

    made = onnx.load_model_from_string(content)
    nodes = [part for node in made.graph.node for part in _known(node)]
    used = {name for node in nodes for name in node.input}
    inputs = [one for one in made.graph.input if one.name in used]
    foreign = [one.name for one in inputs if one.name != CROPS]
    if foreign:
        raise ExportError(
            f"ONNX cannot express this model: it asks for {foreign[0]}; use savedmodel "
            f"or tflite."
        )
    for parts, kept in ((made.graph.node, nodes), (made.graph.input, inputs)):
        del parts[:]
        parts.extend(kept)
    return made.SerializeToString()


def _known(node: Any) -> list[Any]:
    """Write a node by operations that ONNX has."""
    from onnx import TensorProto, helper

    if node.op_type != "Erfc":
        return [node]
    (given,), (wanted,) = node.input, node.output
    one, erf = f"{wanted}/one", f"{wanted}/erf"
    value = helper.make_tensor(one, TensorProto.FLOAT, [], [1.0])
    return [
        helper.make_node("Constant", [], [one], value=value),
        helper.make_node("Erf", [given], [erf]),
        helper.make_node("Sub", [one, erf], [wanted]),
    ]


def open_runtime(path: str | os.PathLike[str], num_threads: int = 1) -> Runtime:
    """Open a file in ONNX Runtime.

    Args:
        path: The file.
        num_threads: Processor cores to use.

    Returns:
        What it answers.

    Raises:
        ExportError: If ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ExportError(_MISSING.format("onnxruntime")) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    session = onnxruntime.InferenceSession(os.fspath(path), options)
    return lambda crops: session.run(None, {CROPS: crops})[0]
