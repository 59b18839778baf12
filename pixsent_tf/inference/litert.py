"""How does LiteRT pass pictures through a converted network? Without TensorFlow.

One interpreter with one thread for each core, each with a few pictures at a time: as
fast as one interpreter with all threads on an idle machine, without the waiting of
threads for each other where pictures are decoded meanwhile, and with less memory.

    NAME.tflite     a converted network
    NAME.size       how many pictures at a time were fastest here

How many does not change a bit of the outputs. A network whose activations fill the
processor's cache likes one or two, one of large weights likes more.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from pixsent_tf.whole import whole

SIGNATURE = "forward"
USUAL = 2  # pictures at a time, until it has been measured
SIZES = (2, 4, 1, 8)  # that are measured, the likely ones first
SECONDS = 2.0  # that measuring may take


class LiteNetwork:
    """A converted network, ready for crops.

    Args:
        path: A file that `engine.convert` made.
        num_workers: Interpreters that work side by side.
        num_threads: Threads of each.

    Attributes:
        size: Pictures at a time.
    """

    def __init__(self, path: Path, num_workers: int, num_threads: int = 1) -> None:
        self.size = _known_size(path) or USUAL
        self._free: SimpleQueue[Any] = SimpleQueue()
        self._pool = ThreadPoolExecutor(num_workers)
        for _ in range(num_workers):
            self._free.put(open_runner(path, SIGNATURE, num_threads))

    def __call__(self, crops: np.ndarray) -> list[np.ndarray]:
        """Pass crops through the network.

        Args:
            crops: uint8, [n, S, S, 3].

        Returns:
            Its outputs in their order, each float32 with n rows.
        """
        size = self.size
        parts = [crops[start : start + size] for start in range(0, len(crops), size)]
        found = list(self._pool.map(self._pass, parts))
        return [np.concatenate(outputs) for outputs in zip(*found, strict=True)]

    def _pass(self, part: np.ndarray) -> list[np.ndarray]:
        missing = (
            self.size - len(part) if len(part) > 1 else 0
        )  # sizes are planned once
        padded = np.pad(part, ((0, missing), (0, 0), (0, 0), (0, 0)))
        runner = self._free.get()
        try:
            outputs = runner(crops=padded)
        finally:
            self._free.put(runner)
        return [outputs[output_name(i)][: len(part)] for i in range(len(outputs))]


def calibrate(path: Path, num_workers: int, shape: Sequence[int]) -> None:
    """Measure how many pictures at a time are fastest, unless that is known.

    Args:
        path: The converted network; what is found is left in the file beside it.
        num_workers: As in `LiteNetwork`.
        shape: Of a crop, (S, S, 3).
    """
    if _known_size(path):
        return
    network, rates = LiteNetwork(path, num_workers), {}
    noise = np.random.default_rng(0).integers(0, 256, shape, "uint8")
    end = time.perf_counter() + SECONDS
    for size in SIZES:
        network.size = size
        rates[size] = _rate(network, np.stack([noise] * (num_workers * size)))
        if time.perf_counter() > end:
            break
    with contextlib.suppress(OSError), whole(_size_path(path)) as temporary:
        temporary.write_text(str(max(rates, key=rates.__getitem__)), "utf-8")


def _rate(network: LiteNetwork, crops: np.ndarray) -> float:
    """Pictures a second."""
    network(crops)  # lays out its memory
    done, started = 0, time.perf_counter()
    while time.perf_counter() < started + SECONDS / len(SIZES) or not done:
        network(crops)
        done += len(crops)
    return done / (time.perf_counter() - started)


def _known_size(path: Path) -> int | None:
    """Read what was measured, if it was."""
    try:
        size = int(_size_path(path).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return size if size in SIZES else None


def _size_path(path: Path) -> Path:
    return path.with_suffix(".size")


def output_name(number: int) -> str:
    """Name an output of a converted network.

    Args:
        number: Its place among the outputs, from 0.

    Returns:
        Its name in the signature.
    """
    return f"output_{number}"


def open_runner(
    path: str | os.PathLike[str], signature: str, num_threads: int = 1
) -> Any:
    """Open a signature of a TFLite file.

    Args:
        path: The file.
        signature: Its name.
        num_threads: Threads to use.

    Returns:
        A function of arrays by name, which gives arrays by name.
    """
    from ai_edge_litert.interpreter import Interpreter

    with muted():
        interpreter = Interpreter(model_path=os.fspath(path), num_threads=num_threads)
        interpreter.allocate_tensors()  # says what it delegates to
        return interpreter.get_signature_runner(signature)


@contextlib.contextmanager
def muted() -> Iterator[None]:
    """Keep what C++ says on standard error from the terminal.

    Yields:
        Nothing; standard error is back afterwards.
    """
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
