"""How fast is the package beside what a user would take instead?

    python -m benchmarks                                    drawn pictures
    python -m benchmarks --data photographs.csv --out docs/results/speed
    python -m benchmarks --ask files crossval --rounds 3

Every contender is a process of its own, in an environment of its own that is made when
it is first needed; all are asked by turns, in several rounds. What is told is the
median of the rounds, the ratio to the first contender with its smallest and largest
value in a round (above 1: this package is ahead), and the highest memory. `--out` adds
a table, `.md`, and all values, `.json`.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.environments import python_of

CONTENDERS = Path(__file__).parent / "contenders"
OURS = "this package"
SIZES = (1_000, 10_000)  # files, between which time and memory are to grow as they do


@dataclass(frozen=True)
class Contender:
    """Who is asked, and what.

    Attributes:
        name: In the table.
        script: In `contenders/`, and the name of its environment.
        question: What the script is asked.
        number: What the question is asked for.
    """

    name: str
    script: str
    question: str
    number: int = 0


@dataclass(frozen=True)
class Question:
    """What is measured.

    Attributes:
        title: Above the table.
        unit: Of the values.
        contenders: This package first.
        is_time: Whether less is better.
    """

    title: str
    unit: str
    contenders: tuple[Contender, ...]
    is_time: bool = False


ONNX, KERAS, TORCH = "ONNX Runtime", "plain Keras", "PyTorch"
LEARNT = "train-lite0-statistics"
QUESTIONS = {
    "network": Question(
        "The default network alone, batches of 32",
        "images/s",
        (
            Contender(OURS, "ours", "network"),
            Contender(f"{OURS}, TensorFlow's graph", "ours", "network-tensorflow"),
            Contender(ONNX, "onnx_runtime", "network"),
            Contender("OpenVINO, float32", "open_vino", "network"),
            Contender("OpenVINO, its default", "open_vino", "network-bf16"),
            Contender(KERAS, "plain_keras", "network"),
            Contender(TORCH, "torch_loader", "network"),
        ),
    ),
    "files": Question(
        "JPEG files to features, when all is loaded",
        "files/s",
        (
            Contender(OURS, "ours", "files"),
            Contender(f"{ONNX} + Pillow in two threads", "onnx_runtime", "files"),
            Contender("OpenVINO, float32 + Pillow", "open_vino", "files"),
            Contender("OpenVINO, its default + Pillow", "open_vino", "files-bf16"),
            Contender(f"{KERAS} + tf.data, not antialiased", "plain_keras", "files"),
            Contender(f"{TORCH} + DataLoader", "torch_loader", "files"),
        ),
    ),
    "cold": Question(
        "One photograph from the shell and back",
        "seconds",
        (
            Contender(OURS, "ours", "cold"),
            Contender("the bare imports of that", "ours", "cold-imports"),
        ),
        is_time=True,
    ),
    "crossval": Question(
        "Five-fold cross-validation of a linear head, from files to the report",
        "seconds",
        (
            Contender(OURS, "ours", "crossval"),
            Contender(f"{OURS}, features known", "ours", "crossval-again"),
            Contender(f"{ONNX} + scikit-learn", "onnx_runtime", "crossval"),
        ),
        is_time=True,
    ),
    "score": Question(
        "`score` with the quick model, start and end included",
        "files/s",
        (
            Contender(OURS, "ours", "score"),
            Contender(f"{OURS}, TensorFlow's graph", "ours", "score-tensorflow"),
        ),
    ),
    "train-lite0": Question(
        "A training step of the default network, batches of 32",
        "images/s",
        (
            Contender(OURS, "ours", "train-lite0"),
            Contender(KERAS, "plain_keras", "train-lite0"),
            Contender(TORCH, "torch_loader", "train-lite0"),
            *(
                Contender(f"{name}, normalization too", script, LEARNT)
                for name, script in (
                    *((OURS, "ours"), (KERAS, "plain_keras")),
                    (TORCH, "torch_loader"),
                )
            ),
        ),
    ),
    "train-caffenet": Question(
        "A training step of CaffeNet, batches of 32",
        "images/s",
        (
            Contender(OURS, "ours", "train-caffenet"),
            Contender(KERAS, "plain_keras", "train-caffenet"),
            Contender(TORCH, "torch_loader", "train-caffenet"),
        ),
    ),
    "growth": Question(
        "Time and memory of the features of many files",
        "files/s",
        tuple(Contender(f"{size:,} files", "ours", "growth", size) for size in SIZES),
    ),
    "served": Question(
        "The quick model's SavedModel by TensorFlow's C API, median of a request of 32",
        "ms",
        (Contender(OURS, "ours", "served"),),
        is_time=True,
    ),
}


def main() -> None:
    """Ask every question of every contender, in rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="table with columns path and label; else drawn")
    parser.add_argument("--files", type=int, default=320, help="of them, at most")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ask", nargs="+", choices=QUESTIONS, default=[*QUESTIONS])
    parser.add_argument("--environments", type=Path, default=_cache() / "benchmarks")
    parser.add_argument("--without", nargs="*", default=[], help="scripts left out")
    parser.add_argument("--out", type=Path, help="writes OUT.md and OUT.json")
    options = parser.parse_args()
    told: dict[str, Any] = {"machine": _machine()}
    print(told["machine"])
    tables = [told["machine"], ""]
    with tempfile.TemporaryDirectory() as folder:
        _write_job(options.data, options.files, Path(folder))
        _ask(Contender(OURS, "ours", "prepare"), folder, options.environments)
        for name in options.ask:
            values = _rounds(QUESTIONS[name], folder, options)
            told[name], table = _tell(QUESTIONS[name], values)
            print(table, flush=True)
            tables.append(table)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.with_suffix(".md").write_text("\n".join(tables))
        options.out.with_suffix(".json").write_text(json.dumps(told, indent=2) + "\n")


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))


def _machine() -> str:
    """Say what everything ran on, and what its processor can do at most."""
    square = np.ones((2048, 2048), "float32")
    times = []
    for _ in range(5):
        started = time.perf_counter()
        square @ square
        times.append(time.perf_counter() - started)
    peak = 2 * 2048**3 / min(times) / 1e9
    return (
        f"{len(os.sched_getaffinity(0))} cores ({platform.machine()}), NumPy's product "
        f"of matrices: {peak:.0f} GFLOP/s in float32."
    )


def _rounds(
    question: Question, folder: str, options: argparse.Namespace
) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for _ in range(options.rounds):
        for contender in question.contenders:
            if contender.script not in options.without:
                answer = _ask(contender, folder, options.environments)
                found.setdefault(contender.name, []).append(answer)
    return found


def _ask(contender: Contender, folder: str, environments: Path) -> dict[str, Any]:
    python = python_of(contender.script, environments)
    script = CONTENDERS / f"{contender.script}.py"
    command = [python, str(script), contender.question, folder, str(contender.number)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{contender.name}: {done.stderr.strip()[-800:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _tell(
    question: Question, found: dict[str, list[dict[str, Any]]]
) -> tuple[dict[str, Any], str]:
    """Reduce rounds to a table."""
    values = {
        name: [_one(row["value"]) for row in rows] for name, rows in found.items()
    }
    first = next(iter(values.values()))
    told: dict[str, Any] = {}
    lines = [
        f"\n### {question.title}\n",
        f"| | {question.unit} | this package is ahead by (rounds) | peak MB |",
        "|---|---|---|---|",
    ]
    for name, each in values.items():
        pairs = zip(first, each, strict=True)
        ratios = [b / a if question.is_time else a / b for a, b in pairs]
        peak = statistics.median(row["peak_mb"] for row in found[name])
        told[name] = {
            "values": [row["value"] for row in found[name]],
            "median": statistics.median(each),
            "ahead": statistics.median(ratios),
            "peak_mb": peak,
        }
        ahead = f"{told[name]['ahead']:.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        lines.append(f"| {name} | {told[name]['median']:.2f} | {ahead} | {peak:.0f} |")
    return told, "\n".join(lines) + "\n"


def _one(value: float | dict[str, float]) -> float:
    """The number that a table shows of an answer of several."""
    if isinstance(value, dict):
        return value.get("rate") or value["32_p50_ms"]
    return value


def _write_job(data: str | None, most: int, folder: Path) -> None:
    """Write the list of pictures that all contenders read."""
    rows = list(_drawn(folder, most) if data is None else _listed(Path(data)))
    step = max(1, len(rows) // most)
    rows = rows[::step][:most]
    job = {"paths": [path for path, _ in rows], "labels": [label for _, label in rows]}
    (folder / "job.json").write_text(json.dumps(job))


def _listed(table: Path) -> Iterable[tuple[str, int]]:
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            path = (table.parent / row["path"]).resolve()
            yield str(path), int(row["label"] in ("1", "positive"))


def _drawn(folder: Path, count: int) -> Iterable[tuple[str, int]]:
    """Bright and dark pictures of the size of a photograph on the web."""
    generator = np.random.default_rng(0)
    for number in range(count):
        label = number % 2
        coarse = generator.integers(60 * label, 196 + 60 * label, (30, 40, 3))
        image = Image.fromarray(coarse.astype("uint8")).resize((640, 480))
        image.save(folder / f"{number:05}.jpg", quality=90)
        yield str(folder / f"{number:05}.jpg"), label


if __name__ == "__main__":
    main()
