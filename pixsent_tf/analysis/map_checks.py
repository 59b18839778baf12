"""Do a model's maps show what it uses? (`pixsent-tf maps --check`)"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from pixsent_tf.analysis import faithfulness
from pixsent_tf.analysis.maps import SentimentMapper, binary_mapper
from pixsent_tf.data.decode.one_by_one import PictureStream
from pixsent_tf.errors import DataError
from pixsent_tf.evaluation.intervals import bootstrap_interval, wilson_interval
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.sweep import compile_look
from pixsent_tf.models.gate import ungated
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.results.looks import (
    Faithfulness,
    MapCheck,
    MapCheckResults,
    Pointing,
    PointingGame,
)
from pixsent_tf.results.unreadable import list_unreadable

BOXES = "boxes.csv"  # where the faces are, beside the drawn sample
PARTS = ("face", "mouth")


def check_maps(
    model: SentimentModel, paths: Sequence[str], *, progress: Progress = NO_PROGRESS
) -> MapCheckResults:
    """Measure whether maps show what the model uses, and where they peak.

    Args:
        model: The model.
        paths: Pictures, labelled or not.
        progress: Hears how far it is.

    Returns:
        What was found; with the pointing game for the drawn sample.

    Raises:
        ConfigError: If the model has more than two classes, or nothing to map.
        DataError: If no picture can be read.
    """
    found = check_faithfulness(model, paths, progress=progress)
    boxes, pointing = find_boxes(paths), None
    if boxes is not None:
        pointing = pointing_game(model, boxes, wanted=paths, progress=progress)
    return {**found, "pointing": pointing}


def check_faithfulness(
    model: SentimentModel,
    paths: Sequence[str],
    *,
    seed: int = 0,
    progress: Progress = NO_PROGRESS,
) -> MapCheck:
    """Measure whether maps show what the model uses.

    Args:
        model: The model.
        paths: Pictures, labelled or not: the model's own answer is explained.
        seed: Of random orders and random weights.
        progress: Hears how far it is.

    Returns:
        How much the map's order is better than the random and the center one, and how
        like the maps are to those of random weights.

    Raises:
        ConfigError: If the model has more than two classes, or nothing to map.
        DataError: If no picture can be read.
    """
    mapper = binary_mapper(model)
    preprocessor = model.preprocessor
    unknowing = faithfulness.with_random_weights(ungated(model.classifier), seed=seed)
    untrained = SentimentMapper(
        SentimentModel.build(unknowing, preprocessor.config, model.class_names)
    )
    score = _score(model)
    measured, correlations = [], []
    pictures = PictureStream(paths, progress, "checking")
    for number, image in pictures:
        canvas = preprocessor.to_canvas(tf.constant(image))
        crop = preprocessor.center_crop(canvas[None]).numpy()
        answer = int(score(crop.astype("float32"))[0].argmax())
        importance, other = (
            _importance(one.crop_logits(crop)[0], answer) for one in (mapper, untrained)
        )
        correlations.append(faithfulness.correlation(importance, other))
        measured.append(
            faithfulness.areas(
                score, crop[0], importance, label=answer, seed=seed + number
            )
        )
    return {
        "num_examples": len(measured),
        "kind": mapper.kind,
        "deletion": _summary([one["deletion"] for one in measured], sign=-1),
        "insertion": _summary([one["insertion"] for one in measured], sign=1),
        "correlation_with_random_weights": float(np.mean(correlations)),
        "unreadable": list_unreadable(paths, pictures.failures),
    }


def _score(model: SentimentModel) -> faithfulness.Score:
    """Compile the answer to crops that are partly blurred, float32."""
    side = model.preprocessor.config.crop_size
    look = compile_look(
        ungated(model.classifier), side, after=model.output, dtype=tf.float32
    )
    return lambda crops: look(crops).numpy()


def _importance(logits: np.ndarray, label: int) -> np.ndarray:
    """How much more each cell says one class than the other, [h, w]."""
    return logits[..., label] - logits[..., 1 - label]


def _summary(areas: Sequence[Mapping[str, float]], *, sign: int) -> Faithfulness:
    by_map, by_chance, by_center = (
        np.array([one[way] for one in areas]) for way in ("map", "random", "center")
    )
    over_chance, over_center = sign * (by_map - by_chance), sign * (by_map - by_center)
    return {
        "map": float(by_map.mean()),
        "random": float(by_chance.mean()),
        "center": float(by_center.mean()),
        "gain_over_random": float(over_chance.mean()),
        "gain_over_random_interval": list(bootstrap_interval(over_chance)),
        "gain_over_center": float(over_center.mean()),
        "gain_over_center_interval": list(bootstrap_interval(over_center)),
    }


@dataclass(frozen=True)
class Face:
    """What is known of a drawn picture.

    Attributes:
        label: Its class.
        boxes: Of `face` and `mouth`: left, top, right and bottom, in pixels.
    """

    label: str
    boxes: Mapping[str, tuple[float, ...]]


def read_boxes(path: Path) -> dict[str, Face]:
    """Read where face and mouth of the drawn sample are.

    Args:
        path: `boxes.csv` of the sample.

    Returns:
        What is known, by the path of the picture.
    """
    sides = ("left", "top", "right", "bottom")
    with path.open(encoding="utf-8", newline="") as file:
        return {
            str(path.parent / row["path"]): Face(
                row["label"],
                {
                    part: tuple(float(row[f"{part}_{side}"]) for side in sides)
                    for part in PARTS
                },
            )
            for row in csv.DictReader(file)
        }


def pointing_game(
    model: SentimentModel,
    boxes: Path,
    *,
    wanted: Collection[str] | None = None,
    progress: Progress = NO_PROGRESS,
) -> PointingGame:
    """Count how often the map's peak for the labelled class lies in face and mouth.

    Args:
        model: A model of the drawn sample.
        boxes: `boxes.csv` of the sample.
        wanted: Pictures that count, such as those held out; all if None.
        progress: Hears how far it is.

    Returns:
        How often it does, and how often a peak anywhere would.

    Raises:
        DataError: If none of the wanted pictures has a box, or none can be read.
    """
    mapper, table = binary_mapper(model), read_boxes(boxes)
    counted = set(table if wanted is None else wanted)
    names = [path for path in table if path in counted]
    if not names:
        raise DataError(f"{boxes} names none of the pictures.")
    hits: dict[str, list[bool]] = {part: [] for part in PARTS}
    chance: dict[str, list[float]] = {part: [] for part in PARTS}
    for number, image in PictureStream(names, progress, "pointing"):
        known = table[names[number]]
        label = model.class_names.index(known.label)
        height, width = image.shape[:2]
        prob = mapper.map(image).smooth_logits
        point = faithfulness.peak(_importance(prob, label), height=height, width=width)
        for part, box in known.boxes.items():
            left, top, right, bottom = box
            hits[part].append(faithfulness.is_inside(point, box))
            chance[part].append((right - left) * (bottom - top) / (width * height))
    return {
        "face": _pointing(hits["face"], chance["face"]),
        "mouth": _pointing(hits["mouth"], chance["mouth"]),
        "num_examples": len(hits["face"]),
    }


def _pointing(hits: Sequence[bool], chance: Sequence[float]) -> Pointing:
    return {
        "hits": float(np.mean(hits)),
        "interval": list(wilson_interval(sum(hits), len(hits))),
        "chance": float(np.mean(chance)),
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
