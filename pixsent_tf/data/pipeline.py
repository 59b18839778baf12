"""In which order do files become batches?

    paths -> check header -> read -> decode (parallel) -> canvas -> batch -> prefetch

TensorFlow decodes what it can; what it refuses is read by Pillow, in its place in the
order; what neither can read is named, and the stream goes on.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from pixsent_tf.data.decode.bounds import BOUNDS, LARGE_BYTES, useful_side
from pixsent_tf.data.decode.files import read_image
from pixsent_tf.data.decode.graph import on_white, stored, stored_jpeg
from pixsent_tf.data.decode.guard import limits_of
from pixsent_tf.data.decode.opening import MAX_PIXELS, check_header, open_size
from pixsent_tf.data.decode.orientation import upright
from pixsent_tf.data.parallel import untuned
from pixsent_tf.data.preprocess import Preprocessor, sides
from pixsent_tf.errors import ImageError
from pixsent_tf.machine import num_cores

JPEG_PREFIX = b"\xff\xd8\xff"
_GROUP = 64  # files handed to TensorFlow at a time
_FEW = 64  # files that are decoded before a pipeline of theirs would have begun
_WHOLE_PIXELS = 2**21  # decoded pictures of more are resized in strips
_WHOLE_WIDTH = 4096
_ONE_AT_A_TIME = threading.Lock()  # pictures that may take what one picture may take


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
        by_pillow: Positions of the files that came one by one: those that TensorFlow
            refused, and large ones.
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
        return self._by_threads() if len(self.paths) <= _FEW else self._by_pipeline()

    def _by_threads(self) -> Iterator[tuple[int, np.ndarray]]:
        """Decode what is few with the function that all readers share.

        A pipeline is a graph of its own, which takes one to two seconds to set up each
        time: most of what a small collection takes.
        """
        only_jpeg = all(is_jpeg(path) for path in self.paths)
        decode = _decoder(self.preprocessor, only_jpeg, self.max_pixels)

        def load(path: str) -> np.ndarray | ImageError | None:
            error = self._refusal(path)
            if error is None:
                with contextlib.suppress(tf.errors.OpError):
                    return decode(tf.io.read_file(os.fsencode(path))).numpy()
            return error

        with ThreadPoolExecutor(num_cores()) as pool:
            for position, canvas in enumerate(pool.map(load, self.paths)):
                if isinstance(canvas, ImageError):
                    self.failures[position] = canvas
                elif canvas is None:
                    yield from self._one_by_one(range(position, position + 1))
                else:
                    yield position, canvas

    def _by_pipeline(self) -> Iterator[tuple[int, np.ndarray]]:
        expected = 0
        for indices, canvases in self._fast().as_numpy_iterator():
            for index, canvas in zip(indices, canvases, strict=True):
                yield from self._one_by_one(range(expected, int(index)))
                yield int(index), canvas
                expected = int(index) + 1
        yield from self._one_by_one(range(expected, len(self.paths)))

    def _fast(self) -> tf.data.Dataset:
        """Decode with TensorFlow; pictures that it refuses are left out."""
        only_jpeg = all(is_jpeg(path) for path in self.paths)
        decode = _decoder(self.preprocessor, only_jpeg, self.max_pixels)

        # Plain operations: looking for Python's in them takes as long as 50 pictures.
        @tf.autograph.experimental.do_not_convert
        def load(index: tf.Tensor, path: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return index, decode(tf.io.read_file(path))

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

    def _accepted(self) -> Iterator[tuple[list[int], list[bytes]]]:
        """Pass on, in groups, what may be decoded."""
        for start in range(0, len(self.paths), _GROUP):
            positions = []
            for position in range(start, min(start + _GROUP, len(self.paths))):
                error = self._refusal(self.paths[position])
                if error is None:
                    positions.append(position)
                else:
                    self.failures[position] = error
            yield positions, [os.fsencode(self.paths[each]) for each in positions]

    def _refusal(self, path: str) -> ImageError | None:
        """Tell why a file may not even be decoded."""
        # A JPEG's size is checked where it is decoded, which is cheaper.
        return None if is_jpeg(path) else check_header(path, self.max_pixels)

    def _one_by_one(self, positions: range) -> Iterator[tuple[int, np.ndarray]]:
        """Read the files that were left out, or say what is wrong with them."""
        for position in positions:
            if position in self.failures:
                continue
            self.by_pillow.add(position)
            try:
                path = self.paths[position]
                yield position, pillow_canvas(path, self.preprocessor, self.max_pixels)
            except ImageError as error:
                self.failures[position] = error


@dataclass(frozen=True)
class CanvasReader:
    """Reads the canvas of one file at a time, as `CanvasStream` does of many.

    Attributes:
        preprocessor: Brings each picture to its canvas.
        max_pixels: Pictures of more pixels are refused.
    """

    preprocessor: Preprocessor
    max_pixels: int = MAX_PIXELS

    def read(self, path: str | os.PathLike[str]) -> np.ndarray:
        """Read one file: TensorFlow first, Pillow for large ones and the rest.

        Any number of threads may ask; large pictures wait for each other.

        Args:
            path: The file.

        Returns:
            uint8, [canvas, canvas, 3].

        Raises:
            ImageError: If it cannot be read.
        """
        only_jpeg = is_jpeg(os.fspath(path))
        error = None if only_jpeg else check_header(path, self.max_pixels)
        if error is not None:
            raise error
        decode = _decoder(self.preprocessor, only_jpeg, self.max_pixels)
        with contextlib.suppress(tf.errors.InvalidArgumentError):
            return decode(tf.io.read_file(os.fsencode(path))).numpy()
        # It is large, or TensorFlow refuses it.
        return pillow_canvas(path, self.preprocessor, self.max_pixels)


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
    names = tf.constant([os.fsencode(path) for path in paths])
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
    side = useful_side(preprocessor.config.canvas_size)
    image = read_one_at_a_time(path, max_pixels=max_pixels, target_side=side)
    if _is_large(image):
        return preprocessor.to_canvas_in_strips(image, tf.constant).numpy()
    return np.asarray(preprocessor.to_canvas(tf.constant(image)))


def read_one_at_a_time(
    path: str | os.PathLike[str],
    *,
    target_side: int,
    max_pixels: int = MAX_PIXELS,
) -> np.ndarray:
    """Read with Pillow as `read_image` does, whatever other threads are reading.

    Args:
        path: The file.
        target_side: The shortest side, in pixels, that is of use.
        max_pixels: Pictures of more pixels are refused.

    Returns:
        uint8, [H, W, 3].

    Raises:
        ImageError: If Pillow cannot read it.
    """
    with _ONE_AT_A_TIME:
        image = read_image(path, max_pixels=max_pixels, target_side=target_side)
        if image.size > _WHOLE_PIXELS:
            _give_back_memory()
        return image


def _give_back_memory() -> None:
    """Have the C library return what Pillow has freed, where it can be asked to."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def is_jpeg(path: str) -> bool:
    """Tell whether a file starts as JPEGs do.

    Args:
        path: A file, or the name of none.

    Returns:
        Whether it does, and has no more bytes than a file may have.
    """
    try:
        open_size(path)
        with open(path, "rb", buffering=0) as file:
            return file.read(3) == JPEG_PREFIX
    except (ImageError, OSError):
        return False


def decode_canvas(
    encoded: tf.Tensor,
    preprocessor: Preprocessor,
    *,
    only_jpeg: bool = False,
    max_pixels: int = MAX_PIXELS,
    memory_bytes: int | tf.Tensor = BOUNDS.memory_bytes,
) -> tf.Tensor:
    """Decode a file and bring it to its canvas, in TensorFlow operations.

    Args:
        encoded: The file's bytes, a scalar string.
        preprocessor: Brings the picture to its canvas.
        only_jpeg: Every file is a JPEG; a quarter less work.
        max_pixels: Pictures of more pixels are refused.
        memory_bytes: Pictures that take more memory are refused.

    Returns:
        uint8, [canvas, canvas, 3].
    """
    side = preprocessor.config.canvas_size
    read = stored_jpeg if only_jpeg else stored
    pixels, turn = read(encoded, side, limits_of(max_pixels, memory_bytes))
    canvas = tf.cond(
        _is_large(pixels),
        lambda: _large_canvas(preprocessor)(pixels, turn),
        lambda: preprocessor.to_canvas(
            tf.ensure_shape(upright(on_white(pixels), turn), [None, None, 3])
        ),
    )
    return tf.ensure_shape(canvas, [side, side, 3])


# Tracing it takes as long as a hundred pictures, so that all readers share it.
@functools.cache
def _decoder(
    preprocessor: Preprocessor, only_jpeg: bool, max_pixels: int
) -> Callable[[tf.Tensor], tf.Tensor]:
    return tf.function(
        functools.partial(
            decode_canvas,
            preprocessor=preprocessor,
            only_jpeg=only_jpeg,
            max_pixels=max_pixels,
            memory_bytes=LARGE_BYTES,  # or it would keep them for the next picture
        ),
        input_signature=[tf.TensorSpec([], tf.string)],
        autograph=False,
    )


def _is_large(pixels: tf.Tensor | np.ndarray) -> tf.Tensor:
    """Tell whether a picture, [H, W, C], is to be resized in strips."""
    height, width = (tf.cast(side, tf.int64) for side in sides(pixels))
    return (height * width > _WHOLE_PIXELS) | (width > _WHOLE_WIDTH)


# As a function of its own: most pictures would have to step over its operations.
@functools.cache
def _large_canvas(preprocessor: Preprocessor) -> Callable[..., tf.Tensor]:
    return tf.function(
        lambda pixels, turn: upright(
            preprocessor.to_canvas_in_strips(pixels, on_white), turn
        ),
        input_signature=[
            tf.TensorSpec([None, None, None], tf.uint8),
            tf.TensorSpec([], tf.int32),
        ],
        autograph=False,
        experimental_attributes={"_noinline": True},
    )
