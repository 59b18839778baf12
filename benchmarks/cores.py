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

PICTURES = 40
LITE0 = (
    *("--set", "training.epochs=1", "--set", "training.batch_size=8"),
    *("--set", "training.calibration_folds=0"),
)
RUNS = {
    "head": (),
    "last-blocks, one epoch": ("--strategy", "last-blocks", *LITE0),
    "all, one epoch": ("--strategy", "all", *LITE0),
}


def train(
    pictures: Path, out: Path, cores: int, options: tuple[str, ...]
) -> subprocess.Popen[bytes]:
    """Start a training on so many cores."""
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    command = ["taskset", "-c", ",".join(map(str, allowed)), sys.executable, "-m"]
    command += ["pixsent_tf", "fit", str(pictures), *options]
    command += ["--out", str(out), "--quiet"]
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=ROOT, stdout=nowhere, stderr=nowhere)


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
            processes = [
                train(Path(folder, "pictures"), Path(folder, str(k)), cores, options)
                for k, cores in enumerate((count, count, 1))
            ]
            if any(process.wait() for process in processes):
                raise SystemExit(f"A training failed: {name}.")
            again, alone = (compare(Path(folder, "0"), Path(folder, k)) for k in "12")
        print(f"| {name} | {again} | {alone} |", flush=True)


if __name__ == "__main__":
    main()
