"""What does a model say about one picture that somebody drops on the page?"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import tensorflow as tf

from pixsent_tf.analysis import drawing
from pixsent_tf.analysis.maps import SentimentMapper, binary_mapper
from pixsent_tf.data.pipeline import CanvasReader, read_one_at_a_time
from pixsent_tf.errors import ConfigError, ImageError
from pixsent_tf.evaluation.calibration import abstention_of
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.prediction import name_answer
from pixsent_tf.studies.report.page import data_uri

MAP_SIDE = 768  # of a picture that is shown with its map, in pixels
THUMBNAIL_SIDE = 96
PRECISION = 0.95  # at which the page starts to say "unsure"


class Known(TypedDict):
    """What the page knows of the model.

    Attributes:
        name: What the page calls it.
        class_names: Names by class index.
        has_maps: Whether it can say where it looks.
        threshold: Smallest probability of an answer that is not `unsure`; None where
            that is not known.
        held_out: How sure the model was of pictures that did not train it, and whether
            it was right; empty where that is not known.
        rating_scale: Lowest and highest rating of a second head; None without one.
    """

    name: str
    class_names: tuple[str, ...]
    rating_scale: tuple[float, float] | None
    has_maps: bool
    threshold: float | None
    held_out: Sequence[tuple[float, bool]]


class Refusal(TypedDict):
    """Why a picture got no answer.

    Attributes:
        name: Its file's name.
        status: One of `data.decode.opening.REASONS`.
        message: The same in a line for people.
    """

    name: str
    status: str
    message: str


class Reply(TypedDict):
    """What the model says.

    Attributes:
        name: The file's name.
        status: "ok".
        answer: The most probable class.
        probs: Probability by class.
        ratings: Rating, low and high end by target, of a second head; None without one.
        thumbnail: The picture as a data URI.
    """

    name: str
    status: str
    answer: str
    probs: dict[str, float]
    ratings: dict[str, list[float]] | None
    thumbnail: str


class Drawn(TypedDict):
    """Where the model looks: data URIs of one size.

    Attributes:
        name: The file's name.
        status: "ok".
        picture: The part that the model sees.
    """

    name: str
    status: str
    picture: str


class DrawnMaps(Drawn):
    """The same, of a model that has maps.

    Attributes:
        smooth: The map over several scales.
        cells: The map cell by cell.
    """

    smooth: str
    cells: str


class Answerer:
    """A model behind the page; it looks at one picture at a time.

    Small pictures are decoded side by side, so that none waits for a large one.

    The pixels are those that `pixsent-tf predict` sees, and so are the probabilities.

    Args:
        model: The model.
        name: What the page calls it.
        second: A model of ratings on the same features; None for none.
    """

    def __init__(
        self, model: SentimentModel, name: str, second: SentimentModel | None = None
    ) -> None:
        self.model = model
        self.second = second
        self.name = name
        self._lock = threading.Lock()
        self._reader = CanvasReader(model.preprocessor)
        self._mapper: SentimentMapper | None
        try:
            self._mapper = binary_mapper(model)
        except ConfigError:  # more than two classes, or nothing to map
            self._mapper = None

    def warm_up(self) -> None:
        """Trace the graphs, so that the first visitor does not wait for it."""
        with _as_file(tf.io.encode_png(np.zeros([2, 2, 3], "uint8")).numpy()) as path:
            self.model.probs(self._reader.read(path)[None])

    def describe(self) -> Known:
        """Describe the model.

        Returns:
            What the page knows of it.
        """
        held_out = self.model.output.held_out
        threshold = None
        rating = self.second.rating if self.second else None
        if held_out:
            found = abstention_of(
                sureness=np.array([sure for sure, _ in held_out]),
                is_right=np.array([right for _, right in held_out]),
                precision=PRECISION,
            )
            threshold = min(found.threshold, 1.0)
        return {
            "name": self.name,
            "class_names": self.model.class_names,
            "rating_scale": rating.scale if rating else None,
            "has_maps": self._mapper is not None,
            "threshold": threshold,
            "held_out": held_out,
        }

    def predict(self, name: str, encoded: bytes) -> Reply | Refusal:
        """Answer for one picture.

        Args:
            name: Its file's name.
            encoded: Its file's bytes.

        Returns:
            What the model says, or why it cannot.
        """
        with _as_file(encoded) as path:
            try:
                canvas = self._reader.read(path)
                small = _read_small(path, THUMBNAIL_SIDE, 2 * THUMBNAIL_SIDE)
            except ImageError as error:
                return _refused(name, path, error)
        with self._lock:
            probs = self.model.probs(canvas[None])[0]
            ratings = self._rate(name, canvas)
        names = self.model.class_names
        return {
            "name": name,
            "status": "ok",
            "answer": name_answer(probs, names),
            "probs": {n: round(float(p), 6) for n, p in zip(names, probs, strict=True)},
            "ratings": ratings,
            "thumbnail": data_uri(small),
        }

    def _rate(self, name: str, canvas: np.ndarray) -> dict[str, list[float]] | None:
        """What a second head says, with the ends of its intervals."""
        if self.second is None:
            return None
        rated: Any = self.second.to_rated(name, self.second.probs(canvas[None])[0])
        numbers = np.stack([rated.ratings, rated.low, rated.high], axis=1)  # [T, 3]
        each = numbers.round(3).tolist()
        return dict(zip(rated.targets, each, strict=True))

    def map(self, name: str, encoded: bytes) -> Drawn | Refusal:
        """Draw the sentiment maps of one picture.

        Args:
            name: Its file's name.
            encoded: Its file's bytes.

        Returns:
            The picture, with its maps where the model has any, or why it cannot be
            read.
        """
        with _as_file(encoded) as path:
            try:
                image = _read_small(path, MAP_SIDE, MAP_SIDE)
            except ImageError as error:
                return _refused(name, path, error)
        if self._mapper is None:
            return {"name": name, "status": "ok", "picture": data_uri(image)}
        with self._lock:
            found = self._mapper.map(image)
        smooth = drawing.smooth_overlay(found.image, found.smooth[..., 1])
        cells = drawing.cells_overlay(found.image, found.cells[..., 1])
        drawn: DrawnMaps = {
            "name": name,
            "status": "ok",
            "picture": data_uri(found.image),
            "smooth": data_uri(smooth),
            "cells": data_uri(cells),
        }
        return drawn


def _read_small(path: Path, target_side: int, side: int) -> np.ndarray:
    """Read a picture and shrink it to a longer side, with no second copy of it."""
    image = read_one_at_a_time(path, target_side=target_side)
    height, width = image.shape[:2]
    block = max(height, width) // (2 * side)
    if block > 1 and min(height, width) >= block:
        rows, columns = height // block, width // block
        cut = image[: rows * block, : columns * block]
        blocks = cut.reshape(rows, block, columns, block, 3)
        image = (blocks.mean(axis=(1, 3)) + 0.5).astype(np.uint8)
    return drawing.thumbnail(image, side)


@contextmanager
def _as_file(encoded: bytes) -> Iterator[Path]:
    """Keep bytes in a file as long as they are looked at."""
    with tempfile.TemporaryDirectory(prefix="pixsent-tf-") as folder:
        path = Path(folder, "picture")
        path.write_bytes(encoded)
        yield path


def _refused(name: str, path: Path, error: ImageError) -> Refusal:
    message = str(error).replace(str(path), name)
    return {"name": name, "status": error.reason, "message": message}
