"""How fast is the package beside what a user would take instead?

    python -m benchmarks                                         drawn pictures
    python -m benchmarks --data photographs/ --json speed.json

Three questions, each contender in a process of its own, by turns, in several rounds:

    network    the default network alone, images/s
    files      JPEG files to features, files/s, first batch and loading apart
    cold       `pixsent-tf predict photo.jpg`, seconds from the shell and back

OpenVINO takes part where it is installed. What is told is the median
of the rounds, the ratio to the first contender with its smallest and largest value in a
round, and the peak of memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

BATCH, SIDE, CANVAS = 32, 224, 256
SECONDS = 3.0  # of a measurement of the network
Look = Callable[[np.ndarray], Any]


def tensorflow_network() -> Look:
    """TensorFlow's graph, as the package compiles it."""
    os.environ["PIXSENT_ENGINE"] = "tensorflow"
    return _forward()


def litert_network() -> Look:
    """LiteRT, as the package uses it."""
    os.environ["PIXSENT_ENGINE"] = "litert"
    return _forward()


def openvino_network() -> Look:
    """OpenVINO in float32, on the network that was converted for LiteRT."""
    import openvino

    model = openvino.Core().read_model(_converted())
    model.reshape([BATCH, SIDE, SIDE, 3])
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.compile_model(model, "CPU", exact)
    return lambda crops: compiled(crops)[0]


def _forward() -> Look:
    from pixsent_tf.config import ModelConfig
    from pixsent_tf.inference import engine
    from pixsent_tf.models import zoo

    look = engine.forward(zoo.build_backbone(ModelConfig()), 10**6)
    return lambda crops: np.asarray(look(crops))


def _converted() -> Path:
    from pixsent_tf.config import ModelConfig
    from pixsent_tf.inference import engine
    from pixsent_tf.models import zoo
    from pixsent_tf.runs import cache_folder

    path = cache_folder("benchmarks") / "network.tflite"
    why = engine.keep(zoo.build_backbone(ModelConfig()), path)
    if why:
        raise SystemExit(why)
    return path


def package_files(paths: list[str]) -> Callable[[], int]:
    """Read and computed by this package, nothing recalled."""
    os.environ["PIXSENT_FEATURES_GB"] = "0"
    from pixsent_tf.config import ModelConfig
    from pixsent_tf.data.preprocess import Preprocessor
    from pixsent_tf.models import zoo
    from pixsent_tf.training.logistic import extract_features

    config = ModelConfig()
    backbone = zoo.build_backbone(config)
    preprocessor = Preprocessor(zoo.preprocess_of(config))
    extract_features(backbone, paths[:BATCH], preprocessor)
    return lambda: len(extract_features(backbone, paths, preprocessor).values)


def tensorflow_files(paths: list[str]) -> Callable[[], int]:
    """The same with TensorFlow's graph, as it was before."""
    os.environ["PIXSENT_ENGINE"] = "tensorflow"
    return package_files(paths)


def keras_files(paths: list[str]) -> Callable[[], int]:
    """Plain Keras: tf.data with a resize that does not antialias, and `predict`."""
    import tensorflow as tf

    from pixsent_tf.config import ModelConfig
    from pixsent_tf.models import zoo

    backbone = zoo.build_backbone(ModelConfig())

    def load(path: tf.Tensor) -> tf.Tensor:
        image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        image = tf.image.resize(image, (CANVAS, CANVAS))
        edge = (CANVAS - SIDE) // 2
        return image[edge : edge + SIDE, edge : edge + SIDE]

    def run(some: list[str]) -> int:
        files = tf.data.Dataset.from_tensor_slices(some)
        crops = files.map(load, tf.data.AUTOTUNE).batch(BATCH).prefetch(2)
        return len(backbone.predict(crops, verbose=0))

    run(paths[:BATCH])
    return lambda: run(paths)


def pillow_files(paths: list[str]) -> Callable[[], int]:
    """Pillow in two threads, and the network in OpenVINO."""
    look = openvino_network()

    def load(path: str) -> np.ndarray:
        image = Image.open(path)
        image.draft("RGB", (CANVAS, CANVAS))
        image = image.convert("RGB").resize((CANVAS, CANVAS), Image.BILINEAR)
        edge = (CANVAS - SIDE) // 2
        return np.asarray(image.crop((edge, edge, edge + SIDE, edge + SIDE)))

    def run(some: list[str]) -> int:
        count = 0
        with ThreadPoolExecutor(2) as pool:
            for start in range(0, len(some), BATCH):
                crops = list(pool.map(load, some[start : start + BATCH]))
                crops += [crops[-1]] * (BATCH - len(crops))
                count += len(look(np.stack(crops)))
        return count

    run(paths[:BATCH])
    return lambda: run(paths)


NETWORKS: dict[str, Callable[[], Look]] = {
    "litert (ours)": litert_network,
    "tensorflow": tensorflow_network,
    "openvino f32": openvino_network,
}
FILES: dict[str, Callable[[list[str]], Callable[[], int]]] = {
    "litert (ours)": package_files,
    "tensorflow": tensorflow_files,
    "plain Keras": keras_files,
    "Pillow + openvino f32": pillow_files,
}
COLD = {"without TensorFlow (ours)": "auto", "with TensorFlow": "tensorflow"}
QUESTIONS: dict[str, Iterable[str]] = {
    "network": NETWORKS,
    "files": FILES,
    "cold": COLD,
}
NEEDS = {"openvino f32": "openvino", "Pillow + openvino f32": "openvino"}


def measure(question: str, name: str, paths: list[str]) -> float:
    """Measure one contender once, in this process.

    Args:
        question: "network", "files" or "cold".
        name: The contender.
        paths: JPEG files.

    Returns:
        Images or files a second; seconds for "cold".
    """
    if question == "cold":
        command = [sys.executable, "-m", "pixsent_tf", "predict", paths[0], "--quiet"]
        started = time.perf_counter()
        subprocess.run(
            [*command, "--engine", COLD[name]], check=True, capture_output=True
        )
        return time.perf_counter() - started
    if question == "files":
        run = FILES[name](paths)
        started = time.perf_counter()
        run()
        return len(paths) / (time.perf_counter() - started)
    look, count = NETWORKS[name](), 0
    crops = np.random.default_rng(0).integers(0, 256, (BATCH, SIDE, SIDE, 3), "uint8")
    look(crops)
    started = time.perf_counter()
    while time.perf_counter() < started + SECONDS:
        look(crops)
        count += BATCH
    return count / (time.perf_counter() - started)


def main() -> None:
    """Ask every question of every contender, in rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of JPEG files; drawn ones by default")
    parser.add_argument("--files", type=int, default=320, help="how many of them")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ask", nargs="+", choices=QUESTIONS, default=[*QUESTIONS])
    parser.add_argument("--json", help="file to write")
    parser.add_argument("--only", nargs=2, metavar=("QUESTION", "CONTENDER"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = _files(options.data, Path(folder))[: options.files]
        if options.only:
            found = measure(*options.only, paths)
            who = resource.RUSAGE_CHILDREN if "cold" in options.only else 0
            peak = resource.getrusage(who).ru_maxrss // 1024
            print(json.dumps({"value": found, "peak_mb": peak}))
            return
        told = {
            question: _ask(question, names, options, folder)
            for question, names in QUESTIONS.items()
            if question in options.ask
        }
    if options.json:
        Path(options.json).write_text(json.dumps(told, indent=2) + "\n")


def _ask(
    question: str, names: Iterable[str], options: argparse.Namespace, folder: str
) -> dict[str, Any]:
    here = [name for name in names if name not in NEEDS or find_spec(NEEDS[name])]
    data = options.data or folder
    command = [sys.executable, "-m", "benchmarks", "--data", data]
    command += ["--files", str(options.files), "--only", question]
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in here}
    for _ in range(options.rounds):
        for name in here:
            done = subprocess.run([*command, name], check=True, capture_output=True)
            rows[name].append(json.loads(done.stdout.splitlines()[-1]))
    first = [row["value"] for row in rows[here[0]]]
    told = {}
    print(f"\n| {question} | median | ratio (smallest to largest) | peak MB |")
    print("|---|---|---|---|")
    for name, found in rows.items():
        values = [row["value"] for row in found]
        ratios = [value / one for value, one in zip(values, first, strict=True)]
        told[name] = {
            "values": values,
            "median": statistics.median(values),
            "ratio": statistics.median(ratios),
            "peak_mb": statistics.median(row["peak_mb"] for row in found),
        }
        print(
            f"| {name} | {told[name]['median']:.2f} | {told[name]['ratio']:.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f}) | {told[name]['peak_mb']:.0f} |",
            flush=True,
        )
    return told


def _files(data: str | None, folder: Path) -> list[str]:
    """The JPEG files of a folder, or drawn ones."""
    if data is None:
        generator = np.random.default_rng(0)
        for number in range(320):
            coarse = generator.integers(0, 256, (30, 40, 3)).astype("uint8")
            image = Image.fromarray(coarse).resize((640, 480), Image.BICUBIC)
            image.save(folder / f"{number:04}.jpg", quality=90)
        data = str(folder)
    return sorted(str(path) for path in Path(data).glob("*.jpg"))


if __name__ == "__main__":
    main()
