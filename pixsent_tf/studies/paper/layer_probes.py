"""How much does each layer of a fold's own network know? Table 3 of the paper.

The network of a fold has not seen its test pictures; linear classifiers on each of its
layers are trained on the same training pictures. A finished fold is kept.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from pixsent_tf.data.splits import find_named_units
from pixsent_tf.data.table import Dataset
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.machine import num_cores
from pixsent_tf.models.zoo import HEAD
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.recipes.linear_probes import CLASSIFIERS, INVERSE_PENALTIES
from pixsent_tf.runs import Run
from pixsent_tf.studies.folds import Folds, Part, choose, divide
from pixsent_tf.studies.paper import classifiers

Key = tuple[str, str]  # layer and classifier


@dataclass(frozen=True)
class LayerAnswers:
    """What the classifiers on one layer of one fold's network got right.

    Attributes:
        right: Of the test pictures, by penalty, bool [P, M].
        chosen: Position of the penalty that the training pictures chose.
        num_features: Width of the features that they were trained on.
    """

    right: np.ndarray
    chosen: int
    num_features: int


@dataclass(frozen=True)
class FoldProbes:
    """What the classifiers on every layer of one fold's network got right.

    Attributes:
        ids: Of the test pictures that could be read, [M].
        by_layer: Answers by layer and classifier.
    """

    ids: tuple[str, ...]
    by_layer: Mapping[Key, LayerAnswers]

    def to_json(self) -> dict[str, Any]:
        """Give what JSON can hold; what is right is a line of 0 and 1 a penalty."""
        return {
            "ids": list(self.ids),
            "layers": [
                {
                    "layer": layer,
                    "classifier": classifier,
                    "right": [
                        "".join("01"[int(bit)] for bit in row) for row in one.right
                    ],
                    "chosen": one.chosen,
                    "num_features": one.num_features,
                }
                for (layer, classifier), one in self.by_layer.items()
            ],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FoldProbes:
        """Build it again from what `to_json` gave."""
        return cls(
            tuple(values["ids"]),
            {
                (row["layer"], row["classifier"]): LayerAnswers(
                    np.array([[bit == "1" for bit in line] for line in row["right"]]),
                    row["chosen"],
                    row["num_features"],
                )
                for row in values["layers"]
            },
        )


@dataclass(frozen=True)
class Probed:
    """What the classifiers on one layer got right.

    Attributes:
        by_penalty: On the test pictures, with each penalty, bool [P, N].
        nested: With the penalty that the training pictures chose, bool [N].
        folds: Test fold of each picture, int [N].
    """

    by_penalty: np.ndarray
    nested: np.ndarray
    folds: np.ndarray

    @property
    def best_penalty(self) -> int:
        """Position of the penalty with the best mean over the TEST folds.

        The paper chose so; the accuracy it leads to is flattered.
        """
        means = [
            self.by_penalty[:, self.folds == fold].mean(axis=1)
            for fold in np.unique(self.folds)
        ]
        return int(np.mean(means, axis=0).argmax())


def probe_layers(
    dataset: Dataset,
    networks: Run,
    run: Run,
    layers: Sequence[str],
    *,
    folds: Sequence[int],
    seed: int = 0,
    progress: Progress = NO_PROGRESS,
) -> dict[Key, Probed]:
    """Probe layers of the networks that a cross-validation has kept.

    Args:
        dataset: The pictures, with the folds of that cross-validation.
        networks: The run that holds the model of each fold.
        run: Where to keep what each fold finds.
        layers: Names of layers; fc8 is the head.
        folds: Which folds to test.
        seed: Of the inner folds.
        progress: Hears how far it is.

    Returns:
        What was right, by layer and classifier.

    Raises:
        DataError: If none of the pictures can be read.
        WeightsError: If a fold's model was not kept.
    """
    assert dataset.folds is not None
    made_by = {
        "recipe": asdict(networks.read_recipe()),
        "layers": list(layers),
        "seed": seed,
    }
    kept = Folds(run, dataset, FoldProbes, made_by)
    units = find_named_units(dataset)
    parts = choose(divide(dataset, dataset.folds, units=units), folds)
    found = kept.find(
        parts,
        lambda part: _probe_part(
            dataset, part, networks.fold_model_path(part.number), layers, seed, progress
        ),
    )
    of_picture = np.repeat(list(found), [len(one.ids) for one in found.values()])
    pooled = {}
    for key in itertools.product(layers, CLASSIFIERS):
        answers = [one.by_layer[key] for one in found.values()]
        pooled[key] = Probed(
            np.concatenate([one.right for one in answers], axis=1),
            np.concatenate([one.right[one.chosen] for one in answers]),
            of_picture,
        )
    return pooled


def _probe_part(
    dataset: Dataset,
    part: Part,
    path: Path,
    layers: Sequence[str],
    seed: int,
    progress: Progress,
) -> FoldProbes:
    """Probe the layers of the network of one fold, which is saved at `path`."""
    model = SentimentModel.load(path)
    names = {HEAD if layer == "fc8" else layer: layer for layer in layers}
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        readable, stored = classifiers.store_activations(
            model.classifier,
            model.preprocessor,
            dataset.paths,
            list(names),
            Path(folder),
            progress=progress,
        )
        products = {
            names[name]: classifiers.inner_products(x) for name, x in stored.items()
        }
    train, test = (indices[readable[indices]] for indices in (part.train, part.test))

    def probe(layer: str) -> dict[Key, LayerAnswers]:
        features = classifiers.rotate(products[layer])
        return {
            (layer, kind): _fit(features, dataset.labels, train, test, kind, seed)
            for kind in CLASSIFIERS
        }

    # The matrices are small: threads of BLAS would only wait for each other.
    with threadpool_limits(1), ThreadPoolExecutor(num_cores()) as pool:
        probed = list(pool.map(probe, layers))
    by_layer = {key: one for answers in probed for key, one in answers.items()}
    return FoldProbes(tuple(dataset.ids[i] for i in test), by_layer)


def _fit(
    features: np.ndarray,
    labels: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    kind: str,
    seed: int,
) -> LayerAnswers:
    settings: dict[str, Any] = {
        "classifier": kind,
        "inverse_penalties": INVERSE_PENALTIES,
    }
    answers = classifiers.answer_by_penalty(features, labels, train, **settings)
    chosen = classifiers.choose_penalty(features, labels, train, seed=seed, **settings)
    return LayerAnswers(answers[:, test] == labels[test], chosen, features.shape[1])
