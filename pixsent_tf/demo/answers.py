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
from pixsent_tf.analysis.maps import Facet, SentimentMap, SentimentMapper
from pixsent_tf.data.pipeline import CanvasReader, read_one_at_a_time
from pixsent_tf.errors import ConfigError, ImageError
from pixsent_tf.evaluation.calibration import abstention_of
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.prediction import name_answer
from pixsent_tf.studies.report.page import data_uri

MAP_SIDE = 768  # of a picture that is shown with its map, in pixels
THUMBNAIL_SIDE = 96
PRECISION = 0.95  # at which the page starts to say "unsure"


class MapKind(TypedDict):
    """A map that there is of every picture.

    Attributes:
        name: The class or rating that it is of.
        low: What one end of its colors means.
        high: What the other end means.
    """

    name: str
    low: str
    high: str


class Known(TypedDict):
    """What the page knows of the model.

    Attributes:
        name: What the page calls it.
        class_names: Names by class index; empty for a model of ratings.
        maps: What there is a map of, if it can say where it looks.
        threshold: Smallest probability of an answer that is not `unsure`; None where
            that is not known.
        held_out: How sure the model was of pictures that did not train it, and whether
            it was right; empty where that is not known.
        targets: Names of the ratings, of the model or of a second head.
        rating_scale: Lowest and highest rating there can be, of the model or of a
            second head; None where nothing is rated.
    """

    name: str
    class_names: tuple[str, ...]
    targets: tuple[str, ...]
    rating_scale: tuple[float, float] | None
    maps: list[MapKind]
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
        answer: The most probable class; None of a model of ratings.
        probs: Probability by class.
        ratings: Rating, low and high end by target, of the model or of a second head;
            None where nothing is rated.
        thumbnail: The picture as a data URI.
    """

    name: str
    status: str
    answer: str | None
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


class DrawnMap(TypedDict):
    """One map, as data URIs.

    Attributes:
        smooth: Over several scales.
        cells: Cell by cell.
    """

    smooth: str
    cells: str


class DrawnMaps(Drawn):
    """The same, of a model that has maps.

    Attributes:
        maps: By the class or rating that they are of.
    """

    maps: dict[str, DrawnMap]


class Answerer:
    """A model behind the page; it looks at one picture at a time.

    Small pictures are decoded side by side, so that none waits for a large one.

    The pixels are those that `pixsent-tf predict` sees, and so are the probabilities.

    Args:
        model: The model, of classes or of ratings.
        name: What the page calls it.
        second: A model of ratings on the same features; None for none.
    """

    def __init__(
        self, model: SentimentModel, name: str, second: SentimentModel | None = None
    ) -> None:
        self.model = model
        self.rating = second if model.rating is None else model
        self.name = name
        self._lock = threading.Lock()
        self._reader = CanvasReader(model.preprocessor)
        self._mapper: SentimentMapper | None
        try:
            self._mapper = SentimentMapper(model)
        except ConfigError:  # nothing to map
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
        held_out = () if self.model.rating else self.model.output.held_out
        threshold = None
        rating = self.rating.rating if self.rating else None
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
            "targets": rating.targets if rating else (),
            "rating_scale": rating.scale if rating else None,
            "maps": [
                {"name": facet.name, "low": facet.low, "high": facet.high}
                for facet in (self._mapper.facets if self._mapper else ())
            ],
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
            ratings = self._rate(name, canvas)
            names = self.model.class_names
            probs = self.model.probs(canvas[None])[0] if names else np.zeros(0)
        return {
            "name": name,
            "status": "ok",
            "answer": name_answer(probs, names) if names else None,
            "probs": {n: round(float(p), 6) for n, p in zip(names, probs, strict=True)},
            "ratings": ratings,
            "thumbnail": data_uri(small),
        }

    def _rate(self, name: str, canvas: np.ndarray) -> dict[str, list[float]] | None:
        """Ratings with the ends of their intervals, if anything is rated."""
        if self.rating is None:
            return None
        rated: Any = self.rating.to_rated(name, self.rating.probs(canvas[None])[0])
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
        drawn: DrawnMaps = {
            "name": name,
            "status": "ok",
            "picture": data_uri(found.image),
            "maps": {facet.name: _draw(found, facet) for facet in self._mapper.facets},
        }
        return drawn


def _draw(found: SentimentMap, facet: Facet) -> DrawnMap:
    smooth = drawing.smooth_overlay(found.image, facet.shade(found.smooth))
    cells = drawing.cells_overlay(found.image, facet.shade(found.cells))
    return {"smooth": data_uri(smooth), "cells": data_uri(cells)}


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
