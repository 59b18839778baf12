"""In which order do files become batches?

    paths -> check header -> read -> decode (parallel) -> canvas -> batch -> prefetch

TensorFlow decodes what it can; what it refuses is read by Pillow, in its place in the
order; what neither can read is named, and the stream goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from pixsent_tf.data.decode import MAX_PIXELS, check_header, decode, read_image
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import ImageError


@dataclass
class CanvasStream:
    """The canvases of a list of files, in order, in batches, with flat memory.

    Iterate over it once; then `failures` is complete.

    Attributes:
        paths: The files.
        preprocessor: Brings each picture to its canvas.
        batch_size: Pictures a batch; the last may be smaller.
        max_pixels: Pictures of more pixels are refused.
        failures: The error of each file that could not be read, by position.
    """

    paths: Sequence[str]
    preprocessor: Preprocessor
    batch_size: int = 32
    max_pixels: int = MAX_PIXELS
    failures: dict[int, ImageError] = field(default_factory=dict)

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield positions, int64 [B], and canvases, uint8 [B, canvas, canvas, 3]."""
        positions: list[int] = []
        canvases: list[np.ndarray] = []
        for position, canvas in self._in_order():
            positions.append(position)
            canvases.append(canvas)
            if len(positions) == self.batch_size:
                yield np.array(positions), np.stack(canvases)
                positions, canvases = [], []
        if positions:
            yield np.array(positions), np.stack(canvases)

    def _in_order(self) -> Iterator[tuple[int, np.ndarray]]:
        expected = 0
        for indices, canvases in self._fast().as_numpy_iterator():
            for index, canvas in zip(indices, canvases, strict=True):
                yield from self._by_pillow(range(expected, int(index)))
                yield int(index), canvas
                expected = int(index) + 1
        yield from self._by_pillow(range(expected, len(self.paths)))

    def _fast(self) -> tf.data.Dataset:
        """Decode with TensorFlow; pictures that it refuses are left out."""
        side = self.preprocessor.config.canvas_size

        def load(index: tf.Tensor, path: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            image = decode(tf.io.read_file(path), target_side=side)
            return index, self.preprocessor.to_canvas(image)

        return (
            tf.data.Dataset.from_generator(
                self._accepted,
                output_signature=(
                    tf.TensorSpec([], tf.int64),
                    tf.TensorSpec([], tf.string),
                ),
            )
            .map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
            .ignore_errors()
            .batch(self.batch_size)
            .prefetch(2)
        )

    def _accepted(self) -> Iterator[tuple[int, str]]:
        """Pass on what may be decoded; a header stops what would exhaust memory."""
        for position, path in enumerate(self.paths):
            error = check_header(path, self.max_pixels)
            if error is None:
                yield position, str(path)
            else:
                self.failures[position] = error

    def _by_pillow(self, positions: range) -> Iterator[tuple[int, np.ndarray]]:
        """Read the files that TensorFlow left out, or say what is wrong with them."""
        for position in positions:
            if position in self.failures:
                continue
            try:
                image = read_image(self.paths[position], max_pixels=self.max_pixels)
            except ImageError as error:
                self.failures[position] = error
            else:
                yield position, self.preprocessor.to_canvas(image).numpy()


def read_canvases(
    paths: Sequence[str], preprocessor: Preprocessor
) -> tuple[np.ndarray, dict[int, ImageError]]:
    """Read every canvas into memory.

    Args:
        paths: The files; 196 kB of memory each at a canvas of 256 pixels.
        preprocessor: Brings each picture to its canvas.

    Returns:
        Canvases, uint8 [N, canvas, canvas, 3], zero where a file could not be read, and
        the errors by position.
    """
    side = preprocessor.config.canvas_size
    canvases = np.zeros((len(paths), side, side, 3), dtype="uint8")
    stream = CanvasStream(paths, preprocessor)
    for positions, batch in stream:
        canvases[positions] = batch
    return canvases, stream.failures
