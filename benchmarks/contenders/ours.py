"""The package, as its commands use it; `prepare` makes what the others are given."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import clock
import numpy as np
from clock import BATCH, SIDE, Work

VERB = [sys.executable, "-m", "pixsent_tf"]


def prepare(work: Work) -> float:
    """Write the default network for the other engines, and fill what is kept."""
    import keras

    from pixsent_tf.inference import engine

    backbone = _backbone()
    original = engine.Original.of(backbone)
    (work.folder / "network.tflite").write_bytes(engine.convert(original))
    crops = keras.Input((SIDE, SIDE, 3), dtype="uint8", name="crops")
    flat = keras.Model(crops, backbone(crops))
    flat(np.zeros((1, SIDE, SIDE, 3), "uint8"))  # Keras exports what was called once
    flat.export(str(work.folder / "network.onnx"), format="onnx", verbose=False)
    engine.forward(backbone, engine.FEWEST)
    _verb("predict", work.paths[0])
    return 0


def network(work: Work) -> float:
    """Images a second."""
    from pixsent_tf.inference import engine

    crops = np.random.default_rng(0).integers(0, 256, (BATCH, SIDE, SIDE, 3), "uint8")
    look = engine.forward(_backbone(), engine.FEWEST)
    return clock.rate(lambda: np.asarray(look(crops)), BATCH)


def network_tensorflow(work: Work) -> float:
    """Images a second of TensorFlow's graph."""
    os.environ["PIXSENT_ENGINE"] = "tensorflow"
    return network(work)


def files(work: Work) -> float:
    """Files a second, from JPEG to features; nothing is recalled."""
    return clock.files_rate(_extractor(), work)


def growth(work: Work) -> dict[str, float]:
    """Seconds and memory of the features of so many files, repeated by name."""
    repeats = -(-work.number // len(work.paths))
    paths = (work.paths * repeats)[: work.number]
    run, started = _extractor(), time.perf_counter()
    run(paths)
    seconds = time.perf_counter() - started
    return {"rate": len(paths) / seconds, "seconds": seconds}


def cold(work: Work) -> float:
    """Seconds from the shell and back: one photograph."""
    return _verb("predict", work.paths[0])


def cold_imports(work: Work) -> float:
    """Seconds of what that cannot do without."""
    return _run([sys.executable, "-c", "import numpy, PIL.Image, ai_edge_litert"])


def crossval(work: Work) -> float:
    """Seconds of `crossval` from files that no command has seen."""
    return _crossval(work, "--no-cache")


def crossval_again(work: Work) -> float:
    """Seconds of `crossval` when the features are known."""
    return min(_crossval(work) for _ in range(2))


def score(work: Work, engine: str = "auto") -> float:
    """Files a second of `score`, start and end included."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder, "list.txt")
        listed.write_text("\n".join(work.paths))
        table = str(Path(folder, "table.csv"))
        options = ("--out", table, "--engine", engine)
        return len(work.paths) / _verb("score", str(listed), *options)


def served(work: Work) -> dict[str, float]:
    """Milliseconds of an answer of the SavedModel, by TensorFlow's C API."""
    import base64
    import importlib.util

    from pixsent_tf.inference import shipped
    from pixsent_tf.serving import c_api
    from pixsent_tf.serving.saved_model import export_saved_model

    folder = work.folder / "served"
    if not (folder / "1").is_dir():
        export_saved_model(shipped.load_model(), folder)
    found = importlib.util.find_spec("tensorflow")
    assert found is not None
    assert found.submodule_search_locations is not None
    library = c_api.open_library(found.submodule_search_locations[0])
    session = c_api.Session(library, str(folder / "1"))
    encoded = [base64.b64encode(Path(path).read_bytes()) for path in work.paths[:32]]
    told = {}
    for size in (1, 32):
        request = [content.decode() for content in encoded[:size]]
        times = []
        for _ in range(5 + 200 // (4 + size)):
            started = time.perf_counter()
            session.run("serving_default", request)
            times.append(1000 * (time.perf_counter() - started))
        for part in (50, 99):
            told[f"{size}_p{part}_ms"] = float(np.percentile(times[3:], part))
    return told


def train_lite0(work: Work) -> float:
    """Images a second of training the default network's layers, as `fit` does."""
    return _train_lite0(keeps_statistics=True)


def train_lite0_statistics(work: Work) -> float:
    """The same where the batch normalization learns too."""
    return _train_lite0(keeps_statistics=False)


def _train_lite0(*, keeps_statistics: bool) -> float:
    from pixsent_tf.config import TrainingConfig
    from pixsent_tf.models import zoo
    from pixsent_tf.training.rates import build_optimizer, choose_layers

    model = zoo.attach_head(_backbone(), 2)
    training = TrainingConfig(strategy="all", freeze_normalization=keeps_statistics)
    choose_layers(model, training)
    optimizer = build_optimizer(training, model, steps=100, steps_per_epoch=100)
    return _train(model, optimizer, SIDE)


def train_caffenet(work: Work) -> float:
    """Images a second of training CaffeNet, by Caffe's rules."""
    from pixsent_tf.config import ModelConfig, TrainingConfig
    from pixsent_tf.models import zoo
    from pixsent_tf.training.rates import build_optimizer

    backbone = zoo.build_backbone(ModelConfig("caffenet", weights=None))
    model = zoo.attach_head(backbone, 2)
    training = TrainingConfig(strategy="all", optimizer="caffe_sgd")
    optimizer = build_optimizer(training, model, steps=100, steps_per_epoch=100)
    return _train(model, optimizer, 227)


def _train(model: Any, optimizer: Any, side: int) -> float:
    import keras
    import tensorflow as tf

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, jit_compile=False)
    drawn = np.random.default_rng(0).integers(0, 256, (BATCH, side, side, 3))
    images, labels = tf.constant(drawn, tf.float32), tf.range(BATCH) % 2
    return clock.rate(lambda: model.train_on_batch(images, labels), BATCH)


def _backbone() -> Any:
    from pixsent_tf.config import ModelConfig
    from pixsent_tf.models import zoo

    return zoo.build_backbone(ModelConfig())


def _extractor() -> Callable[[list[str]], int]:
    os.environ["PIXSENT_FEATURES_GB"] = "0"
    from pixsent_tf.config import ModelConfig
    from pixsent_tf.data.preprocess import Preprocessor
    from pixsent_tf.models import zoo
    from pixsent_tf.training.logistic import extract_features

    backbone, preprocessor = (
        _backbone(),
        Preprocessor(zoo.preprocess_of(ModelConfig())),
    )
    return lambda paths: len(extract_features(backbone, paths, preprocessor).values)


def _crossval(work: Work, *options: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder, "labels.csv")
        names = ("negative", "positive")
        rows = zip(work.paths, work.labels, strict=True)
        table.write_text(
            "path,label\n" + "".join(f'"{path}",{names[i]}\n' for path, i in rows)
        )
        return _verb(
            "crossval", str(table), "--out", str(Path(folder, "run")), *options
        )


def _verb(verb: str, *arguments: str) -> float:
    return _run([*VERB, verb, *arguments, "--quiet"])


def _run(command: list[str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    return time.perf_counter() - started


if __name__ == "__main__":
    clock.answer(
        {
            "prepare": prepare,
            "network": network,
            "network-tensorflow": network_tensorflow,
            "files": files,
            "growth": growth,
            "cold": cold,
            "cold-imports": cold_imports,
            "crossval": crossval,
            "crossval-again": crossval_again,
            "score": score,
            "score-tensorflow": lambda work: score(work, "tensorflow"),
            "served": served,
            "train-lite0": train_lite0,
            "train-lite0-statistics": train_lite0_statistics,
            "train-caffenet": train_caffenet,
        }
    )
