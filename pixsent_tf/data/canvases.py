"""What does an epoch of training read? The canvases of some pictures, in a new order.

    positions -> seeded shuffle -> canvas (parallel) -> crop -> batch uint8 -> prefetch

Canvases are decoded once and kept in memory while they fit a budget; else each epoch
decodes them again, and memory stays flat however many there are. Order and pixels
depend on the seed and the epoch alone, not on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from pixsent_tf.data.augment import NUM_DRAWS, Augmentation, mix
from pixsent_tf.data.parallel import untuned
from pixsent_tf.data.pipeline import CanvasStream, canvas_loader
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import DataError, ImageError
from pixsent_tf.machine import num_cores
from pixsent_tf.progress import NO_PROGRESS, Progress

MEMORY_BYTES = 2**31  # of canvases: 10,922 of 256 x 256 pixels


@dataclass(frozen=True)
class Canvases:
    """Many files, each as its canvas.

    Attributes:
        paths: The files, [N].
        preprocessor: Brings each picture to its canvas.
        failures: The error of each file that could not be read, by position.
        by_pillow: Positions of the files that TensorFlow cannot decode.
        stored: uint8 [N, canvas, canvas, 3], or None where they are decoded each time.
    """

    paths: Sequence[str]
    preprocessor: Preprocessor
    failures: dict[int, ImageError]
    by_pillow: frozenset[int]
    stored: tf.Variable | None

    @classmethod
    def read(
        cls,
        paths: Sequence[str],
        preprocessor: Preprocessor,
        *,
        memory_bytes: int = MEMORY_BYTES,
        progress: Progress = NO_PROGRESS,
    ) -> Canvases:
        """Decode every file once, to keep it or to know which cannot be read.

        Args:
            paths: The files.
            preprocessor: Brings each picture to its canvas.
            memory_bytes: What canvases kept in memory may take.
            progress: Hears how far it is.

        Returns:
            The canvases.

        Raises:
            DataError: If none of the files can be read.
        """
        side = preprocessor.config.canvas_size
        shape = (len(paths), side, side, 3)
        stored = None
        if np.prod(shape, dtype="int64") <= memory_bytes:
            with tf.device("CPU:0"):
                stored = tf.Variable(tf.zeros(shape, tf.uint8), trainable=False)
        stream = CanvasStream(paths, preprocessor)
        with progress.step(len(paths), "reading"):
            for positions, batch in stream:
                if stored is not None:
                    stored.scatter_update(tf.IndexedSlices(batch, positions))
                progress.advance(len(positions))
            progress.advance(len(stream.failures))
        if len(stream.failures) == len(paths):
            _, reason = min(stream.failures.items(), default=(0, "there is none"))
            raise DataError(f"None of the {len(paths)} pictures can be read: {reason}")
        return cls(
            tuple(paths),
            preprocessor,
            stream.failures,
            frozenset(stream.by_pillow - set(stream.failures)),
            stored,
        )

    def batches(
        self, indices: np.ndarray, batch_size: int = 32
    ) -> Iterator[tuple[np.ndarray, tf.Tensor]]:
        """Give canvases in order.

        Args:
            indices: Positions of pictures that could be read, int [M].
            batch_size: Pictures a batch; the last may be smaller.

        Yields:
            Ranks in `indices`, int64 [B], and canvases, uint8 [B, canvas, canvas, 3].
        """
        load = self.loader(indices)
        dataset = tf.data.Dataset.from_tensor_slices(np.asarray(indices, dtype="int64"))
        dataset = dataset.map(load, num_parallel_calls=num_cores())
        start = 0
        for canvases in untuned(dataset.batch(batch_size).prefetch(2)):
            yield np.arange(start, start + len(canvases)), canvases
            start += len(canvases)

    def loader(self, indices: np.ndarray) -> Callable[[tf.Tensor], tf.Tensor]:
        """Make the operation that gives one canvas.

        Args:
            indices: Positions that it will be asked for, int [M]; knowing them all
                makes it as simple as they allow.

        Returns:
            A function from a position, a scalar, to uint8 [canvas, canvas, 3].
        """
        if self.stored is not None:
            stored = self.stored
            return lambda index: tf.gather(stored, index)
        return canvas_loader(self.paths, self.preprocessor, indices, self.by_pillow)


@dataclass(frozen=True)
class Examples:
    """Some pictures, and what they should be taken for.

    Attributes:
        indices: Positions among the canvases, int [M].
        targets: Target probabilities of all pictures, float32 [N, K], or ratings.
        weights: How much each picture counts, float32 [N]; all the same if None.
        units: Pictures that belong together share a number, int [N]; None for each
            its own.
        ranges: What a part that is held out is balanced by, int [N]; the likeliest
            class if None.
    """

    indices: np.ndarray
    targets: np.ndarray
    weights: np.ndarray | None = None
    units: np.ndarray | None = None
    ranges: np.ndarray | None = None

    @classmethod
    def of_weighted(
        cls,
        indices: np.ndarray,
        targets: np.ndarray,
        *,
        units: np.ndarray | None = None,
    ) -> Examples:
        """Take targets whose rows sum to the weights of the pictures.

        Args:
            indices: Positions among the canvases, int [M].
            targets: Target probabilities times weights, float [N, K].
            units: Pictures that belong together share a number, int [N].

        Returns:
            The examples, probabilities and weights apart.
        """
        weights = targets.sum(axis=1)
        sums = np.where(weights > 0, weights, 1)[:, None]
        return cls(indices, (targets / sums).astype("float32"), weights, units)

    def labels_of(self, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Look targets and weights up.

        Args:
            index: Positions, an integer tensor.

        Returns:
            Their targets, with a last axis of K, and their weights.
        """
        weights = np.ones(len(self.targets)) if self.weights is None else self.weights
        return (
            tf.gather(tf.constant(self.targets, tf.float32), index),
            tf.gather(tf.constant(weights, tf.float32), index),
        )


def training_batches(
    canvases: Canvases,
    examples: Examples,
    augmentation: Augmentation,
    *,
    batch_size: int,
    seed: int,
    epochs: int,
    first_epoch: int = 0,
    on_device: bool = False,
) -> tf.data.Dataset:
    """Give the batches of all epochs, one after the other.

    Args:
        canvases: The pictures.
        examples: Which of them train.
        augmentation: How they are varied.
        batch_size: Pictures a batch; the last of an epoch may be smaller.
        seed: Of the order and of the crops.
        epochs: Where to stop.
        first_epoch: Where to start; what comes is what would have come anyway.
        on_device: Leave cutting to the device: give canvases with their draws.

    Returns:
        Batches of (crops, targets, weights): uint8 [B, S, S, 3], float32 [B, K] and
        float32 [B]; or ((canvases, draws), targets, weights), which `cut` turns into
        the same.
    """
    load = canvases.loader(examples.indices)
    side = canvases.preprocessor.config.canvas_size

    def plan(epoch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        order = order_of_epoch(examples.indices, seed=seed, epoch=int(epoch))
        draws = augmentation.draw(order, canvas_size=side, seed=seed, epoch=int(epoch))
        return order.astype("int64"), draws

    def picture(index: tf.Tensor, draws: tf.Tensor) -> tuple[tf.Tensor, ...]:
        canvas = load(index)
        pixels = canvas if on_device else augmentation.image(canvas, draws)
        return (pixels, draws), *examples.labels_of(index)

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        order, draws = tf.numpy_function(plan, [epoch], (tf.int64, tf.int32))
        order = tf.ensure_shape(order, [len(examples.indices)])
        draws = tf.ensure_shape(draws, [len(examples.indices), NUM_DRAWS])
        pictures = tf.data.Dataset.from_tensor_slices((order, draws))
        return pictures.map(picture, num_parallel_calls=num_cores()).batch(batch_size)

    batches = tf.data.Dataset.range(first_epoch, epochs).flat_map(one_epoch)
    if not on_device:
        batches = batches.map(lambda *batch: _mixed(augmentation, *batch))
    count = (epochs - first_epoch) * -(-len(examples.indices) // batch_size)
    batches = batches.apply(tf.data.experimental.assert_cardinality(count))
    return untuned(batches.prefetch(2))


def order_of_epoch(indices: np.ndarray, *, seed: int, epoch: int) -> np.ndarray:
    """Shuffle the pictures of an epoch.

    Args:
        indices: Their positions, int [M].
        seed: Of the training.
        epoch: From 0.

    Returns:
        The same positions, in the order in which they train.
    """
    return np.random.default_rng((seed, epoch)).permutation(indices)


def cut(
    augmentation: Augmentation,
    pixels: tuple[tf.Tensor, tf.Tensor],
    targets: tf.Tensor,
    weights: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Do on the device what `training_batches(on_device=True)` has left.

    Args:
        augmentation: As it was there.
        pixels: Canvases and draws, uint8 [B, canvas, canvas, 3] and int32.
        targets: float32, [B, K].
        weights: float32, [B].

    Returns:
        Crops, targets and weights.
    """
    canvases, draws = pixels
    crops = augmentation.batch(canvases, draws)
    return _mixed(augmentation, (crops, draws), targets, weights)


def _mixed(
    augmentation: Augmentation,
    pixels: tuple[tf.Tensor, tf.Tensor],
    targets: tf.Tensor,
    weights: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    crops, draws = pixels
    if augmentation.mixup:
        crops, targets = mix(crops, targets, draws)
    return crops, targets, weights
