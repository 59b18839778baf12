"""In which order do files become batches?

    paths -> check header -> read -> decode -> canvas (a thread for each core) -> batch

TensorFlow decodes what it can; what it refuses is read by Pillow, in its place in the
order; what neither can read is named, and the stream goes on.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import tensorflow as tf

from pixsent_tf.data.decode.bounds import BOUNDS, LARGE_BYTES, useful_side
from pixsent_tf.data.decode.files import read_image
from pixsent_tf.data.decode.graph import on_white, stored, stored_jpeg
from pixsent_tf.data.decode.guard import limits_of
from pixsent_tf.data.decode.opening import MAX_PIXELS, check_header, open_size
from pixsent_tf.data.decode.orientation import upright
from pixsent_tf.data.preprocess import Preprocessor, sides
from pixsent_tf.errors import ImageError
from pixsent_tf.machine import num_cores

_T = TypeVar("_T")

JPEG_PREFIX = b"\xff\xd8\xff"
_AHEAD = 64  # files that are decoded before they are asked for
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
        """Decode a few files ahead, with the function that all readers share.

        A `tf.data` pipeline would be a graph of its own, to be set up each time, and
        decodes no faster.
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
            for position, canvas in enumerate(_ahead(pool, load, self.paths)):
                if isinstance(canvas, ImageError):
                    self.failures[position] = canvas
                elif canvas is not None:
                    yield position, canvas
                else:
                    yield from self._with_pillow(position)

    def _refusal(self, path: str) -> ImageError | None:
        """Tell why a file may not even be decoded."""
        # A JPEG's size is checked where it is decoded, which is cheaper.
        return None if is_jpeg(path) else check_header(path, self.max_pixels)

    def _with_pillow(self, position: int) -> Iterator[tuple[int, np.ndarray]]:
        """Read a file that TensorFlow refused, or say what is wrong with it."""
        self.by_pillow.add(position)
        try:
            path = self.paths[position]
            yield position, pillow_canvas(path, self.preprocessor, self.max_pixels)
        except ImageError as error:
            self.failures[position] = error


def _ahead(
    pool: ThreadPoolExecutor, load: Callable[[str], _T], paths: Sequence[str]
) -> Iterator[_T]:
    """Yield what is loaded, in order; only so many files ahead of what is taken."""
    pending: deque[Future[_T]] = deque()
    try:
        for path in paths:
            pending.append(pool.submit(load, path))
            if len(pending) > _AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()


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
