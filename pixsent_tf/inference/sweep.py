"""What does a network say about these files? The one loop that passes pictures through.

    paths -> canvases (`data.pipeline`) -> look -> outputs, batch by batch

A look is a network with what surrounds it, compiled; whatever gives the same arrays for
the same canvases may take its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any, Literal, TypeAlias

import numpy as np
import tensorflow as tf

from pixsent_tf.data.crops import NUM_CROPS
from pixsent_tf.data.pipeline import CanvasStream
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import DataError, ImageError
from pixsent_tf.progress import NO_PROGRESS, Progress

View: TypeAlias = Literal["center", "ten_crop"]

# From pixels, uint8 [B, side, side, 3], to tensors with one row for each.
Look: TypeAlias = Callable[[Any], Any]


class Sweep:
    """Pictures on their way through a network, in order, with flat memory.

    Iterate over it once; then `failures` is complete.

    Args:
        paths: The files.
        preprocessor: Brings each picture to its canvas.
        look: From canvases, uint8 [B, canvas, canvas, 3], to the network's outputs.
        batch_size: Pictures a batch; the last may be smaller.
        progress: Hears how far it is.
        what: What it is for, in a word.

    Attributes:
        failures: The error of each file that could not be read, by position.
    """

    def __init__(
        self,
        paths: Sequence[str],
        preprocessor: Preprocessor,
        look: Look,
        *,
        batch_size: int = 32,
        progress: Progress = NO_PROGRESS,
        what: str = "reading",
    ) -> None:
        self._paths = paths
        self._stream = CanvasStream(paths, preprocessor, batch_size)
        self._look = look
        self._progress = progress
        self._what = what
        self.failures: dict[int, ImageError] = self._stream.failures

    def __iter__(self) -> Iterator[tuple[np.ndarray, Any]]:
        """Yield positions, int64 [B], and outputs, as arrays or named arrays."""
        with self._progress.step(len(self._paths), self._what):
            for positions, outputs in self._batches():
                yield positions, tf.nest.map_structure(np.asarray, outputs)
                self._progress.advance(len(positions))
            self._progress.advance(len(self.failures))

    def _batches(self) -> Iterator[tuple[np.ndarray, Any]]:
        """Positions that ascend, and outputs."""
        for positions, canvases in self._stream:
            yield positions, self._look(canvases)

    def in_order(self) -> Iterator[tuple[int, Any]]:
        """Go through the files one by one, those that cannot be read in their place.

        Yields:
            Position and output of each file; an `ImageError` where it has none.
        """
        expected = 0
        for positions, outputs in self:
            for row, position in enumerate(positions.tolist()):
                yield from self._failed(range(expected, position))
                yield position, tf.nest.map_structure(itemgetter(row), outputs)
                expected = position + 1
        yield from self._failed(range(expected, len(self._paths)))

    def _failed(self, positions: range) -> Iterator[tuple[int, ImageError]]:
        for position in positions:
            yield position, self.failures[position]

    def collect(self) -> tuple[np.ndarray, Any]:
        """Gather all outputs.

        Returns:
            Positions of the files that could be read, int64 [N], and their outputs.

        Raises:
            DataError: If none of the files can be read.
        """
        batches = list(self)
        self.check()
        positions, outputs = zip(*batches, strict=True)
        joined = tf.nest.map_structure(lambda *each: np.concatenate(each), *outputs)
        return np.concatenate(positions), joined

    def check(self) -> None:
        """Refuse pictures of which none can be read.

        Raises:
            DataError: If there is nothing that the network could have seen.
        """
        count = len(self._paths)
        if len(self.failures) == count:
            _, reason = min(self.failures.items(), default=(0, "there is none"))
            raise DataError(f"None of the {count} pictures can be read: {reason}")


def compile_look(
    network: Callable[..., Any],
    side: int,
    *,
    after: Callable[[Any], Any] | None = None,
    dtype: tf.DType = tf.uint8,
) -> Look:
    """Compile a pass through a network as it is in use, not in training.

    Args:
        network: Keras model from crops to one or several named outputs.
        side: Of the square pictures that come in, in pixels.
        after: What is done to the outputs, which are float32.
        dtype: Of the pixels that come in.

    Returns:
        From pixels [B, side, side, 3] to the outputs; traced once for any B.
    """

    @tf.function(input_signature=[tf.TensorSpec([None, side, side, 3], dtype)])
    def look(pixels: tf.Tensor) -> Any:
        outputs = network(pixels, training=False)
        outputs = tf.nest.map_structure(lambda x: tf.cast(x, tf.float32), outputs)
        return outputs if after is None else after(outputs)

    return look


def score_views(
    look: Look, preprocessor: Preprocessor, canvases: tf.Tensor, view: View
) -> tf.Tensor:
    """Score the crops of canvases, each by itself.

    Args:
        look: From crops, uint8 [n, S, S, 3], to scores, [n, K].
        preprocessor: Cuts the crops.
        canvases: uint8, [B, canvas, canvas, 3].
        view: Look at the center crop, or at the ten crops.

    Returns:
        float32 [B, V, K] with V = 1 or 10; of ten, number `data.crops.CENTER` is what
        the center says.
    """
    if view == "center":
        return look(preprocessor.center_crop(canvases))[:, None]
    crops = preprocessor.ten_crop(canvases)  # [B, 10, S, S, 3]
    scores = look(tf.reshape(crops, [-1, *crops.shape[2:]]))  # [B * 10, K]
    return tf.reshape(scores, [-1, NUM_CROPS, scores.shape[-1]])


def mean_of_views(scores: tf.Tensor) -> tf.Tensor:
    """Average over the crops of each picture.

    Args:
        scores: What `score_views` gives, [B, V, K].

    Returns:
        float32 [B, K].
    """
    return tf.reduce_mean(scores, axis=1)
