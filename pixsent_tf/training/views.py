"""What does a network see of its pictures, epoch after epoch?

    WholeViews    crops, cut as they come, which pass all layers
    FixedViews    what frozen layers make of a few crops of each; see `fixed_views`

Both say which part of the network an epoch trains, and give its batches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import keras
import tensorflow as tf

from pixsent_tf.config import TrainingConfig
from pixsent_tf.data.augment import Augmentation
from pixsent_tf.data.canvases import Canvases, Examples, cut, training_batches


class Views(Protocol):
    """Gives a training its batches."""

    @property
    def trainee(self) -> keras.Model:
        """What an epoch trains: from the first part of a batch to logits."""

    @property
    def canvases(self) -> Canvases:
        """The pictures."""

    def of_epochs(
        self,
        examples: Examples,
        *,
        batch_size: int,
        seed: int,
        epochs: int,
        first_epoch: int = 0,
    ) -> tf.data.Dataset:
        """Give the batches of all epochs: what is seen, targets and weights."""

    def of_centers(self, examples: Examples, *, batch_size: int) -> tf.data.Dataset:
        """Give the center crops, once, as batches of the same form."""


class DeviceAugmented(keras.Model):
    """A network that cuts its crops from canvases in the compiled training step.

    Built from the input and the output of the network whose layers it trains. It is
    never saved: the network itself is.
    """

    augmentation: Augmentation

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Augment, then train as Keras does.

        Args:
            data: A batch of `training_batches(on_device=True)`.

        Returns:
            Loss and metrics.
        """
        return super().train_step(cut(self.augmentation, *data))

    def _symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Build the metrics by crops: Keras would take canvases for these."""
        weights = keras.KerasTensor((None,), "float32")
        super()._symbolic_build(data_batch=(self.input, self.output, weights))


@dataclass(frozen=True)
class WholeViews:
    """Crops on their way through the whole network.

    Attributes:
        trainee: The network.
        canvases: The pictures.
        augmentation: How they are varied.
        on_device: Whether the training step cuts the crops.
    """

    trainee: keras.Model
    canvases: Canvases
    augmentation: Augmentation
    on_device: bool

    @classmethod
    def of(
        cls,
        network: keras.Model,
        canvases: Canvases,
        augmentation: Augmentation,
        *,
        on_device: bool = False,
    ) -> WholeViews:
        """Let a network see crops.

        Args:
            network: From crops to logits.
            canvases: The pictures.
            augmentation: How they are varied.
            on_device: Cut the crops in the compiled training step.

        Returns:
            Its views.
        """
        trainee = network
        if on_device:
            trainee = DeviceAugmented(network.input, network.output)
            trainee.augmentation = augmentation
        return cls(trainee, canvases, augmentation, on_device)

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
            seed: Of the order and of the crops.
            epochs: Where to stop.
            first_epoch: Where to start; what comes is what would have come anyway.

        Returns:
            Batches of `training_batches`.
        """
        return training_batches(
            self.canvases,
            examples,
            self.augmentation,
            batch_size=batch_size,
            seed=seed,
            epochs=epochs,
            first_epoch=first_epoch,
            on_device=self.on_device,
        )

    def of_centers(self, examples: Examples, *, batch_size: int) -> tf.data.Dataset:
        """Give the center crops once.

        Args:
            examples: Which pictures, and what they should be taken for.
            batch_size: Pictures a batch; the last may be smaller.

        Returns:
            Batches of crops, targets and weights.
        """
        center = Augmentation(self.augmentation.crop_size, crop=False, flip=False)
        return training_batches(
            self.canvases, examples, center, batch_size=batch_size, seed=0, epochs=1
        )


def augmentation_of(training: TrainingConfig, canvases: Canvases) -> Augmentation:
    """Say how the pictures of a training are varied.

    Args:
        training: Its settings.
        canvases: Its pictures.

    Returns:
        The same for its crops.
    """
    return Augmentation(
        canvases.preprocessor.config.crop_size,
        crop=training.crop,
        flip=training.flip,
        min_area_fraction=training.min_area_fraction,
        jitter=training.jitter,
        mixup=training.mixup,
        num_views=training.num_views if training.strategy == "last-blocks" else 0,
    )
