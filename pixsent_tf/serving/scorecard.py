"""What does an export lose and gain, beside the model that it came from?"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pixsent_tf.errors import ExportError
from pixsent_tf.evaluation.ratings import measure
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.results.files import ExportScore, FileCard

OF_CLASSES, OF_RATINGS = ("accuracy", "flips"), ("r", "RMSE")
OF_BOTH = ("max change", "MB", "ms, 1 thread", "2 threads")
_BATCH = 32
_WARM_UP = 3


# A file of weights in the program that runs it: crops, uint8 [1, S, S, 3] -> their
# probabilities, float32 [1, K], or ratings, float32 [1, T].
Runtime = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Score:
    """One line of the table.

    Attributes:
        name: What was scored.
        accuracy: On the pictures that the run held out, 0…1; None for ratings.
        flips: Pictures whose answer is another one than Keras'; None for ratings.
        max_change: Largest difference of a probability, or a rating, from Keras'.
        size_bytes: Of the file; None for Keras.
        latency_ms: Median time for one crop, by number of threads.
        pearson_r: On those pictures, mean over the targets; None for classes.
        rmse: Likewise.
    """

    name: str
    accuracy: float | None
    flips: int | None
    max_change: float
    size_bytes: int | None = None
    latency_ms: dict[int, float] = dataclasses.field(default_factory=dict)
    pearson_r: float | None = None
    rmse: float | None = None

    @property
    def worth(self) -> float:
        """What an export must not lose: accuracy, or the correlation of ratings."""
        return (self.pearson_r if self.accuracy is None else self.accuracy) or 0.0


def keras_probs(model: SentimentModel, crops: np.ndarray) -> np.ndarray:
    """Score crops with Keras.

    Args:
        model: The model.
        crops: uint8, [N, S, S, 3].

    Returns:
        Probabilities, float32 [N, K], or ratings, float32 [N, T].
    """
    parts = [np.zeros((0, model.model.output_shape[-1]), "float32")]
    for start in range(0, len(crops), _BATCH):
        parts.append(model.score(crops[start : start + _BATCH]).numpy())
    return np.concatenate(parts)


def probs_of(runtime: Runtime, crops: np.ndarray) -> np.ndarray:
    """Score crops, one after the other.

    Args:
        runtime: What scores them.
        crops: uint8, [N, S, S, 3].

    Returns:
        Probabilities, float32 [N, K], or ratings, float32 [N, T].
    """
    return np.concatenate([runtime(crop[None]) for crop in crops])


def latency_ms(runtime: Runtime, crop: np.ndarray, repeats: int = 30) -> float:
    """Measure how long one crop takes.

    Args:
        runtime: What scores it.
        crop: uint8, [S, S, 3].
        repeats: Number of measurements.

    Returns:
        The median, in milliseconds.
    """
    durations = []
    for _ in range(_WARM_UP + repeats):
        started = time.perf_counter()
        runtime(crop[None])
        durations.append(time.perf_counter() - started)
    return float(np.median(durations[_WARM_UP:]) * 1000)


def score_probs(
    name: str, *, probs: np.ndarray, reference: np.ndarray, labels: np.ndarray
) -> Score:
    """Compare probabilities with those of the model before export.

    Args:
        name: What gave them.
        probs: Of the export, float [N, K].
        reference: Of Keras, float [N, K].
        labels: Class indices, int [N].

    Returns:
        The score, without size and speed.
    """
    best = probs.argmax(axis=1)
    return Score(
        name,
        accuracy=float((best == labels).mean()),
        flips=int((best != reference.argmax(axis=1)).sum()),
        max_change=float(np.abs(probs - reference).max()),
    )


def score_ratings(
    name: str, *, answers: np.ndarray, reference: np.ndarray, ratings: np.ndarray
) -> Score:
    """Compare ratings with those of the model before export.

    Args:
        name: What gave them.
        answers: Of the export, float [N, T].
        reference: Of Keras, float [N, T].
        ratings: What raters said, float [N, T].

    Returns:
        The score, without size and speed.
    """
    each = [
        measure(ratings=said, answers=answer)
        for said, answer in zip(ratings.T, answers.T, strict=True)
    ]
    return Score(
        name,
        accuracy=None,
        flips=None,
        max_change=float(np.abs(answers - reference).max()),
        pearson_r=float(np.mean([one["pearson_r"] or 0.0 for one in each])),
        rmse=float(np.mean([one["rmse"] or 0.0 for one in each])),
    )


def check_drop(scores: Sequence[Score], max_drop: float | None) -> None:
    """Refuse an export that loses too much accuracy, or gives no numbers.

    Args:
        scores: Keras' first, the export's last.
        max_drop: Largest loss of accuracy, or of the correlation of ratings, 0…1; None
            accepts any.

    Raises:
        ExportError: If it loses more, or answers are not finite.
    """
    for score in scores:
        if not np.isfinite(score.max_change):
            raise ExportError(
                f"{score.name} answers with numbers that are not finite; nothing was "
                f"written. Try --quantize none, or train the model again with a "
                f"smaller training.learning_rate."
            )
    before, after = scores[0].worth, scores[-1].worth
    what = "accuracy" if scores[0].pearson_r is None else "correlation"
    if max_drop is not None and before - after > max_drop:
        raise ExportError(
            f"{scores[-1].name} loses {before - after:.4f} of {what} ({before:.4f} to "
            f"{after:.4f}), more than --max-drop {max_drop}; nothing was written. Try "
            f"--quantize float16."
        )


def to_rows(scores: Sequence[Score]) -> list[tuple[str, ...]]:
    """Format scores for a table.

    Args:
        scores: The lines.

    Returns:
        The names of the columns, and one tuple of texts per score.
    """
    of_one_kind = OF_CLASSES if scores[0].pearson_r is None else OF_RATINGS
    return [
        ("model", *of_one_kind, *OF_BOTH),
        *map(_to_row, scores),
    ]


def _to_row(score: Score) -> tuple[str, ...]:
    if score.pearson_r is None:
        quality = f"{score.accuracy:.4f}", str(score.flips)
    else:
        quality = f"{score.pearson_r:.4f}", f"{score.rmse:.4f}"
    return (
        score.name,
        *quality,
        f"{score.max_change:.2g}",
        "" if score.size_bytes is None else f"{score.size_bytes / 1e6:.1f}",
        *(f"{score.latency_ms[n]:.1f}" if score.latency_ms else "" for n in (1, 2)),
    )


def to_json(scores: Sequence[Score]) -> list[ExportScore]:
    """Give scores for a JSON file.

    Args:
        scores: The lines.

    Returns:
        One entry per score.
    """
    return [
        {
            "name": score.name,
            "accuracy": score.accuracy,
            "flips": score.flips,
            "pearson_r": score.pearson_r,
            "rmse": score.rmse,
            "max_change": score.max_change,
            "size_bytes": score.size_bytes,
            "latency_ms": {str(n): time for n, time in score.latency_ms.items()},
        }
        for score in scores
    ]


def to_card(title: str, description: FileCard, scores: Sequence[Score]) -> str:
    """Write the page that goes with an export.

    Args:
        title: Its heading.
        description: What an app has to know, as in the JSON file.
        scores: The table.

    Returns:
        Markdown.
    """
    geometry = description["preprocess"]
    shape, rating = description["input"]["shape"], description["rating"]
    answers = "float32, one probability per class"
    names = description["class_names"]
    if rating is not None:
        low, high = rating["scale"]
        answers = f"float32, ratings from {low:g} to {high:g}"
        names = rating["targets"]
    how = {
        "squash": "Resize the upright picture",
        "crop": "Cut the largest square from the middle of the upright picture, resize",
    }[geometry["fit"]]
    canvas, side = geometry["canvas_size"], geometry["crop_size"]
    header, *lines = to_rows(scores)
    rows = [header, ("---",) * len(header), *lines]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    against = '"flips" and "max change" are' if rating is None else '"max change" is'
    return f"""# {title}

* Input `crops`: uint8 {shape}, RGB, 0..255. No normalization: the model does it.
* Output `{description["output"]["name"]}`: {answers}: {", ".join(names)}.
* To make the crop: {how} to {canvas}x{canvas} pixels
  ({geometry["resample"]}, antialiased), then cut the central {side}x{side}.

On the {description["num_examples"]} pictures that the training held out; {against}
against the Keras model:

{table}
"""
