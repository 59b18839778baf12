"""Would TF Serving load this export, and answer what Keras answers?"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from pixsent_tf.data.pipeline import decode_canvas
from pixsent_tf.errors import ExportError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models.rounding import operations_of, rounding
from pixsent_tf.serving import c_api
from pixsent_tf.serving.signature import UNREADABLE

_SIZES = ((48, 64), (300, 200), (97, 531))


def serve_check(
    saved_model: str | os.PathLike[str],
    model: SentimentModel,
    files: Sequence[bytes] | None = None,
    *,
    timeout_seconds: float = 300,
) -> float:
    """Load an export as TF Serving does and compare its answers with Keras'.

    The process that loads it has XLA switched off and no Python package at hand. A file
    that is no picture goes along; it must be the only one that is unreadable.

    Args:
        saved_model: The version's folder.
        model: What was exported.
        files: JPEG, PNG, GIF, BMP or WebP files; three drawn ones if None.
        timeout_seconds: When to give up.

    Returns:
        The largest difference of a probability, or of a rating.

    Raises:
        ExportError: If it does not load, answers otherwise, or marks the wrong file.
    """
    files = draw_probes() if files is None else list(files)
    expected = predict_files(model, files)
    requests = [
        base64.b64encode(content).decode() for content in [*files, b"no picture"]
    ]
    answer = run_c_api(
        saved_model, "serving_default", requests, timeout_seconds=timeout_seconds
    )
    wanted = [True] * len(files) + [False]
    last = answer["answer"][-1] if model.rating is None else UNREADABLE
    if answer["valid"] != wanted or last != UNREADABLE:
        raise ExportError(
            f"{saved_model} answers valid={answer['valid']} instead of {wanted}; "
            f"export again with the TensorFlow that serves."
        )
    numbers = answer["probs" if model.rating is None else "ratings"]
    difference = float(np.abs(np.array(numbers)[:-1] - expected).max())
    # A probability moves by half as much as its logits, at most; a rating as itself.
    scale = max(1.0, float(-np.log(expected).min()) / 2)
    if model.rating is not None:
        scale = max(map(abs, model.rating.scale))
    allowed = rounding(operations=operations_of(model.model), scale=scale)
    if difference > allowed:
        raise ExportError(
            f"{saved_model} answers differ from Keras' by {difference:.2g}, more than "
            f"the {allowed:.1g} that rounding explains; export again with the "
            f"TensorFlow that serves."
        )
    return difference


def predict_files(model: SentimentModel, files: Sequence[bytes]) -> np.ndarray:
    """Score files with Keras, one at a time.

    Args:
        model: The model.
        files: Pictures that TensorFlow can decode.

    Returns:
        Probabilities, float32 [N, K].
    """
    rows = []
    for content in files:
        canvas = decode_canvas(tf.constant(content), model.preprocessor)
        rows.append(model.probs(canvas[None]))
    return np.concatenate(rows)


def draw_probes() -> list[bytes]:
    """Draw pictures to test a model with.

    Returns:
        JPEG files of waves in different sizes and colors.
    """
    probes = []
    for number, (height, width) in enumerate(_SIZES, start=1):
        y, x = np.mgrid[:height, :width] / 16
        waves = [np.sin(x * number), np.cos(y), np.sin(x + y * number)]
        pixels = np.stack(waves, axis=-1) * 100 + 128
        probes.append(tf.io.encode_jpeg(pixels.astype("uint8")).numpy())
    return probes


def run_c_api(
    saved_model: str | os.PathLike[str],
    signature: str,
    request: c_api.Request,
    *,
    timeout_seconds: float = 300,
) -> dict[str, Any]:
    """Run a signature through TensorFlow's C API in a bare process.

    Args:
        saved_model: The version's folder.
        signature: Its name.
        request: As `c_api` takes it.
        timeout_seconds: When to give up.

    Returns:
        The outputs as lists, by name.

    Raises:
        ExportError: If the process fails or takes too long.
    """
    spec = importlib.util.find_spec("tensorflow")
    assert spec is not None
    assert spec.origin is not None
    # -I and -S: neither the environment nor site-packages, hence no package at all.
    command = [sys.executable, "-I", "-S", c_api.__file__, os.path.dirname(spec.origin)]
    try:
        done = subprocess.run(
            [*command, str(Path(saved_model).resolve()), signature],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ExportError(
            f"{saved_model} gave no answer within {timeout_seconds:.0f} seconds."
        ) from None
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise ExportError(
            f"{saved_model} does not run as TF Serving runs it: "
            f"{lines[-1] if lines else f'exit code {done.returncode}'}"
        )
    return json.loads(done.stdout)
