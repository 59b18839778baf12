"""What does a training find that ends in ratings?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import keras
import numpy as np

from pixsent_tf.data.lists.rated import Ratings
from pixsent_tf.evaluation import conformal
from pixsent_tf.models import zoo
from pixsent_tf.models.output import RatingOutput
from pixsent_tf.training.ridge import RidgeHead

if TYPE_CHECKING:
    from pixsent_tf.training.heads import HeadLearner


class FittedRatings:
    """A head of ratings, and the learner whose features it reads.

    It is used as a `Calibrated` is; how sure it is, it says by intervals.

    Args:
        learner: Holds backbone and features.
        head: What was trained.
        known: The ratings that trained it.
    """

    temperature = 1.0  # there is nothing to divide

    def __init__(self, learner: HeadLearner, head: RidgeHead, known: Ratings) -> None:
        self.learner = learner
        self.head = head
        self.known = known
        self.fitted = self
        errors = np.abs(head.inner.clip(*known.scale) - known.values)  # [M, T]
        self.half_widths = [conformal.half_width(column) for column in errors.T]

    @property
    def history(self) -> list[dict[str, float]]:
        """One row per penalty that was tried."""
        names = [f"inner_rmse_{target}" for target in self.known.targets]
        return [
            dict(zip(["inverse_penalty", *names], row, strict=True))
            for row in self.head.history
        ]

    def probs(self, indices: np.ndarray) -> np.ndarray:
        """Rate pictures that were read.

        Args:
            indices: Positions, int [M].

        Returns:
            Ratings where others give probabilities, float32 [M, T], on the scale.
        """
        raw = self.head.ratings(self.learner.values[indices])
        return raw.clip(*self.known.scale).astype("float32")

    def classifier(self) -> keras.Model:
        """Give the network from crops to ratings.

        Returns:
            Backbone and head as one flat model.
        """
        network = zoo.attach_head(self.learner.backbone, len(self.head.bias))
        network.get_layer(zoo.HEAD).set_weights([self.head.kernel, self.head.bias])
        return network

    def output(self, class_names: Sequence[str]) -> RatingOutput:
        """Give the layer that makes the network's numbers the answer.

        Args:
            class_names: Unused: ratings have none.

        Returns:
            The last layer of the model that is saved.
        """
        known = self.known
        return RatingOutput(known.targets, known.scale, self.half_widths)
