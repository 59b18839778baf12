"""How does one fit linear classifiers on features far wider than there are pictures?

A linear classifier with an L2 penalty sees its features only through their inner
products. N pictures span at most N axes, so 290,400 numbers a picture become at most N,
with the same inner products and the same classifiers, and every penalty is cheap.
Activations stay on disk in half precision meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.inference.frozen import Frozen, FrozenSweep
from pixsent_tf.models import surgery
from pixsent_tf.progress import NO_PROGRESS, Progress

NUM_INNER_FOLDS = 5
COLUMNS = 2**15  # of a block whose inner products are taken at once
RANK_TOLERANCE = 1e-9  # of the largest eigenvalue; half precision is coarser
LARGEST_HALF = float(np.finfo("float16").max)


def store_activations(
    network: keras.Model,
    preprocessor: Preprocessor,
    paths: Sequence[str],
    layers: Sequence[str],
    folder: Path,
    *,
    batch_size: int = 16,
    progress: Progress = NO_PROGRESS,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Write the activations of every picture's center crop to disk, flattened.

    Args:
        network: Functional model that takes crops.
        preprocessor: Its geometry.
        paths: The pictures.
        layers: Names of its layers.
        folder: Where to write one file for each layer.
        batch_size: Pictures a step.
        progress: Hears how far it is.

    Returns:
        Which pictures could be read, bool [N], and by layer a memory-mapped float16
        [N, F]; rows of pictures that could not be read are zero.

    Raises:
        ConfigError: If the network has no such layer.
        DataError: If none of the pictures can be read.
    """
    model = surgery.features(network, layers)
    stored: dict[str, np.ndarray] = {
        name: np.lib.format.open_memmap(
            folder / f"{name}.npy",
            mode="w+",
            dtype="float16",
            shape=(len(paths), int(np.prod(network.get_layer(name).output.shape[1:]))),
        )
        for name in layers
    }
    sweep = FrozenSweep(
        Frozen(model, preprocessor),
        paths,
        after=_flatten,
        batch_size=batch_size,
        progress=progress,
    )
    readable = np.zeros(len(paths), dtype=bool)
    for positions, activations in sweep:
        for name, values in activations.items():
            stored[name][positions] = values
        readable[positions] = True
    sweep.check()
    return readable, stored


def _flatten(activations: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Bring each picture's activations to one row in half precision."""
    flat = {
        name: tf.reshape(x, [-1, int(np.prod(x.shape[1:]))])
        for name, x in activations.items()
    }
    return {
        name: tf.cast(tf.clip_by_value(x, -LARGEST_HALF, LARGEST_HALF), tf.float16)
        for name, x in flat.items()
    }


def inner_products(features: np.ndarray) -> np.ndarray:
    """Multiply every two pictures' features, block by block.

    Args:
        features: float [N, F], of any width, possibly on disk.

    Returns:
        float64 [N, N].
    """
    total = np.zeros((len(features), len(features)))
    for start in range(0, features.shape[1], COLUMNS):
        block = features[:, start : start + COLUMNS].astype("float32")
        total += block @ block.T
    return total


def rotate(products: np.ndarray) -> np.ndarray:
    """Find the shortest features with given inner products.

    Args:
        products: Symmetric, without negative eigenvalues but for rounding, [N, N].

    Returns:
        float64 [N, rank].
    """
    values, axes = np.linalg.eigh(products)
    kept = values > RANK_TOLERANCE * max(values[-1], 0)
    return axes[:, kept] * np.sqrt(values[kept])


def answer_by_penalty(
    features: np.ndarray,
    labels: np.ndarray,
    train: np.ndarray,
    *,
    classifier: str,
    inverse_penalties: Sequence[float],
) -> np.ndarray:
    """Fit one classifier for each penalty, and let it answer for every picture.

    Args:
        features: float [N, F].
        labels: Class indices, int [N].
        train: Which pictures train, positions or bool [N].
        classifier: "svm" (squared hinge, as LIBLINEAR's default) or "softmax"
            (logistic regression).
        inverse_penalties: Inverse penalties C.

    Returns:
        Class indices, int [len(inverse_penalties), N].
    """
    # One number divides all features and is made up for by C: same classifiers, but
    # the solvers start where they converge.
    scale = float(np.sqrt((features[train] ** 2).sum(axis=1).mean())) or 1.0
    scaled = features / scale
    model = (
        LinearSVC(dual=False, intercept_scaling=1 / scale)
        if classifier == "svm"
        else LogisticRegression(solver="newton-cholesky", warm_start=True)
    )
    answers = np.zeros((len(inverse_penalties), len(features)), dtype="int64")
    for row, inverse_penalty in enumerate(inverse_penalties):
        model.set_params(C=inverse_penalty * scale**2)
        answers[row] = model.fit(scaled[train], labels[train]).predict(scaled)
    return answers


def choose_penalty(
    features: np.ndarray,
    labels: np.ndarray,
    train: np.ndarray,
    *,
    classifier: str,
    inverse_penalties: Sequence[float],
    seed: int = 0,
) -> int:
    """Choose a penalty by cross-validation inside the training pictures.

    Args:
        features: float [N, F].
        labels: Class indices, int [N].
        train: Positions of the training pictures, int [M].
        classifier: See `answer_by_penalty`.
        inverse_penalties: Inverse penalties C.
        seed: Of the inner folds.

    Returns:
        Position of the best penalty; of equals the strongest.
    """
    fewest = int(np.bincount(labels[train]).min())
    splitter = StratifiedKFold(
        min(NUM_INNER_FOLDS, fewest), shuffle=True, random_state=seed
    )
    right = np.zeros(len(inverse_penalties))
    for inner, outer in splitter.split(train, labels[train]):
        answers = answer_by_penalty(
            features,
            labels,
            train[inner],
            classifier=classifier,
            inverse_penalties=inverse_penalties,
        )
        held = train[outer]
        right += (answers[:, held] == labels[held]).sum(axis=1)
    return int(right.argmax())
