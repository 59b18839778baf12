"""What every contender shares: how it is asked, timed and heard. Standard library only.

    PYTHON contenders/NAME.py QUESTION WORK [NUMBER]

WORK is the folder that `benchmarks` made: `job.json` lists pictures and labels,
`network.onnx` and `network.tflite` are the default network. The answer is a line of
JSON: the value, and the highest memory of the process or of those that it started.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BATCH, SIDE, CANVAS = 32, 224, 256
SECONDS = 3.0  # that something short is repeated for
CORES = len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Work:
    """What a contender is given.

    Attributes:
        folder: Where the networks lie.
        paths: The pictures.
        labels: Their classes, 0 or 1.
        number: What the question is asked for, such as a number of files.
    """

    folder: Path
    paths: list[str]
    labels: list[int]
    number: int = 0


Question = Callable[[Work], Any]


def answer(questions: dict[str, Question]) -> None:
    """Answer the question of the command line.

    Args:
        questions: What can be asked, by name; each gives a number, or several by name.
    """
    name, folder, *number = sys.argv[1:]
    job = json.loads(Path(folder, "job.json").read_text())
    value = questions[name](Work(Path(folder), number=int(*number or [0]), **job))
    usage = [resource.getrusage(who).ru_maxrss for who in (0, -1)]
    print(json.dumps({"value": value, "peak_mb": max(usage) // 1024}))


def rate(step: Callable[[], object], count: int, seconds: float = SECONDS) -> float:
    """Tell how many things a second a step does.

    Args:
        step: What is repeated; the first time does not count.
        count: Things a step.
        seconds: How long.

    Returns:
        Things a second.
    """
    step()
    done, started = 0, time.perf_counter()
    while time.perf_counter() < started + seconds:
        step()
        done += count
    return done / (time.perf_counter() - started)


def files_rate(run: Callable[[list[str]], int], work: Work) -> float:
    """Tell how many files a second become features, when all is loaded.

    Args:
        run: Gives the number of files whose features it has computed.
        work: The files.

    Returns:
        Files a second.
    """
    run(work.paths[:BATCH])
    started = time.perf_counter()
    if run(work.paths) != len(work.paths):
        raise SystemExit("Not all files were read.")
    return len(work.paths) / (time.perf_counter() - started)


def parts(items: list[str], size: int = BATCH) -> Iterable[list[str]]:
    """Cut a list.

    Args:
        items: The list.
        size: Of a part; the last may be smaller.

    Returns:
        Its parts, in order.
    """
    return (items[start : start + size] for start in range(0, len(items), size))
