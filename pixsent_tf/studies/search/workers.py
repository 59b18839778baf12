"""How do several processes share a search? By Keras Tuner's chief and workers."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from pixsent_tf.data.sources import open_dataset
from pixsent_tf.errors import RunError
from pixsent_tf.runs import Run
from pixsent_tf.studies.search.processes import role
from pixsent_tf.studies.search.tune import read_config, tune

CODE = (
    "import sys; from pixsent_tf.studies.search.workers import work; work(sys.argv[1])"
)
LOCAL = "127.0.0.1"


def work(folder: str) -> None:
    """Run trials for the chief of a run until it has no more.

    Args:
        folder: The run's folder, in which the chief has written what is searched.

    Raises:
        RunError: If this process is no worker, or no chief answers.
    """
    if role() != "worker":
        raise RunError("Set KERASTUNER_TUNER_ID, _ORACLE_IP and _ORACLE_PORT first.")
    run = Run.open(folder)
    recipe = run.read_recipe()
    dataset = open_dataset(recipe.data, seed=recipe.seed)
    tune(recipe, dataset, run, read_config(run))


@contextlib.contextmanager
def local_workers(count: int, run: Run, *, ports: int) -> Iterator[Callable[[], None]]:
    """Start workers on this machine and make this process their chief.

    Args:
        count: Number of workers.
        run: The run, claimed already.
        ports: Number of searches; each listens at a port of its own.

    Yields:
        A function that raises once a worker has failed.
    """
    shared = {
        "KERASTUNER_ORACLE_IP": LOCAL,
        "KERASTUNER_ORACLE_PORT": str(_free_ports(ports)),
    }
    before = dict(os.environ)
    notes = [run.path / f"worker-{number}.log" for number in range(1, count + 1)]
    processes = [_start(run, note, shared) for note in notes]

    def watch() -> None:
        for process, note in zip(processes, notes, strict=True):
            if process.poll():
                raise RunError(f"A worker failed: {_last_line(note)}")

    os.environ.update(shared, KERASTUNER_TUNER_ID="chief")
    try:
        yield watch
    finally:
        for name in (*shared, "KERASTUNER_TUNER_ID"):
            os.environ.pop(name)
            if name in before:
                os.environ[name] = before[name]
        for process in processes:
            process.terminate()
            process.wait()
    for note in notes:
        note.unlink(missing_ok=True)


def _start(run: Run, note: Path, shared: dict[str, str]) -> subprocess.Popen[bytes]:
    own = {"KERASTUNER_TUNER_ID": f"{note.stem}-{os.getpid()}"}
    with note.open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-c", CODE, str(run.path)],
            env={**os.environ, **shared, **own},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _free_ports(count: int) -> int:
    """Find the first of several free ports in a row."""
    for _ in range(100):
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind((LOCAL, 0))
            start = first.getsockname()[1]
            try:
                for port in range(start + 1, start + count):
                    stack.enter_context(socket.socket()).bind((LOCAL, port))
            except (OSError, OverflowError):
                continue
            return start
    raise RunError(f"There are no {count} free ports in a row on {LOCAL}.")


def _last_line(path: Path) -> str:
    lines = path.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it printed nothing."
