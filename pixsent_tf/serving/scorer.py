"""What does a SavedModel say about files? One row each, whatever is wrong with them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tensorflow as tf

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.decode.bounds import BOUNDS
from pixsent_tf.data.pipeline import CanvasReader
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import ImageError, UsageError, WeightsError
from pixsent_tf.inference import engine
from pixsent_tf.inference.prediction import answer_columns, name_answer, read_status
from pixsent_tf.inference.rated import rated_columns
from pixsent_tf.machine import num_cores
from pixsent_tf.serving.saved_model import CLASS_NAMES, TARGETS

BATCH_SIZE = 32

Open = Callable[[str], BinaryIO]


@dataclass(frozen=True)
class Row:
    """The answer for one file.

    Attributes:
        path: The file.
        status: "ok", "ok (repaired)", or why it could not be read.
        answer: The likeliest class; None where there are ratings, or no answer.
        numbers: Probability of each class, [K], or of each target the rating and the
            ends of its interval, [3T]; None where it could not be read.
    """

    path: str
    status: str
    answer: str | None = None
    numbers: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Names:
    """What an export answers with: classes, or ratings.

    Attributes:
        class_names: Names by class index, [K]; empty for ratings.
        targets: Names of the ratings, [T]; empty for classes.
    """

    class_names: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """What `predict` calls the columns of its table."""
        if self.targets:
            return rated_columns(self.targets)
        return answer_columns(self.class_names)


class Scorer:
    """A SavedModel that scores files by name.

    Files become canvases as in training, by as many threads as there are cores, and
    canvases answers, by the fastest engine: so the rows are those of `predict`.

    Args:
        saved_model: A version's folder.
        num_examples: How many files will be scored.
        open_file: Opens files that are on no local disk, such as `gs://bucket/a.jpg`.
    """

    def __init__(
        self, saved_model: str, num_examples: int, open_file: Open | None = None
    ) -> None:
        self._loaded = tf.saved_model.load(saved_model)  # which its functions need
        self._names = read_names(saved_model)
        original = _original(self._loaded, self._names)
        self._look = engine.fastest(original, lambda: _digest(original), num_examples)
        self._reader = CanvasReader(_read_preprocessor(saved_model))
        self._pool = ThreadPoolExecutor(num_cores())
        self._open = open_file

    def score(self, paths: Sequence[str]) -> Iterator[Row]:
        """Score files, with flat memory.

        Args:
            paths: The files.

        Yields:
            One row per file, in order.
        """
        for start in range(0, len(paths), BATCH_SIZE):
            part = paths[start : start + BATCH_SIZE]
            # All cores decode, and then all compute: neither waits for the other.
            canvases = list(self._pool.map(self._read, part))
            readable = [each for each in canvases if not isinstance(each, ImageError)]
            found = iter(np.asarray(self._look(np.stack(readable))) if readable else ())
            for path, canvas in zip(part, canvases, strict=True):
                if isinstance(canvas, ImageError):
                    yield Row(path, canvas.reason)
                else:
                    yield self._row(path, next(found))

    def _read(self, path: str) -> np.ndarray | ImageError:
        try:
            if self._open is None or "://" not in path:
                return self._reader.read(path)
            with _on_disk(path, self._open) as copy:
                return self._reader.read(copy)
        except ImageError as error:
            return error

    def _row(self, path: str, numbers: np.ndarray) -> Row:
        if not np.isfinite(numbers).all():
            raise WeightsError(
                f"The model answers {path} with numbers that are not finite; train and "
                f"export it again."
            )
        classes = self._names.class_names
        answer = name_answer(numbers, classes) if classes else None
        return Row(path, read_status(path), answer, tuple(map(float, numbers)))


def read_names(saved_model: str) -> Names:
    """Read from an export what it answers with.

    Args:
        saved_model: The version's folder.

    Returns:
        The names.

    Raises:
        UsageError: If it names nothing.
    """

    def read(file_name: str) -> tuple[str, ...]:
        path = f"{saved_model}/assets/{file_name}"
        if not tf.io.gfile.exists(path):
            return ()
        with tf.io.gfile.GFile(path) as file:
            return tuple(file.read().splitlines())

    names = Names(read(CLASS_NAMES), read(TARGETS))
    if not names.class_names and not names.targets:
        raise UsageError(
            f"{saved_model} names neither classes nor ratings; make it with "
            f"`pixsent-tf export`."
        )
    return names


def _original(loaded: Any, names: Names) -> engine.Original:
    """Take from a SavedModel what leads from canvases to the numbers of a row."""
    canvases = loaded.signatures["canvases"]
    spec = canvases.structured_input_signature[1]["canvases"]

    @tf.function(input_signature=[tf.TensorSpec(spec.shape, spec.dtype)])
    def look(pixels: tf.Tensor) -> tf.Tensor:
        found = canvases(canvases=pixels)
        if not names.targets:
            return found["probs"]
        parts = tf.stack([found[part] for part in ("ratings", "low", "high")], axis=2)
        return tf.reshape(parts, [-1, 3 * len(names.targets)])

    return engine.Original(look, canvases.variables)


def _digest(original: engine.Original) -> str:
    """Stand for what leads from canvases to answers, in whichever export."""
    graph = original.look.get_concrete_function().graph.as_graph_def()
    parts = (str(part) for part in (*graph.node, *graph.library.function))
    # An export numbers its parts as they come, and stores them in any order.
    text = sorted(re.sub(r'_\d+|"\d+"', "", part) for part in parts)
    found = hashlib.sha256(f"{metadata.version('tensorflow')} {text}".encode())
    for variable in original.weights:
        found.update(np.ascontiguousarray(variable.numpy()).data)
    return found.hexdigest()[:32]


def _read_preprocessor(saved_model: str) -> Preprocessor:
    """Read the geometry that an export carries."""
    with tf.io.gfile.GFile(os.path.join(saved_model, "assets/preprocess.json")) as file:
        return Preprocessor(PreprocessConfig(**json.loads(file.read())))


@contextlib.contextmanager
def _on_disk(path: str, open_file: Open) -> Iterator[str]:
    """Lend a file of any file system a name on the local disk."""
    try:
        with open_file(path) as file:
            # One more than there may be: what is larger is refused when it is read.
            content = file.read(BOUNDS.file_bytes + 1)
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error}", "missing") from error
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "image")
        copy.write_bytes(content)
        yield str(copy)
