"""ONNX Runtime on the default network; Pillow before it, scikit-learn behind."""

from __future__ import annotations

import time

import clock
import numpy as np
import onnxruntime
import pillow_pool
from clock import BATCH, SIDE, Work
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def _open(work: Work) -> pillow_pool.Callable[[np.ndarray], np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = clock.CORES
    session = onnxruntime.InferenceSession(
        str(work.folder / "network.onnx"), options, providers=["CPUExecutionProvider"]
    )
    return lambda crops: session.run(None, {"crops": crops})[0]


def network(work: Work) -> float:
    """Images a second."""
    crops = np.random.default_rng(0).integers(0, 256, (BATCH, SIDE, SIDE, 3), "uint8")
    look = _open(work)
    return clock.rate(lambda: look(crops), BATCH)


def files(work: Work) -> float:
    """Files a second, from JPEG to features."""
    look = _open(work)
    return clock.files_rate(lambda some: len(pillow_pool.features(some, look)), work)


def crossval(work: Work) -> float:
    """Seconds of a five-fold cross-validation, loading included."""
    started = time.perf_counter()
    features = pillow_pool.features(work.paths, _open(work))
    head = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    labels = np.array(work.labels)
    answers = cross_val_predict(head, features, labels, cv=5)
    assert (answers == labels).mean() > 0.5
    return time.perf_counter() - started


if __name__ == "__main__":
    clock.answer({"network": network, "files": files, "crossval": crossval})
