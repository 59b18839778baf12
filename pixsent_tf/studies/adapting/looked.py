"""What does a network see in the pictures that it is adapted to?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import numpy as np

from pixsent_tf.data.splits import find_units, stratified_folds
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import DataError, ImageError, WeightsError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models.gate import gate_alike, ungated
from pixsent_tf.progress import Progress
from pixsent_tf.runs import Run
from pixsent_tf.training.adapting import Head, Loss, Standard
from pixsent_tf.training.logistic import extract_features

NUM_FOLDS = 5


class Table(Protocol):
    """What a model said about pictures."""

    def write(self, run: Run) -> None:
        """Write it into a run's folder."""


@dataclass(frozen=True)
class Came:
    """What became of a model.

    Attributes:
        model: What answers from now on.
        choice: One of `training.adapting.CANDIDATES`.
        losses: Of the candidates, in their order.
        told: What is told of this kind of model only, by key.
        table: What it says of labels that trained and chose nothing.
    """

    model: SentimentModel
    choice: str
    losses: tuple[Loss, ...]
    told: Mapping[str, Any]
    table: Table


@dataclass(frozen=True)
class Looked:
    """A model, and labelled pictures whose features are known.

    Attributes:
        trained: The model as it was.
        dataset: The labelled pictures.
        features: float32 [N, F]; zero where a picture could not be read.
        failures: The error of each picture that could not be read, by position.
        standard: Of the collection.
        units: Pictures that belong together share a number, int [N].
        seed: Of the folds.
    """

    trained: SentimentModel
    dataset: Dataset
    features: np.ndarray
    failures: Mapping[int, ImageError]
    standard: Standard
    units: np.ndarray
    seed: int

    @classmethod
    def read(
        cls,
        trained: SentimentModel,
        dataset: Dataset,
        pictures: Sequence[str],
        seed: int,
        progress: Progress,
    ) -> Looked:
        """Pass every picture through the network once.

        Args:
            trained: The model.
            dataset: The labelled pictures.
            pictures: Files of the collection that they are from; may be none.
            seed: Of the folds.
            progress: Hears how far it is.

        Returns:
            What the network sees.

        Raises:
            DataError: If none of `pictures` can be read.
        """
        units = find_units(dataset, progress=progress)
        paths = list(dict.fromkeys([*dataset.paths, *pictures]))
        backbone = keras.Model(
            trained.classifier.input, last_layer(trained.classifier).input
        )
        found = extract_features(
            backbone, paths, trained.preprocessor, progress=progress
        )
        place = {path: i for i, path in enumerate(paths)}
        own = [place[path] for path in dataset.paths]
        collection = [place[path] for path in pictures] or own
        collection = [i for i in collection if found.readable[i]]
        if pictures and not collection:
            raise DataError(f"None of the {len(pictures)} pictures can be read.")
        return cls(
            trained,
            dataset,
            found.values[own],
            {i: found.failures[p] for i, p in enumerate(own) if p in found.failures},
            Standard.of(found.values[collection]),
            units,
            seed,
        )

    @property
    def readable(self) -> np.ndarray:
        """Positions of the pictures that could be read, int [M]."""
        return np.setdiff1d(np.arange(len(self.dataset)), list(self.failures))

    @property
    def head(self) -> Head:
        """The head as it was."""
        kernel, *bias = last_layer(self.trained.classifier).get_weights()
        shift = bias[0] if bias else np.zeros(kernel.shape[1], dtype="float32")
        return Head(kernel, shift)

    def deal(self) -> np.ndarray:
        """Deal the pictures into the folds that judge.

        Returns:
            Number of each one's fold, from 1; 0 where a picture could not be read.
        """
        readable, units = self.readable, self.units[self.readable]
        labels = self.dataset.labels[readable]
        fewest = min(len(np.unique(units[labels == k])) for k in np.unique(labels))
        dealt = np.zeros(len(self.dataset), dtype="int32")
        dealt[readable] = stratified_folds(
            labels, min(NUM_FOLDS, fewest), seed=self.seed, units=units
        )
        return dealt


def last_layer(classifier: keras.Model) -> keras.layers.Dense:
    """Find the linear layer that a classifier ends in.

    Args:
        classifier: From crops to logits or ratings.

    Returns:
        The layer.

    Raises:
        WeightsError: If there is none.
    """
    last = ungated(classifier).output._keras_history.operation
    is_linear = isinstance(last, keras.layers.Dense) and (
        last.activation is keras.activations.linear
    )
    if not is_linear or len(last.input.shape) != 2:
        raise WeightsError(
            f"The model ends in {last.name!r} ({type(last).__name__}), not in one "
            f"linear layer on features; adapt a single network, no ensemble."
        )
    return last


def with_head(network: keras.Model, head: Head) -> keras.Model:
    """Give a network another last layer of the same name, and its gate.

    Args:
        network: As it was.
        head: What the layer does.

    Returns:
        A network that shares all other layers.
    """
    old = last_layer(network)
    new = keras.layers.Dense.from_config({**old.get_config(), "use_bias": True})
    changed = keras.Model(network.input, new(old.input), name=network.name)
    new.set_weights([head.kernel, head.bias])
    return gate_alike(changed, network)
