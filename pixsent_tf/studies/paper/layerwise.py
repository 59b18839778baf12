"""How much does each layer of a fold's own network know? Table 3 of the paper.

The network of a fold has not seen its test pictures; linear classifiers on each of its
layers are trained on the same training pictures. A finished fold is kept.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from pixsent_tf.data.table import Dataset
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models.zoo import HEAD
from pixsent_tf.recipes.linear_probes import CLASSIFIERS, INVERSE_PENALTIES
from pixsent_tf.runs import Run
from pixsent_tf.studies.paper import classifiers

NUM_THREADS = 2
Advance = Callable[[int], object]


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
    advance: Advance = lambda count: None,
) -> dict[tuple[str, str], Probed]:
    """Probe layers of the networks that a cross-validation has kept.

    Args:
        dataset: The pictures, with the folds of that cross-validation.
        networks: The run that holds the model of each fold.
        run: Where to keep what each fold finds.
        layers: Names of layers; fc8 is the head.
        folds: Which folds to test.
        seed: Of the inner folds.
        advance: Called with the number of pictures passed since the last call.

    Returns:
        What was right, by layer and classifier.

    Raises:
        DataError: If none of the pictures can be read.
        WeightsError: If a fold's model was not kept.
    """
    found = []
    for fold in folds:
        kept = run.read_fold(fold)
        if kept is None:
            path = networks.fold_model_path(fold)
            kept = _probe_fold(dataset, path, layers, fold, seed, advance)
            run.write_fold(fold, kept)
        found.append(kept)
    sizes = [len(one["ids"]) for one in found]
    of_picture = np.repeat(folds, sizes)
    return {
        (layer, name): Probed(
            np.concatenate(
                [_bits(one["layers"][layer][name]["right"]) for one in found], axis=1
            ),
            np.concatenate(
                [_nested(one["layers"][layer][name]) for one in found],
            ),
            of_picture,
        )
        for layer in layers
        for name in CLASSIFIERS
    }


def _bits(rows: Sequence[str]) -> np.ndarray:
    return np.array([[bit == "1" for bit in row] for row in rows])


def _nested(one: dict[str, Any]) -> np.ndarray:
    return _bits(one["right"])[one["chosen"]]


def _probe_fold(
    dataset: Dataset,
    path: Path,
    layers: Sequence[str],
    fold: int,
    seed: int,
    advance: Advance,
) -> dict[str, Any]:
    model = SentimentModel.load(path)
    names = [HEAD if layer == "fc8" else layer for layer in layers]
    assert dataset.folds is not None
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        readable, stored = classifiers.store_activations(
            model.classifier,
            model.preprocessor,
            dataset.paths,
            names,
            Path(folder),
            advance=advance,
        )
        products = {name: classifiers.inner_products(x) for name, x in stored.items()}
    train = np.flatnonzero((dataset.folds > 0) & (dataset.folds != fold) & readable)
    test = np.flatnonzero((dataset.folds == fold) & readable)

    def probe(name: str) -> dict[str, Any]:
        features = classifiers.rotate(products[name])
        return {
            kind: _fit(features, dataset.labels, train, test, kind, seed)
            for kind in CLASSIFIERS
        }

    # The matrices are small: threads of BLAS would only wait for each other.
    with threadpool_limits(1), ThreadPoolExecutor(NUM_THREADS) as pool:
        probed = dict(zip(layers, pool.map(probe, names), strict=True))
    return {"ids": [dataset.ids[i] for i in test], "layers": probed}


def _fit(
    features: np.ndarray,
    labels: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    kind: str,
    seed: int,
) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "classifier": kind,
        "inverse_penalties": INVERSE_PENALTIES,
    }
    answers = classifiers.answer_by_penalty(features, labels, train, **settings)
    right = answers[:, test] == labels[test]
    chosen = classifiers.choose_penalty(features, labels, train, seed=seed, **settings)
    return {
        "right": ["".join("01"[int(bit)] for bit in row) for row in right],
        "chosen": chosen,
        "num_features": features.shape[1],
    }
