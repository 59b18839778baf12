"""Does another number of cores give other numbers? The same trainings on one and two.

    python benchmarks/cores.py

Each training is a process of its own on the drawn pictures of
`benchmarks/flat_memory.py`, twice on all cores and once on the first. What is printed
is whether `model.keras` is the same to the byte, and how far the probabilities of the
held-out pictures lie apart.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from flat_memory import ROOT, draw

PICTURES = 60
LITE0 = ("--set", "training.epochs=2", "--set", "training.batch_size=8")
RUNS = {
    "head": (),
    "last-blocks, 2 epochs": ("--strategy", "last-blocks", *LITE0),
    "all, 2 epochs": ("--strategy", "all", *LITE0),
}


def train(pictures: Path, out: Path, cores: int, options: tuple[str, ...]) -> None:
    """Train on so many cores."""
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    command = ["taskset", "-c", ",".join(map(str, allowed)), sys.executable, "-m"]
    command += ["pixsent_tf", "fit", str(pictures), *options]
    command += ["--out", str(out), "--quiet"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def probs(run: Path) -> list[float]:
    """Read the probabilities of a run's test pictures."""
    with (run / "predictions.csv").open() as file:
        return [float(row["prob_positive"]) for row in csv.DictReader(file)]


def compare(one: Path, other: Path) -> str:
    """Say how far two runs lie apart."""
    same = (one / "model.keras").read_bytes() == (other / "model.keras").read_bytes()
    apart = max(abs(a - b) for a, b in zip(probs(one), probs(other), strict=True))
    return f"{'the same bytes' if same else 'other bytes'}, {apart:.1e}"


def main() -> None:
    """Print a table: a line for each strategy."""
    print("| strategy | all cores, again | one core |\n|---|---|---|")
    count = len(os.sched_getaffinity(0))
    for name, options in RUNS.items():
        with tempfile.TemporaryDirectory() as folder:
            draw(Path(folder, "pictures"), PICTURES)
            for number, cores in enumerate((count, count, 1)):
                out = Path(folder, str(number))
                train(Path(folder, "pictures"), out, cores, options)
            again, alone = (compare(Path(folder, "0"), Path(folder, k)) for k in "12")
        print(f"| {name} | {again} | {alone} |", flush=True)


if __name__ == "__main__":
    main()
