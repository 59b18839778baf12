"""What does a SavedModel say about files? One row each, whatever is wrong with them."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import tensorflow as tf

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.decode.bounds import BOUNDS
from pixsent_tf.data.decode.opening import check_header
from pixsent_tf.data.pipeline import pillow_canvas
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import ImageError, WeightsError

OK = "ok"
BATCH_SIZE = 32

Open = Callable[[str], BinaryIO]


@dataclass(frozen=True)
class Row:
    """The answer for one file.

    Attributes:
        path: The file.
        status: "ok", or why it could not be read.
        answer: The likeliest class; None where it could not be read.
        probs: Probability of each class, [K]; None where it could not be read.
    """

    path: str
    status: str
    answer: str | None = None
    probs: tuple[float, ...] | None = None


class Scorer:
    """A SavedModel that scores files by name.

    Pictures are decoded by the graph. What it refuses is read by Pillow and goes
    through the same graph as pixels, so that the rows are those of `predict`.

    Args:
        saved_model: A version's folder.
        open_file: Opens files that are on no local disk, such as `gs://bucket/a.jpg`.
    """

    def __init__(self, saved_model: str, open_file: Open | None = None) -> None:
        self._loaded = tf.saved_model.load(saved_model)
        self._encoded: Any = self._loaded.signatures["serving_default"]
        self._canvases: Any = self._loaded.signatures["canvases"]
        self._preprocessor = _read_preprocessor(saved_model)
        self._open = open_file

    def score(self, paths: Sequence[str]) -> Iterator[Row]:
        """Score files, with flat memory.

        Args:
            paths: The files.

        Yields:
            One row per file, in order.
        """
        for start in range(0, len(paths), BATCH_SIZE):
            yield from self._score_batch(paths[start : start + BATCH_SIZE])

    def _score_batch(self, paths: Sequence[str]) -> list[Row]:
        rows: dict[int, Row] = {}
        contents: dict[int, bytes] = {}
        for position, path in enumerate(paths):
            try:
                contents[position] = self._read(path)
            except ImageError as error:
                rows[position] = Row(path, error.reason)
        if contents:
            answer = self._encoded(image_bytes=tf.constant(list(contents.values())))
            valid = answer["valid"].numpy()
            for i, (position, content) in enumerate(contents.items()):
                path = paths[position]
                if valid[i]:
                    rows[position] = _row(path, answer, i)
                else:
                    rows[position] = self._score_by_pillow(path, content)
        return [rows[position] for position in range(len(paths))]

    def _read(self, path: str) -> bytes:
        """Read a file; its header stops what would exhaust memory."""
        if self._open is None or "://" not in path:
            refusal = check_header(path)
            if refusal is not None:
                raise refusal
            with open(path, "rb") as file:
                return file.read()
        try:
            with self._open(path) as file:
                # One more than there may be: what is larger is refused below.
                content = file.read(BOUNDS.file_bytes + 1)
        except OSError as error:
            raise ImageError(f"{path} cannot be read: {error}", "missing") from error
        with _as_file(content) as copy:
            refusal = check_header(copy)
        if refusal is not None:
            raise refusal
        return content

    def _score_by_pillow(self, path: str, content: bytes) -> Row:
        try:
            with _as_file(content) as copy:
                canvas = pillow_canvas(copy, self._preprocessor)
        except ImageError as error:
            return Row(path, error.reason)
        return _row(path, self._canvases(canvases=tf.constant(canvas[None])), 0)


def _read_preprocessor(saved_model: str) -> Preprocessor:
    """Read the geometry that an export carries."""
    with tf.io.gfile.GFile(os.path.join(saved_model, "assets/preprocess.json")) as file:
        return Preprocessor(PreprocessConfig(**json.loads(file.read())))


def _row(path: str, answer: dict[str, tf.Tensor], index: int) -> Row:
    probs = answer["probs"].numpy()[index]
    if not np.isfinite(probs).all():
        raise WeightsError(
            f"The model answers {path} with numbers that are not finite; train and "
            f"export it again."
        )
    likeliest = answer["answer"].numpy()[index].decode()
    return Row(path, OK, likeliest, tuple(float(prob) for prob in np.asarray(probs)))


@contextlib.contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """Lend bytes a name on the local disk."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "image")
        with open(path, "wb") as file:
            file.write(content)
        yield path
