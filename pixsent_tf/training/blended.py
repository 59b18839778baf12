"""How do a fine-tuned network and the head of frozen features answer together?

By a weighted mean of their logits. What fine-tuning gains on some pictures it loses on
others, and the frozen features err elsewhere; how much either counts is what makes the
pictures of inner folds likeliest, which neither has seen.

Reference:
    Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
from scipy.special import log_softmax

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.errors import ImageError
from pixsent_tf.training.finetune import FineTuneLearner, FittedNetwork
from pixsent_tf.training.heads import FittedHead, HeadLearner
from pixsent_tf.training.logistic import InnerPredictions

WEIGHTS = tuple(number / 10 for number in range(11))  # of the network


class BlendedLearner:
    """A fine-tuning and a head on frozen features, which see the same crops.

    Args:
        head: Trains the head.
        network: Trains the network; some of its inner folds are predicted.
    """

    def __init__(self, head: HeadLearner, network: FineTuneLearner) -> None:
        self.head = head
        self.network = network

    @property
    def preprocess(self) -> PreprocessConfig:
        """Geometry of the crops, which both share."""
        return self.network.preprocess

    @property
    def failures(self) -> dict[int, ImageError]:
        """The error of each picture that could not be read, by position."""
        return self.network.failures

    def read(self, paths: Sequence[str]) -> None:
        """Read all pictures, for both.

        Args:
            paths: The pictures.
        """
        self.network.read(paths)
        self.head.read(paths)

    def read_with(self, other: BlendedLearner) -> None:
        """Take what another learner has read.

        Args:
            other: Has read the pictures, for the same networks.
        """
        self.network.read_with(other.network)
        self.head.read_with(other.head)

    def fit(
        self,
        indices: np.ndarray,
        targets: np.ndarray,
        *,
        units: np.ndarray | None = None,
        checkpoints: Path | None = None,
    ) -> FittedBlend:
        """Train both, and weigh them.

        Args:
            indices: Positions of the training pictures, int [M].
            targets: Target probabilities of all pictures, float [N, K], times the
                weight of each picture.
            units: Pictures that belong together share a number, int [N].
            checkpoints: Folder for what a killed training goes on from; None for none.

        Returns:
            Both, with the weight of the network.
        """
        head = self.head.fit(indices, targets, units=units)
        network = self.network.fit(
            indices, targets, units=units, checkpoints=checkpoints
        )
        weight = choose_weight(head.inner, network.inner, targets[indices])
        return FittedBlend(head, network, weight)


def choose_weight(
    head: InnerPredictions | None,
    network: InnerPredictions | None,
    targets: np.ndarray,
) -> float:
    """Choose how much a network counts beside a head.

    Args:
        head: What heads of inner folds said about the training pictures.
        network: What networks of inner folds said about some of them.
        targets: Target probabilities times weights of the training pictures, [M, K].

    Returns:
        Weight of the network's logits, 0…1: the one of `WEIGHTS` with the smallest log
        loss on what both have predicted; a half where there is nothing of the kind.
    """
    if head is None or network is None:
        return 0.5
    known = (network.folds > 0) & (head.folds > 0)
    losses = [
        -(targets[known] * _blend(head, network, weight)[known]).sum()
        for weight in WEIGHTS
    ]
    return WEIGHTS[int(np.argmin(losses))]


def _blend(
    head: InnerPredictions, network: InnerPredictions, weight: float
) -> np.ndarray:
    mean = weight * network.log_probs + (1 - weight) * head.log_probs
    return log_softmax(mean, axis=1)


@dataclass(frozen=True)
class FittedBlend:
    """What both trainings found.

    Attributes:
        head: On frozen features.
        network: Fine-tuned.
        weight: Of the network's logits, 0…1.
    """

    head: FittedHead
    network: FittedNetwork
    weight: float

    @property
    def history(self) -> list[dict[str, float]]:
        """One row per epoch, each with the weight of the network."""
        return [{**row, "network_weight": self.weight} for row in self.network.history]

    @property
    def inner(self) -> InnerPredictions | None:
        """What both said together about pictures that neither had seen."""
        head, network = self.head.inner, self.network.inner
        if head is None or network is None:
            return None
        folds = np.where(head.folds > 0, network.folds, 0)
        return replace(
            network, log_probs=_blend(head, network, self.weight), folds=folds
        )

    def probs(self, indices: np.ndarray) -> np.ndarray:
        """Give the probabilities of pictures that were read.

        Args:
            indices: Positions, int [M].

        Returns:
            float32 [M, K]: softmax of the weighted mean of the logits.
        """
        tiny = np.finfo("float32").tiny
        mean = self.weight * np.log(self.network.probs(indices) + tiny)
        mean += (1 - self.weight) * np.log(self.head.probs(indices) + tiny)
        return np.exp(log_softmax(mean, axis=1)).astype("float32")

    def classifier(self) -> keras.Model:
        """Give the network from crops to the weighted mean of the logits.

        Returns:
            A model of two models; of one where the other does not count.
        """
        if self.weight in (0, 1):
            return (self.network if self.weight else self.head).classifier()
        parts = {"network": self.network.classifier(), "head": self.head.classifier()}
        crops = keras.Input(parts["network"].input.shape[1:], name="crops")
        logits = []
        for name, share in (("network", self.weight), ("head", 1 - self.weight)):
            part = parts[name]  # names of a model's parts must differ
            named = keras.Model(part.input, part.output, name=name)
            scale = keras.layers.Rescaling(share, name=f"{name}_share")
            logits.append(scale(named(crops)))
        mean = keras.layers.Add(name="mean_logits")(logits)
        return keras.Model(crops, mean, name="blend")
