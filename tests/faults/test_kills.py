"""`kill -9` at random moments, on the command itself: what comes out is the same."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KILLS = 3  # of each command; one of them may come too late
TUNED = (  # thirty epochs, and as many of the network that calibrates
    *("--set", "training.epochs=30", "--set", "training.batch_size=4"),
    *("--set", "training.learning_rate=0.01"),
)
TINY = ("--backbone", "tiny", "--set", "model.weights=None")
SEARCH = (
    *("--backbones", "tiny", "--strategies", "all", "--trials", "3", "--no-nested"),
    *("--num-inner-folds", "2", "--set", "model.weights=None"),
    *("--set", "training.epochs=2"),
)


@dataclass(frozen=True)
class Verb:
    """A command that is killed.

    Attributes:
        arguments: Of the command; DATA and MODEL stand for paths.
        pieces: What a kill may cost one of, and how many there are in all.
        made: What must be the same to the byte.
    """

    arguments: Sequence[str]
    pieces: dict[str, int]
    made: Sequence[str]


RUN = ("model.keras", "predictions.csv", "history.csv")
VERBS = {
    "fit head": Verb(("fit", "DATA", *TINY), {"training": 1}, RUN),
    "fit all": Verb(
        ("fit", "DATA", *TINY, "--strategy", "all", *TUNED), {"epoch": 60}, RUN
    ),
    "fit last-blocks": Verb(
        ("fit", "DATA", *TINY, "--strategy", "last-blocks", *TUNED), {"epoch": 60}, RUN
    ),
    "fit lp-ft": Verb(
        ("fit", "DATA", *TINY, "--strategy", "lp-ft", *TUNED), {"epoch": 60}, RUN
    ),
    "fit ensemble": Verb(
        ("fit", "DATA", *TINY, "--strategy", "all", "--ensemble-size", "2", *TUNED),
        {"epoch": 120},
        RUN,
    ),
    "crossval": Verb(
        ("crossval", "DATA", *TINY, "--strategy", "all", "--num-folds", "3", *TUNED),
        {"epoch": 180},
        (
            "predictions.csv",
            "history.csv",
            *(f"model-fold{k}.keras" for k in (1, 2, 3)),
        ),
    ),
    "tune": Verb(
        ("tune", "DATA", *SEARCH), {"trial": 3}, ("predictions.csv", "model.keras")
    ),
    "reproduce": Verb(
        ("reproduce", "campos2016", "DATA", "--tables", "2"),
        {"training": 10},
        ("table-2.md", "rows/dark-five/predictions.csv"),
    ),
    "score": Verb(
        ("score", "DATA", "--model", "MODEL", "--shard-size", "4"), {"part": 6}, ("",)
    ),
    "predict": Verb(("predict", "DATA", "--model", "MODEL"), {"part": 3}, ("",)),
}


@dataclass(frozen=True)
class Moment:
    """When a process is killed: at random, but not before it works, nor after.

    Attributes:
        piece: What it does, such as an epoch.
        pieces: How many of them it has begun.
        seconds: How long after that.
    """

    piece: str
    pieces: int
    seconds: float


class Runner:
    """Starts the command, and kills it.

    Args:
        verb: What to start.
        paths: What DATA and MODEL stand for.
        folder: For outputs and notes.
    """

    def __init__(self, verb: Verb, paths: dict[str, str], folder: Path) -> None:
        self.arguments = [paths.get(word, word) for word in verb.arguments]
        self.folder = folder
        self.suffix = ".csv" if verb.made == ("",) else ""

    def out(self, name: str) -> Path:
        """Name an output."""
        return self.folder / f"{name}{self.suffix}"

    def notes(self, name: str) -> Counter[str]:
        """Count what processes have begun for an output."""
        path = self.folder / f"{name}.notes"
        return Counter(path.read_text().split() if path.is_file() else ())

    def run(self, name: str, *, killed_at: Moment | None = None) -> float | None:
        """Run to the end, or to a moment after all is imported.

        Args:
            name: Of the output.
            killed_at: The moment; None for the end.

        Returns:
            The seconds that its work took; None if it was killed.
        """
        notes = self.folder / f"{name}.notes"
        notes.touch()
        before = self.notes(name)
        command = [sys.executable, "-m", "tests.faults.command", notes]
        out = ["--out", self.out(name), "--quiet"]
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [*command, *self.arguments, *out], cwd=ROOT, stdout=log, stderr=log
            )
        while self.notes(name)["ready"] == before["ready"] and process.poll() is None:
            time.sleep(0.005)
        started = time.monotonic()
        if killed_at is not None:
            wanted = before[killed_at.piece] + killed_at.pieces
            while self.notes(name)[killed_at.piece] < wanted and process.poll() is None:
                time.sleep(0.001)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(killed_at.seconds)
            process.kill()
        process.wait()
        log_text = (self.folder / f"{name}.log").read_text()
        assert process.returncode in (0, -signal.SIGKILL), log_text
        return time.monotonic() - started if process.returncode == 0 else None


@pytest.fixture(scope="module")
def trained(colored_folder, tmp_path_factory):
    """A run whose model answers."""
    runner = Runner(
        VERBS["fit head"],
        {"DATA": str(colored_folder)},
        tmp_path_factory.mktemp("trained"),
    )
    runner.run("run")
    return runner.out("run")


@pytest.mark.slow
@pytest.mark.parametrize("name", VERBS)
def test_a_killed_command_comes_to_the_same(name, trained, colored_folder, tmp_path):
    if name == "score":
        pytest.importorskip("apache_beam", reason="`score` needs the extra [beam]")
    verb, generator = VERBS[name], random.Random(name)
    paths = {"DATA": str(colored_folder), "MODEL": str(trained)}
    runner = Runner(verb, paths, tmp_path)
    seconds = runner.run("whole")
    assert seconds is not None
    (piece, count), kills = next(iter(verb.pieces.items())), 0
    for _ in range(KILLS):
        left = count - runner.notes("killed")[piece]
        moment = Moment(
            piece,
            generator.randint(0, max(left, 0) // 2),
            # A part of `score` takes milliseconds of a run that is nearly all loading.
            generator.uniform(
                0, 0.02 if name == "score" else seconds / (count + 1) / 2
            ),
        )
        kills += runner.run("killed", killed_at=moment) is None
    last = runner.run("killed")

    print(f"{name}: {kills} kills; {dict(runner.notes('killed'))}; {last:.1f} s")
    assert kills >= KILLS - 1
    for file in verb.made:
        one, other = (runner.out(each) / file for each in ("whole", "killed"))
        assert one.read_bytes() == other.read_bytes(), file
    for piece, count in verb.pieces.items():
        assert runner.notes("whole")[piece] == count
        assert count <= runner.notes("killed")[piece] <= count + kills
    left = {path.name for path in tmp_path.iterdir()}
    assert not [each for each in left if each.endswith((".rows", ".parts"))]
