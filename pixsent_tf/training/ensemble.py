"""How do several trainings that differ by their seed answer together?

By the mean of their logits: heads on one backbone then stay one head, and the answer
for a picture stays the mean over its places where that of each network is.

Reference:
    Lakshminarayanan et al., "Simple and Scalable Predictive Uncertainty Estimation
    using Deep Ensembles", NeurIPS 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import keras
import numpy as np
from scipy.special import log_softmax, softmax

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.errors import ImageError
from pixsent_tf.training.finetune import FineTuneLearner, FittedNetwork
from pixsent_tf.training.heads import FittedHead, HeadLearner, classifier_from_head
from pixsent_tf.training.logistic import InnerPredictions

Member = TypeVar("Member", HeadLearner, FineTuneLearner)


class EnsembleLearner(Generic[Member]):
    """Several learners that read the pictures once, together.

    Args:
        members: Learners of one recipe with seeds of their own.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self.members: Sequence[Member] = members

    @property
    def preprocess(self) -> PreprocessConfig:
        """Geometry of the crops, which all members share."""
        return self.members[0].preprocess

    @property
    def failures(self) -> dict[int, ImageError]:
        """The error of each picture that could not be read, by position."""
        return self.members[0].failures

    def read(self, paths: Sequence[str]) -> None:
        """Read all pictures once, for all members.

        Args:
            paths: The pictures.
        """
        first: Any = self.members[0]
        first.read(paths)
        for member in self.members[1:]:
            member.read_with(first)

    def fit(
        self,
        indices: np.ndarray,
        targets: np.ndarray,
        *,
        units: np.ndarray | None = None,
        checkpoints: Path | None = None,
    ) -> FittedEnsemble:
        """Train every member on the same pictures.

        Args:
            indices: Positions of the training pictures, int [M].
            targets: Target probabilities of all pictures, float [N, K].
            units: Pictures that belong together share a number, int [N].
            checkpoints: Folder for what a killed training goes on from, a finished
                member included; None for none.

        Returns:
            The trained members.
        """
        return FittedEnsemble(
            [
                each.fit(indices, targets, units=units, checkpoints=checkpoints)
                for each in self.members
            ]
        )


@dataclass(frozen=True)
class FittedEnsemble:
    """What the trainings of all members found.

    Attributes:
        members: All of one kind.
    """

    members: Sequence[FittedHead | FittedNetwork]

    @property
    def history(self) -> list[dict[str, float]]:
        """The rows of all members, each with its number."""
        return [
            {"member": number, **row}
            for number, member in enumerate(self.members, start=1)
            for row in member.history
        ]

    @property
    def inner(self) -> InnerPredictions | None:
        """Mean of what the members' inner models said, if they have any."""
        found = [member.inner for member in self.members if member.inner is not None]
        if not found:
            return None
        mean = np.mean([inner.log_probs for inner in found], axis=0)
        return replace(found[0], log_probs=log_softmax(mean, axis=1))

    def probs(self, indices: np.ndarray) -> np.ndarray:
        """Give the probabilities of pictures that were read.

        Args:
            indices: Positions, int [M].

        Returns:
            float32 [M, K]: softmax of the mean of the members' logits.
        """
        tiny = np.finfo("float32").tiny
        logs = [np.log(member.probs(indices) + tiny) for member in self.members]
        return softmax(np.mean(logs, axis=0), axis=1).astype("float32")

    def classifier(self) -> keras.Model:
        """Give the network from crops to the mean of the members' logits.

        Returns:
            Heads: one flat model with one head. Networks: a model of models.
        """
        heads = [each for each in self.members if isinstance(each, FittedHead)]
        if heads:
            mean = replace(
                heads[0].head,
                kernel=np.mean([each.head.kernel for each in heads], axis=0),
                bias=np.mean([each.head.bias for each in heads], axis=0),
            )
            return classifier_from_head(heads[0].learner.backbone, mean)
        networks = [each.classifier() for each in self.members]
        crops = keras.Input(networks[0].input.shape[1:], name="crops")
        logits = []
        for number, network in enumerate(networks, start=1):
            # names of a model's parts must differ
            named = keras.Model(network.input, network.output, name=f"member{number}")
            logits.append(named(crops))
        mean_logits = keras.layers.Average(name="mean_logits")(logits)
        return keras.Model(crops, mean_logits, name="ensemble")
