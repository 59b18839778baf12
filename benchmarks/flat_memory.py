"""Does memory grow with what a command has done? Files, epochs and trials are counted.

    python benchmarks/flat_memory.py                20,000 files, 30 epochs, 100 trials
    python benchmarks/flat_memory.py --only fit

Each command is a process of its own, on pictures that are drawn here, with a tiny
network: what is looked at is what surrounds networks. `fit` trains all of it, `tune`
heads on it. While a command works, its memory is read four times a second, with the
pieces that it has begun. What is printed is the median of these numbers in the third
and in the last quarter of the pieces: the first half is loading, tracing and filling
caches.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
DRAWN = 400  # different pictures; the others are further names of them
TINY = ("--set", "model.weights=None")
EPOCHS = ("--strategy", "all", "--set", "training.epochs=30")
TRIALS = ("--strategies", "head", "--trials", "100", "--no-nested")


@dataclass(frozen=True)
class Work:
    """A command that does many pieces.

    Attributes:
        pieces: What they are, and how many.
        arguments: Of the command, without pictures and outputs.
        data: How many pictures it gets.
        count: Counts those that it has begun, by the folder of its output and notes.
    """

    pieces: str
    arguments: Sequence[str]
    data: int
    count: Callable[[Path], int]


def count_notes(word: str) -> Callable[[Path], int]:
    """Count the notes of one kind."""
    return lambda folder: (folder / "notes").read_text().split().count(word)


WORK = {
    "predict": Work(
        "20,000 files, 1,000 a part",
        ("--model", "MODEL"),
        20_000,
        count_notes("part"),
    ),
    "fit": Work(
        "30 epochs, and 30 that calibrate",
        ("--backbone", "tiny", *TINY, *EPOCHS),
        400,
        count_notes("epoch"),
    ),
    "tune": Work(
        "100 trials",
        ("--backbones", "tiny", *TRIALS, *TINY),
        40,
        count_notes("trial"),
    ),
}


def draw(folder: Path, count: int) -> None:
    """Draw dark and bright pictures; further ones are links to the first."""
    generator = np.random.default_rng(0)
    for label in ("negative", "positive"):
        (folder / label).mkdir(parents=True)
    for number in range(count):
        label = "positive" if number % 2 else "negative"
        path = folder / label / f"{number:05}.jpg"
        if number >= DRAWN:
            path.hardlink_to(folder / label / f"{number % DRAWN:05}.jpg")
            continue
        level = 170 if number % 2 else 20
        pixels = generator.integers(level, level + 60, (96, 128, 3))
        Image.fromarray(pixels.astype("uint8")).save(path)


def megabytes(process: int) -> float:
    """Read how much memory a process has now; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    found = [line for line in lines if line.startswith("VmRSS")]
    return int(found[0].split()[1]) * 1024 / 1e6 if found else 0.0


def watch(name: str, work: Work, folder: Path) -> list[tuple[int, float]]:
    """Run a command, and note pieces and memory while it does."""
    draw(folder / "pictures", work.data)
    notes, model = folder / "notes", folder / "model"
    command = [sys.executable, "-m", "tests.faults.command", str(notes)]
    environment = {**os.environ, "PIXSENT_TEST_ROWS": "1000"}
    if "MODEL" in work.arguments:
        draw(folder / "few", 40)
        fit = ["fit", str(folder / "few"), "--backbone", "tiny", *TINY, "--quiet"]
        subprocess.run([*command, *fit, "--out", str(model)], cwd=ROOT, check=True)
    notes.write_text("")
    given = [str(model) if each == "MODEL" else each for each in work.arguments]
    command += [name, str(folder / "pictures"), *given, "--out", str(folder / "out")]
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        [*command, "--quiet"], cwd=ROOT, stdout=log, stderr=log, env=environment
    )
    found = []
    while process.poll() is None:
        found.append((work.count(folder), megabytes(process.pid)))
        time.sleep(0.25)
    log.close()
    if process.returncode:
        raise SystemExit((folder / "log").read_text()[-2000:])
    return [(pieces, memory) for pieces, memory in found if memory]


def main() -> None:
    """Print a table: a line for each command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="*", default=list(WORK), choices=list(WORK))
    arguments = parser.parse_args()
    print("| command | pieces | third quarter | last quarter | growth | highest |")
    print("|---|---|---|---|---|---|")
    for name in arguments.only:
        with tempfile.TemporaryDirectory() as folder:
            found = watch(name, WORK[name], Path(folder))
        most = max(pieces for pieces, _ in found)
        third, last = (
            statistics.median([m for n, m in found if low * most < n <= high * most])
            for low, high in ((0.5, 0.75), (0.75, 1))
        )
        row = [f"{n:.0f} MB" for n in (third, last)]
        highest = max(memory for _, memory in found)
        row += [f"{last - third:+.0f} MB", f"{highest:.0f} MB"]
        print(f"| `{name}` | {WORK[name].pieces} | {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
