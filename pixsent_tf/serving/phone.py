"""How does a run become a file for a phone, and is that file still as good?

    NAME.tflite or NAME.onnx   the model, from crop to probabilities
    NAME.json                  input, output, classes, geometry, and the scores
    NAME.md                    the same for people

An export is scored before anything is written.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pixsent_tf import runs
from pixsent_tf.errors import ExportError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.results.files import FileCard, FileDescription
from pixsent_tf.runs import Run
from pixsent_tf.serving import onnx, scorecard, tflite
from pixsent_tf.serving.lite import LiteModel
from pixsent_tf.serving.samples import Samples, read_samples
from pixsent_tf.serving.scorecard import Runtime, Score
from pixsent_tf.whole import whole

THREADS = (1, 2)


@dataclass(frozen=True)
class DeviceExport:
    """What was written.

    Attributes:
        path: The model's file.
        scores: Keras', the float file's where there is one, and the export's.
        description: What the JSON file holds.
    """

    path: Path
    scores: list[Score]
    description: FileCard


def export_tflite(
    run: Run,
    path: str | os.PathLike[str],
    *,
    quantize: str = "none",
    max_drop: float | None = None,
    source: str | None = None,
) -> DeviceExport:
    """Convert a run's model to TFLite and score it on what the run held out.

    Args:
        run: A run of `fit`.
        path: The file to make, `*.tflite`.
        quantize: One of `tflite.QUANTIZATIONS`.
        max_drop: Largest loss of accuracy to accept, 0…1; None accepts any.
        source: Where the run's data is now; where it was then if None.

    Returns:
        What was written.

    Raises:
        ExportError: If it does not convert, loses too much, or exists already.
        DataError: If the data is not there any more.
    """
    target = _free(path)
    model = SentimentModel.load(run.path)
    samples = read_samples(run, model.preprocessor, source=source)
    contents = {}
    for name in dict.fromkeys(("none", quantize)):
        contents[name] = tflite.convert(model, name, samples.training)
    labels = {name: f"tflite {name}" for name in contents} | {"none": "tflite float"}
    scores = score_contents(
        {labels[name]: content for name, content in contents.items()},
        model,
        samples,
        LiteModel,
    )
    scorecard.check_drop(scores, max_drop)
    tflite.write_tflite(contents[quantize], model, target)
    description = tflite.describe(target, quantize, model)
    return _document(target, description, scores, len(samples.labels))


def export_onnx(
    run: Run,
    path: str | os.PathLike[str],
    *,
    max_drop: float | None = None,
    source: str | None = None,
) -> DeviceExport:
    """Convert a run's model to ONNX and score it on what the run held out.

    Args:
        run: A run of `fit`.
        path: The file to make, `*.onnx`.
        max_drop: As in `export_tflite`.
        source: As in `export_tflite`.

    Returns:
        What was written.

    Raises:
        ExportError: If it does not convert, loses too much, or exists already.
        DataError: If the data is not there any more.
    """
    target = _free(path)
    model = SentimentModel.load(run.path)
    content = onnx.convert(model)
    samples = read_samples(run, model.preprocessor, source=source)
    scores = score_contents({"onnx": content}, model, samples, onnx.OnnxModel)
    scorecard.check_drop(scores, max_drop)
    with whole(target) as temporary:
        temporary.write_bytes(content)
    description = tflite.describe(target, "none", model)
    description["input"]["shape"][0] = description["output"]["shape"][0] = "B"
    return _document(target, description, scores, len(samples.labels))


def score_contents(
    contents: dict[str, bytes],
    model: SentimentModel,
    samples: Samples,
    runtime: Callable[[str, int], Runtime],
) -> list[Score]:
    """Score exports beside the Keras model.

    Args:
        contents: The files' contents by name.
        model: What they were made from.
        samples: Held-out pictures.
        runtime: Opens a file with a number of threads.

    Returns:
        Keras' score and the exports', in their order.

    Raises:
        ExportError: If no picture was held out.
    """
    if len(samples.labels) == 0:
        raise ExportError(
            "None of the pictures that the run held out can be read, so the export "
            "cannot be scored; name where they are with --data."
        )
    reference = scorecard.keras_probs(model, samples.held_out)
    truth = {"reference": reference, "labels": samples.labels}
    scores = [scorecard.score_probs("keras", probs=reference, **truth)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model")
        for name, content in contents.items():
            file.write_bytes(content)
            models = {n: runtime(str(file), n) for n in THREADS}
            probs = models[THREADS[-1]].predict(samples.held_out)
            crop = samples.held_out[0]
            scores.append(
                dataclasses.replace(
                    scorecard.score_probs(name, probs=probs, **truth),
                    size_bytes=len(content),
                    latency_ms={n: m.latency_ms(crop) for n, m in models.items()},
                )
            )
    return scores


def _free(path: str | os.PathLike[str]) -> Path:
    """Refuse early, before minutes of conversion, to overwrite."""
    if Path(path).exists():
        raise ExportError(f"{path} exists already; name another file with --out.")
    return Path(path)


def _document(
    path: Path, description: FileDescription, scores: list[Score], num_examples: int
) -> DeviceExport:
    card: FileCard = {
        **description,
        "num_examples": num_examples,
        "scores": scorecard.to_json(scores),
    }
    text = json.dumps(card, indent=2, allow_nan=False) + "\n"
    runs.write_text(path.with_suffix(".json"), text)
    page = scorecard.to_card(path.stem, card, scores)
    runs.write_text(path.with_suffix(".md"), page)
    return DeviceExport(path, scores, card)
