"""How does a network train on a few fixed views, of which the frozen part is known?

Epoch e shows view e of each picture, counted around. What the frozen part makes of a
view is computed once (`kept`), and the epochs train the rest of the network on that:
with the same views the weights become the same as those of the whole network, but for
the rounding to half precision.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pixsent_tf.data.augment import SHARE, UNIT, Augmentation
from pixsent_tf.data.canvases import Canvases, Examples, order_of_epoch
from pixsent_tf.data.parallel import untuned
from pixsent_tf.training.kept import CENTER, PRECISION, Activations


@dataclass(frozen=True)
class FixedViews:
    """The same views of each picture by turns, past the frozen part.

    Attributes:
        trainee: The trained part of the network.
        canvases: The pictures.
        activations: What the frozen part gives.
        augmentation: How pictures are mixed, and how many views there are.
    """

    trainee: keras.Model
    canvases: Canvases
    activations: Activations
    augmentation: Augmentation

    def of_epochs(
        self,
        examples: Examples,
        *,
        batch_size: int,
        seed: int,
        epochs: int,
        first_epoch: int = 0,
    ) -> tf.data.Dataset:
        """Give the batches of all epochs.

        Args:
            examples: Which pictures train, and on what.
            batch_size: Pictures a batch; the last of an epoch may be smaller.
            seed: Of the order, and of the shares of pictures that are mixed.
            epochs: Where to stop.
            first_epoch: Where to start; what comes is what would have come anyway.

        Returns:
            Batches of (activations, targets, weights).
        """
        num_views = self.augmentation.num_views
        views = range(min(num_views, epochs))
        self.activations.fill(examples.indices, views)

        def plan() -> Iterator[tuple[np.ndarray, int, np.ndarray]]:
            for epoch in range(first_epoch, epochs):
                order = order_of_epoch(examples.indices, seed=seed, epoch=epoch)
                draws = self.augmentation.draw(
                    order, canvas_size=self._side, seed=seed, epoch=epoch
                )
                shares = (draws[:, SHARE] / UNIT).astype("float32")
                for start in range(0, len(order), batch_size):
                    part = slice(start, start + batch_size)
                    yield order[part], epoch % num_views, shares[part]

        steps = -(-len(examples.indices) // batch_size)
        return self._batches(plan, examples, (epochs - first_epoch) * steps)

    def of_centers(self, examples: Examples, *, batch_size: int) -> tf.data.Dataset:
        """Give what the frozen part makes of the center crops, once.

        Args:
            examples: Which pictures, and what they should be taken for.
            batch_size: Pictures a batch; the last may be smaller.

        Returns:
            Batches of (activations, targets, weights).
        """
        indices = examples.indices
        self.activations.fill(indices, [CENTER])

        def plan() -> Iterator[tuple[np.ndarray, int, np.ndarray]]:
            for start in range(0, len(indices), batch_size):
                found = indices[start : start + batch_size]
                yield found, CENTER, np.ones(len(found), dtype="float32")

        return self._batches(plan, examples, -(-len(indices) // batch_size))

    @property
    def _side(self) -> int:
        return self.canvases.preprocessor.config.canvas_size

    def _batches(self, plan: Any, examples: Examples, count: int) -> tf.data.Dataset:
        """Turn planned positions, views and shares into batches."""

        def rows() -> Iterator[Any]:
            for positions, view, shares in plan():
                found = self.activations.rows(positions, view)
                yield tuple(found), positions, shares

        shapes = self.activations.shapes
        signature = (
            tuple(tf.TensorSpec([None, *shape], PRECISION) for shape in shapes),
            tf.TensorSpec([None], tf.int64),
            tf.TensorSpec([None], tf.float32),
        )

        def batch(found: Any, positions: tf.Tensor, shares: tf.Tensor) -> Any:
            seen = tuple(tf.cast(each, tf.float32) for each in found)
            targets, weights = examples.labels_of(positions)
            if self.augmentation.mixup:
                seen = tuple(_mix(each, shares) for each in seen)
                targets = _mix(targets, shares)
            return seen if len(seen) > 1 else seen[0], targets, weights

        batches = tf.data.Dataset.from_generator(rows, output_signature=signature)
        batches = batches.map(batch)
        batches = batches.apply(tf.data.experimental.assert_cardinality(count))
        return untuned(batches.prefetch(2))


def _mix(values: tf.Tensor, shares: tf.Tensor) -> tf.Tensor:
    """Mix each row with the one before it; it keeps its share."""
    shares = tf.reshape(shares, [-1, *([1] * (values.shape.rank - 1))])
    return values * shares + tf.roll(values, 1, axis=0) * (1 - shares)
