"""What has the frozen part of a network made of these views before?

    CACHE/activations/     a file without a name, gone with the process

Each picture passes the frozen part once for each of its views, in the engine of
`inference.engine`; what comes out is kept in half precision and mapped into memory, so
that the disk bounds it and not the memory. What would be more than the cache may take,
or the disk can, is computed anew each time, and is the same.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pixsent_tf.data.augment import Augmentation
from pixsent_tf.data.canvases import Canvases
from pixsent_tf.errors import TrainingError
from pixsent_tf.inference import engine
from pixsent_tf.machine import max_feature_bytes
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.runs import cache_folder

PRECISION = np.dtype("float16")
LARGEST_PART = 0.9  # of the free disk; a full one would end the process
CENTER = -1  # the view that is not varied


class Activations:
    """What a frozen part gives of each view of each picture.

    Args:
        frozen: Model from crops to one tensor or several.
        canvases: The pictures.
        augmentation: Draws the views; they are numbered from 0, and `CENTER` comes on
            top.
        progress: Hears how far it is.
    """

    def __init__(
        self,
        frozen: keras.Model,
        canvases: Canvases,
        augmentation: Augmentation,
        progress: Progress = NO_PROGRESS,
    ) -> None:
        self.shapes = [tuple(each.shape[1:]) for each in frozen.outputs]
        self._frozen = frozen
        self._canvases = canvases
        self._augmentation = augmentation
        self._center = Augmentation(augmentation.crop_size, crop=False, flip=False)
        self._progress = progress
        self._look: Any = None
        count = augmentation.num_views + 1, len(canvases.paths)
        self._is_kept = np.zeros(count, dtype=bool)
        size = sum(math.prod(shape) for shape in self.shapes)
        self.num_bytes = math.prod(count) * size * PRECISION.itemsize
        self.is_keeping = self.num_bytes <= max_feature_bytes()
        self.is_keeping = self.is_keeping and _has_room(self.num_bytes)
        self._arrays = [self._map(shape) for shape in self.shapes * self.is_keeping]

    def _map(self, shape: tuple[int, ...]) -> np.ndarray:
        with tempfile.TemporaryFile(dir=cache_folder("activations")) as file:
            whole = (*self._is_kept.shape, *shape)
            return np.memmap(file, PRECISION, mode="w+", shape=whole)

    def fill(self, indices: np.ndarray, views: Iterable[int]) -> None:
        """Compute what is not there yet, if it can be kept.

        Args:
            indices: Positions of pictures that could be read, int [M].
            views: Which views of them.

        Raises:
            TrainingError: If an activation is too large for half precision.
        """
        if not self.is_keeping:
            return
        missing = {view: indices[~self._is_kept[view, indices]] for view in views}
        missing = {view: found for view, found in missing.items() if len(found)}
        total = sum(map(len, missing.values()))
        if not total:
            return
        with self._progress.step(total, "keeping"):
            for view, found in missing.items():
                for rows, values in self._compute(found, view, total):
                    for array, value in zip(self._arrays, values, strict=True):
                        array[view, rows] = value
                    self._is_kept[view, rows] = True
                    self._progress.advance(len(rows))

    def rows(self, indices: np.ndarray, view: int) -> list[np.ndarray]:
        """Give the activations of one view.

        Args:
            indices: Positions of pictures, int [M]; `fill` has seen them.
            view: Its number.

        Returns:
            One array for each output of the frozen part, float16 [M, ...].
        """
        if self.is_keeping:
            return [array[view, indices] for array in self._arrays]
        batches = [values for _, values in self._compute(indices, view, len(indices))]
        return [np.concatenate(parts) for parts in zip(*batches, strict=True)]

    def _compute(
        self, indices: np.ndarray, view: int, planned: int
    ) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
        """Yield positions and their activations, batch by batch."""
        if self._look is None:
            self._look = engine.forward(self._frozen, planned)
        augmentation = self._center if view == CENTER else self._augmentation
        side = self._canvases.preprocessor.config.canvas_size
        for ranks, canvases in self._canvases.batches(indices):
            draws = augmentation.draw(
                indices[ranks], canvas_size=side, seed=0, epoch=max(view, 0)
            )
            crops = augmentation.batch(canvases, tf.constant(draws))
            outputs = tf.nest.flatten(self._look(crops))
            yield indices[ranks], [_halved(output) for output in outputs]


def _has_room(num_bytes: int) -> bool:
    """Tell whether the cache can be written to, and its disk will not be full then."""
    folder = cache_folder("activations")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError:
        return False
    return os.access(folder, os.W_OK) and free > num_bytes / LARGEST_PART


def _halved(values: Any) -> np.ndarray:
    values = np.asarray(values)
    largest = float(np.abs(values).max(initial=0))
    if largest > np.finfo(PRECISION).max:
        raise TrainingError(
            f"The frozen layers give activations up to {largest:.3g}, too large for "
            f"half precision; train with --set training.num_views=0."
        )
    return values.astype(PRECISION)


class Shelf:
    """The activations of several networks on one set of pictures.

    Trainings that freeze the same layers share them; when all would take more than
    the cache may, the oldest go.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Augmentation], Activations] = {}

    def find(
        self,
        frozen: keras.Model,
        canvases: Canvases,
        augmentation: Augmentation,
        progress: Progress = NO_PROGRESS,
    ) -> Activations:
        """Give what is known of a frozen part, or a place for it.

        Args:
            frozen: As `Activations` takes it, like all that follows.
            canvases: The same pictures each time.
            augmentation: Draws the views.
            progress: Hears how far it is.

        Returns:
            The activations, which know only what was asked for before.
        """
        views = replace(augmentation, mixup=0.0)  # each is of one picture
        key = engine.digest(frozen), views
        if key not in self._kept:
            found = Activations(frozen, canvases, views, progress)
            room = max_feature_bytes() - found.num_bytes
            while self._kept and self._num_bytes > room:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = found
        return self._kept[key]

    @property
    def _num_bytes(self) -> int:
        return sum(each.num_bytes for each in self._kept.values())
