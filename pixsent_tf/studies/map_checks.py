"""Do a model's maps show what it uses? (`pixsent-tf maps --check`)"""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from pixsent_tf.analysis import faithfulness
from pixsent_tf.analysis.maps import SentimentMapper
from pixsent_tf.data.pipeline import PictureStream
from pixsent_tf.errors import DataError
from pixsent_tf.evaluation.intervals import bootstrap_interval, wilson_interval
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.sweep import compile_look
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.studies.maps import binary_mapper

BOXES = "boxes.csv"  # where the truth is, beside the drawn sample


def check_faithfulness(
    model: SentimentModel,
    paths: Sequence[str],
    *,
    seed: int = 0,
    progress: Progress = NO_PROGRESS,
) -> dict[str, Any]:
    """Measure whether maps show what the model uses.

    Args:
        model: The model.
        paths: Pictures, labelled or not: the model's own answer is explained.
        seed: Of random orders and random weights.
        progress: Hears how far it is.

    Returns:
        `deletion` and `insertion`, each the mean area by order, and how much the map's
        order is better than the random and the center one (`gain_over_random`,
        `gain_over_center`), with intervals; `correlation_with_random_weights`, the mean
        over pictures; `num_examples`.

    Raises:
        ConfigError: If the model has more than two classes, or nothing to map.
        DataError: If no picture can be read.
    """
    mapper = binary_mapper(model)
    preprocessor = model.preprocessor
    unknowing = faithfulness.with_random_weights(model.classifier, seed=seed)
    untrained = SentimentMapper(
        SentimentModel.build(unknowing, preprocessor.config, model.class_names)
    )
    score = _score(model)
    measured, correlations = [], []
    for number, image in PictureStream(paths, progress, "checking"):
        canvas = preprocessor.to_canvas(tf.constant(image))
        crop = preprocessor.center_crop(canvas[None]).numpy()
        label = int(score(crop.astype("float32"))[0].argmax())
        importance, other = (
            _importance(one.crop_logits(crop)[0], label) for one in (mapper, untrained)
        )
        correlations.append(faithfulness.correlation(importance, other))
        measured.append(
            faithfulness.areas(score, crop[0], importance, label=label, seed=number)
        )
    return {
        "num_examples": len(measured),
        "kind": mapper.kind,
        "deletion": _summary([one["deletion"] for one in measured], sign=-1),
        "insertion": _summary([one["insertion"] for one in measured], sign=1),
        "correlation_with_random_weights": float(np.mean(correlations)),
    }


def _score(model: SentimentModel) -> faithfulness.Score:
    """Compile the answer to crops that are partly blurred, float32."""
    side = model.preprocessor.config.crop_size
    look = compile_look(model.classifier, side, after=model.output, dtype=tf.float32)
    return lambda crops: look(crops).numpy()


def _importance(logits: np.ndarray, label: int) -> np.ndarray:
    """How much more each cell says one class than the other, [h, w]."""
    return logits[..., label] - logits[..., 1 - label]


def _summary(areas: Sequence[Any], *, sign: int) -> dict[str, Any]:
    columns = {way: np.array([one[way] for one in areas]) for way in areas[0]}
    summary: dict[str, Any] = {way: float(v.mean()) for way, v in columns.items()}
    for baseline in ("random", "center"):
        gain = sign * (columns["map"] - columns[baseline])
        summary[f"gain_over_{baseline}"] = float(gain.mean())
        summary[f"gain_over_{baseline}_interval"] = list(bootstrap_interval(gain))
    return summary


def read_boxes(path: Path) -> dict[str, dict[str, Any]]:
    """Read where face and mouth of the drawn sample are.

    Args:
        path: `boxes.csv` of the sample.

    Returns:
        `label`, `face` and `mouth` (left, top, right, bottom) by path.
    """
    sides = ("left", "top", "right", "bottom")
    with path.open(encoding="utf-8", newline="") as file:
        return {
            str(path.parent / row["path"]): {
                "label": row["label"],
                **{
                    part: tuple(float(row[f"{part}_{side}"]) for side in sides)
                    for part in ("face", "mouth")
                },
            }
            for row in csv.DictReader(file)
        }


def pointing_game(
    model: SentimentModel,
    boxes: Path,
    *,
    wanted: Collection[str] | None = None,
    progress: Progress = NO_PROGRESS,
) -> dict[str, Any]:
    """Count how often the map's peak for the true class lies where the truth is.

    Args:
        model: A model of the drawn sample.
        boxes: `boxes.csv` of the sample.
        wanted: Pictures that count, such as those held out; all if None.
        progress: Hears how far it is.

    Returns:
        `face` and `mouth`: the share of hits, its interval, and the share that a peak
        anywhere would reach (`chance`); `num_examples`.

    Raises:
        DataError: If none of the wanted pictures has a box, or none can be read.
    """
    mapper, table = binary_mapper(model), read_boxes(boxes)
    counted = set(table if wanted is None else wanted)
    names = [path for path in table if path in counted]
    if not names:
        raise DataError(f"{boxes} names none of the pictures.")
    hits: dict[str, list[bool]] = {"face": [], "mouth": []}
    chance: dict[str, list[float]] = {"face": [], "mouth": []}
    for number, image in PictureStream(names, progress, "pointing"):
        truth = table[names[number]]
        label = model.class_names.index(truth["label"])
        height, width = image.shape[:2]
        prob = mapper.map(image).smooth_logits
        point = faithfulness.peak(_importance(prob, label), height=height, width=width)
        for part in hits:
            left, top, right, bottom = truth[part]
            hits[part].append(faithfulness.is_inside(point, truth[part]))
            chance[part].append((right - left) * (bottom - top) / (width * height))
    return {
        "num_examples": len(hits["face"]),
        **{
            part: {
                "hits": float(np.mean(hits[part])),
                "interval": list(wilson_interval(sum(hits[part]), len(hits[part]))),
                "chance": float(np.mean(chance[part])),
            }
            for part in hits
        },
    }


def find_boxes(paths: Sequence[str]) -> Path | None:
    """Find the table of boxes beside the drawn sample's pictures.

    Args:
        paths: Pictures, in one subfolder per class.

    Returns:
        The table; None for other pictures.
    """
    found = {Path(path).parent.parent / BOXES for path in paths}
    return next((path for path in sorted(found) if path.is_file()), None)


def describe(results: dict[str, Any]) -> list[tuple[str, str]]:
    """Put the checks into words.

    Args:
        results: What `check_faithfulness` found; `pointing`, where it is there, is what
            `pointing_game` found.

    Returns:
        Pairs of a name and its value.
    """
    rows = [("pictures", str(results["num_examples"])), ("maps", results["kind"])]
    for way in ("deletion", "insertion"):
        found = results[way]
        low, high = found["gain_over_random_interval"]
        rows.append(
            (
                way,
                f"{found['map']:.3f}, random {found['random']:.3f}, center "
                f"{found['center']:.3f}; gain over random "
                f"{found['gain_over_random']:+.3f} "
                f"(95 % interval {low:+.3f} to {high:+.3f})",
            )
        )
    correlation = results["correlation_with_random_weights"]
    rows.append(("random weights", f"correlation of the maps {correlation:+.3f}"))
    for part in ("face", "mouth"):
        if "pointing" in results:
            found = results["pointing"][part]
            low, high = found["interval"]
            rows.append(
                (
                    f"peak in the {part}",
                    f"{found['hits']:.3f} ({low:.3f} to {high:.3f}), chance "
                    f"{found['chance']:.3f}",
                )
            )
    return rows
