"""How does a run become one file, and is that file still as good?

    NAME.tflite or NAME.onnx   the model, from crop to probabilities, or ratings
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
from typing import Literal

import numpy as np

from pixsent_tf import runs
from pixsent_tf.errors import ExportError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.results.files import FileCard, FileDescription
from pixsent_tf.runs import Run
from pixsent_tf.serving import onnx, scorecard, tflite
from pixsent_tf.serving.samples import Samples, read_samples
from pixsent_tf.serving.scorecard import Runtime, Score
from pixsent_tf.whole import whole

Form = Literal["tflite", "onnx"]
THREADS = (1, 2)


@dataclass(frozen=True)
class ScoredExport:
    """What was written.

    Attributes:
        path: The model's file.
        scores: Keras', the float file's where there is one, and the export's.
        description: What the JSON file holds.
    """

    path: Path
    scores: list[Score]
    description: FileCard


def export_file(
    run: Run,
    path: str | os.PathLike[str],
    form: Form = "tflite",
    *,
    quantize: str = "none",
    max_drop: float | None = None,
    source: str | None = None,
) -> ScoredExport:
    """Convert a run's model and score the file on what the run held out.

    Args:
        run: A run of `fit`.
        path: The file to make.
        form: What kind of file.
        quantize: One of `tflite.QUANTIZATIONS`; "none" for ONNX.
        max_drop: Largest loss of accuracy, or of the correlation of ratings, to accept,
            0…1; None accepts any.
        source: Where the run's data is now; where it was then if None.

    Returns:
        What was written.

    Raises:
        ExportError: If it does not convert, loses too much, or exists already.
        DataError: If the data is not there any more.
    """
    target = _free(path)
    model = SentimentModel.load(run.path)
    contents = {"onnx": onnx.convert(model)} if form == "onnx" else {}
    samples = read_samples(run, model.preprocessor, source=source)
    contents = contents or _to_tflite(model, quantize, samples.training)
    open_runtime = onnx.open_runtime if form == "onnx" else tflite.open_runtime
    scores = score_contents(contents, model, samples, open_runtime)
    scorecard.check_drop(scores, max_drop)
    *_, content = contents.values()
    if form == "onnx":
        with whole(target) as temporary:
            temporary.write_bytes(content)
    else:
        tflite.write_tflite(content, model, target)
    card: FileCard = {
        **_describe(target, form, quantize, model),
        "num_examples": len(samples.labels),
        "scores": scorecard.to_json(scores),
    }
    text = json.dumps(card, indent=2, allow_nan=False) + "\n"
    runs.write_text(target.with_suffix(".json"), text)
    page = scorecard.to_card(target.stem, card, scores)
    runs.write_text(target.with_suffix(".md"), page)
    return ScoredExport(target, scores, card)


def _to_tflite(
    model: SentimentModel, quantize: str, representative: np.ndarray
) -> dict[str, bytes]:
    """Convert to floats, and to what is asked for if that is something else."""
    contents = {"tflite float": tflite.convert(model)}
    if quantize != "none":
        content = tflite.convert(model, quantize, representative)
        contents[f"tflite {quantize}"] = content
    return contents


def score_contents(
    contents: dict[str, bytes],
    model: SentimentModel,
    samples: Samples,
    open_runtime: Callable[[str, int], Runtime],
) -> list[Score]:
    """Score exports beside the Keras model.

    Args:
        contents: The files' contents by name.
        model: What they were made from.
        samples: Held-out pictures.
        open_runtime: Opens a file with a number of threads.

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

    def compare(name: str, found: np.ndarray) -> Score:
        if model.rating is not None:
            return scorecard.score_ratings(
                name, answers=found, reference=reference, ratings=samples.labels
            )
        return scorecard.score_probs(
            name, probs=found, reference=reference, labels=samples.labels
        )

    scores = [compare("keras", reference)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model")
        for name, content in contents.items():
            file.write_bytes(content)
            runtimes = {n: open_runtime(str(file), n) for n in THREADS}
            found = scorecard.probs_of(runtimes[THREADS[-1]], samples.held_out)
            crop = samples.held_out[0]
            latency_ms = {n: scorecard.latency_ms(r, crop) for n, r in runtimes.items()}
            scores.append(
                dataclasses.replace(
                    compare(name, found),
                    size_bytes=len(content),
                    latency_ms=latency_ms,
                )
            )
    return scores


def _free(path: str | os.PathLike[str]) -> Path:
    """Refuse early, before minutes of conversion, to overwrite."""
    if Path(path).exists():
        raise ExportError(f"{path} exists already; name another file with --out.")
    return Path(path)


def _describe(
    path: Path, form: Form, quantize: str, model: SentimentModel
) -> FileDescription:
    """Say what an app has to know about a file."""
    config, rating = model.preprocessor.config, model.rating
    width = model.model.output_shape[-1]
    batch: int | str = "B" if form == "onnx" else 1
    crop = [batch, config.crop_size, config.crop_size, 3]
    return {
        "file": path.name,
        "quantize": quantize,
        "size_bytes": path.stat().st_size,
        "signature": tflite.SIGNATURE,
        "input": {"name": "crops", "dtype": "uint8", "shape": crop},
        "output": {
            "name": model.answer_name,
            "dtype": "float32",
            "shape": [batch, width],
        },
        "class_names": list(model.class_names),
        "rating": None
        if rating is None
        else {
            "targets": list(rating.targets),
            "scale": list(rating.scale),
            "half_widths": list(rating.half_widths),
        },
        "preprocess": dataclasses.asdict(config),
    }
