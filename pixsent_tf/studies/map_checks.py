"""Do a model's maps show what it uses? (`pixsent-tf maps --check`)"""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from pixsent_tf.analysis import faithfulness
from pixsent_tf.analysis.maps import SentimentMapper
from pixsent_tf.data.decode.graph import read_image
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import DataError, ImageError
from pixsent_tf.evaluation.intervals import bootstrap_interval, wilson_interval
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.studies.maps import binary_mapper

BOXES = "boxes.csv"  # where the truth is, beside the drawn sample
Advance = Callable[[int], object]


def check_faithfulness(
    model: SentimentModel,
    paths: Sequence[str],
    *,
    seed: int = 0,
    advance: Advance = lambda count: None,
) -> dict[str, Any]:
    """Measure whether maps show what the model uses.

    Args:
        model: The model.
        paths: Pictures, labelled or not: the model's own answer is explained.
        seed: Of random orders and random weights.
        advance: Called with the number of pictures done since the last call.

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
    untrained = SentimentMapper(
        faithfulness.with_random_weights(mapper.classifier, seed=seed),
        mapper.preprocess,
    )
    score = _compiled_score(mapper)
    preprocessor = Preprocessor(mapper.preprocess)
    measured, correlations = [], []
    for number, path in enumerate(paths):
        advance(1)
        try:
            canvas = preprocessor.to_canvas(tf.constant(read_image(path)))
        except ImageError:
            continue
        crop = preprocessor.center_crop(canvas[None]).numpy()
        label = int(score(crop.astype("float32"))[0].argmax())
        importance, other = (
            _importance(one.crop_logits(crop)[0], label) for one in (mapper, untrained)
        )
        correlations.append(faithfulness.correlation(importance, other))
        measured.append(
            faithfulness.areas(score, crop[0], importance, label=label, seed=number)
        )
    if not measured:
        raise DataError(f"None of the {len(paths)} pictures can be read.")
    return {
        "num_examples": len(measured),
        "kind": mapper.kind,
        "deletion": _summary([one["deletion"] for one in measured], sign=-1),
        "insertion": _summary([one["insertion"] for one in measured], sign=1),
        "correlation_with_random_weights": float(np.mean(correlations)),
    }


def _compiled_score(mapper: SentimentMapper) -> faithfulness.Score:
    @tf.function(reduce_retracing=True)
    def score(crops: tf.Tensor) -> tf.Tensor:
        logits = mapper.classifier(crops, training=False)
        return tf.nn.softmax(logits / mapper.temperature)

    return lambda crops: score(tf.constant(crops)).numpy()


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
    advance: Advance = lambda count: None,
) -> dict[str, Any]:
    """Count how often the map's peak for the true class lies where the truth is.

    Args:
        model: A model of the drawn sample.
        boxes: `boxes.csv` of the sample.
        wanted: Pictures that count, such as those held out; all if None.
        advance: Called with the number of pictures done since the last call.

    Returns:
        `face` and `mouth`: the share of hits, its interval, and the share that a peak
        anywhere would reach (`chance`); `num_examples`.

    Raises:
        DataError: If none of the wanted pictures has a box.
    """
    mapper, table = binary_mapper(model), read_boxes(boxes)
    counted = set(table if wanted is None else wanted)
    names = [path for path in table if path in counted]
    if not names:
        raise DataError(f"{boxes} names none of the pictures.")
    hits: dict[str, list[bool]] = {"face": [], "mouth": []}
    chance: dict[str, list[float]] = {"face": [], "mouth": []}
    for path in names:
        image, truth = read_image(path), table[path]
        label = model.class_names.index(truth["label"])
        height, width = image.shape[:2]
        prob = mapper.map(image).smooth_logits
        point = faithfulness.peak(_importance(prob, label), height=height, width=width)
        for part in hits:
            left, top, right, bottom = truth[part]
            hits[part].append(faithfulness.is_inside(point, truth[part]))
            chance[part].append((right - left) * (bottom - top) / (width * height))
        advance(1)
    return {
        "num_examples": len(names),
        **{
            part: {
                "hits": float(np.mean(hits[part])),
                "interval": list(wilson_interval(sum(hits[part]), len(names))),
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
