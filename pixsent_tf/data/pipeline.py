"""In which order do files become batches?

    paths -> check header -> read -> decode (parallel) -> canvas -> batch -> prefetch

TensorFlow decodes what it can; what it refuses is read by Pillow, in its place in the
order; what neither can read is named, and the stream goes on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from pixsent_tf.data.decode.graph import (
    MAX_PIXELS,
    check_header,
    decode,
    decode_jpeg,
    read_image,
)
from pixsent_tf.data.parallel import untuned
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import DataError, ImageError
from pixsent_tf.machine import num_cores
from pixsent_tf.progress import Progress

JPEG_PREFIX = b"\xff\xd8\xff"
_GROUP = 64  # files handed to TensorFlow at a time
_MAX_BYTES = 2**28  # no JPEG that may be decoded is larger


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
        by_pillow: Positions of the files that TensorFlow refused.
    """

    paths: Sequence[str]
    preprocessor: Preprocessor
    batch_size: int = 32
    max_pixels: int = MAX_PIXELS
    failures: dict[int, ImageError] = field(default_factory=dict)
    by_pillow: set[int] = field(default_factory=set)

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
        only_jpeg = all(is_jpeg(path) for path in self.paths)

        # Plain operations: looking for Python's in them takes as long as 50 pictures.
        @tf.autograph.experimental.do_not_convert
        def load(index: tf.Tensor, path: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            canvas = decode_canvas(
                tf.io.read_file(path),
                self.preprocessor,
                only_jpeg=only_jpeg,
                max_pixels=self.max_pixels,
            )
            return index, canvas

        return untuned(
            tf.data.Dataset.from_generator(
                self._accepted,
                output_signature=(
                    tf.TensorSpec([None], tf.int64),
                    tf.TensorSpec([None], tf.string),
                ),
            )
            .unbatch()
            .map(load, num_parallel_calls=num_cores(), deterministic=True)
            .ignore_errors()
            .batch(self.batch_size)
            .prefetch(2)
        )

    def _accepted(self) -> Iterator[tuple[list[int], list[str]]]:
        """Pass on, in groups, what may be decoded."""
        for start in range(0, len(self.paths), _GROUP):
            positions: list[int] = []
            for position in range(start, min(start + _GROUP, len(self.paths))):
                path = self.paths[position]
                # A JPEG's size is checked where it is decoded, which is cheaper.
                error = None if is_jpeg(path) else check_header(path, self.max_pixels)
                if error is None:
                    positions.append(position)
                else:
                    self.failures[position] = error
            yield positions, [str(self.paths[position]) for position in positions]

    def _by_pillow(self, positions: range) -> Iterator[tuple[int, np.ndarray]]:
        """Read the files that TensorFlow left out, or say what is wrong with them."""
        for position in positions:
            if position in self.failures:
                continue
            self.by_pillow.add(position)
            path = self.paths[position]
            try:
                yield position, pillow_canvas(path, self.preprocessor, self.max_pixels)
            except ImageError as error:
                self.failures[position] = error


@dataclass
class PictureStream:
    """The whole pixels of a list of files, in order, one by one.

    Iterate over it once; then `failures` is complete.

    Attributes:
        paths: The files.
        progress: Hears how far it is.
        what: What it is for, in a word.
        failures: The error of each file that could not be read, by position.
    """

    paths: Sequence[str]
    progress: Progress
    what: str
    failures: dict[int, ImageError] = field(default_factory=dict)

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield position and pixels, RGB, uint8 [H, W, 3].

        Raises:
            DataError: At the end, if none of the files can be read.
        """
        with self.progress.step(len(self.paths), self.what):
            for position, path in enumerate(self.paths):
                try:
                    yield position, read_image(path)
                except ImageError as error:
                    self.failures[position] = error
                self.progress.advance(1)
        if len(self.failures) == len(self.paths):
            raise DataError(f"None of the {len(self.paths)} pictures can be read.")


class CanvasReader:
    """Reads the canvas of one file at a time, as `CanvasStream` does of many.

    Its graph is traced once: a stream for each file would cost more than the file.

    Args:
        preprocessor: Brings each picture to its canvas.
    """

    def __init__(self, preprocessor: Preprocessor) -> None:
        self.preprocessor = preprocessor
        self._decode = tf.function(
            lambda encoded: decode_canvas(encoded, preprocessor),
            input_signature=[tf.TensorSpec([], tf.string)],
            autograph=False,
        )

    def read(self, path: str | os.PathLike[str]) -> np.ndarray:
        """Read one file: TensorFlow first, Pillow for the rest.

        Args:
            path: The file.

        Returns:
            uint8, [canvas, canvas, 3].

        Raises:
            ImageError: If it cannot be read.
        """
        error = check_header(path)
        if error is not None:
            raise error
        try:
            return self._decode(tf.io.read_file(os.fspath(path))).numpy()
        except tf.errors.InvalidArgumentError:
            return pillow_canvas(path, self.preprocessor)


def canvas_loader(
    paths: Sequence[str],
    preprocessor: Preprocessor,
    indices: np.ndarray,
    by_pillow: Collection[int],
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Make the operation that reads one of many files that are known to be readable.

    Args:
        paths: The files, [N].
        preprocessor: Brings each picture to its canvas.
        indices: Positions that it will be asked for, int [M]; knowing them all makes
            it as simple as they allow.
        by_pillow: Positions of the files that TensorFlow cannot decode.

    Returns:
        A function from a position, a scalar, to uint8 [canvas, canvas, 3].
    """
    names = tf.constant([str(path) for path in paths])
    fast = [i for i in indices.tolist() if i not in by_pillow]
    only_jpeg = all(is_jpeg(paths[i]) for i in fast)

    def decoded(index: tf.Tensor) -> tf.Tensor:
        encoded = tf.io.read_file(tf.gather(names, index))
        return decode_canvas(encoded, preprocessor, only_jpeg=only_jpeg)

    if len(fast) == len(indices):
        return decoded
    is_slow = tf.constant([i in by_pillow for i in range(len(paths))])

    def read(index: np.ndarray) -> np.ndarray:
        return pillow_canvas(paths[int(index)], preprocessor)

    def either(index: tf.Tensor) -> tf.Tensor:
        return tf.cond(
            tf.gather(is_slow, index),
            lambda: tf.numpy_function(read, [index], tf.uint8),
            lambda: decoded(index),
        )

    side = preprocessor.config.canvas_size
    return lambda index: tf.ensure_shape(either(index), [side, side, 3])


def pillow_canvas(
    path: str | os.PathLike[str],
    preprocessor: Preprocessor,
    max_pixels: int = MAX_PIXELS,
) -> np.ndarray:
    """Read with Pillow what TensorFlow refuses.

    Args:
        path: The file.
        preprocessor: Brings the picture to its canvas.
        max_pixels: Pictures of more pixels are refused.

    Returns:
        uint8, [canvas, canvas, 3].

    Raises:
        ImageError: If Pillow cannot read it either.
    """
    return np.asarray(preprocessor.to_canvas(read_image(path, max_pixels=max_pixels)))


def is_jpeg(path: str) -> bool:
    """Tell whether a file starts as JPEGs do.

    Args:
        path: A file, or the name of none.

    Returns:
        Whether it does, and has no more bytes than a JPEG that may be decoded.
    """
    try:
        with open(path, "rb", buffering=0) as file:
            starts_right = file.read(3) == JPEG_PREFIX
            return starts_right and os.fstat(file.fileno()).st_size < _MAX_BYTES
    except OSError:
        return False


def decode_canvas(
    encoded: tf.Tensor,
    preprocessor: Preprocessor,
    *,
    only_jpeg: bool = False,
    max_pixels: int = MAX_PIXELS,
) -> tf.Tensor:
    """Decode a file and bring it to its canvas, in TensorFlow operations.

    Args:
        encoded: The file's bytes, a scalar string.
        preprocessor: Brings the picture to its canvas.
        only_jpeg: Every file is a JPEG; a quarter less work.
        max_pixels: JPEGs of more pixels are refused; the header of any other file is
            to be checked before.

    Returns:
        uint8, [canvas, canvas, 3].
    """
    side = preprocessor.config.canvas_size
    height, width = _jpeg_size(encoded, only_jpeg=only_jpeg)
    is_affordable = tf.debugging.assert_less_equal(
        tf.cast(height, tf.int64) * tf.cast(width, tf.int64),
        tf.constant(max_pixels, tf.int64),
    )
    with tf.control_dependencies([] if is_affordable is None else [is_affordable]):
        encoded = tf.identity(encoded)
    read = decode_jpeg if only_jpeg else decode
    return preprocessor.to_canvas(read(encoded, target_side=side))


def _jpeg_size(encoded: tf.Tensor, *, only_jpeg: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """Height and width of a JPEG, from its header; zeros for anything else."""

    def size() -> tuple[tf.Tensor, ...]:
        return tuple(tf.unstack(tf.image.extract_jpeg_shape(encoded)[:2]))

    if only_jpeg:
        return size()
    starts_right = tf.equal(tf.strings.substr(encoded, 0, 3), JPEG_PREFIX)
    return tf.cond(starts_right, size, lambda: (0, 0))
