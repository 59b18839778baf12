"""How does LiteRT pass pictures through a converted network? Without TensorFlow.

One interpreter with one thread for each core, each with a few pictures at a time: as
fast as one interpreter with all threads on an idle machine, without the waiting of
threads for each other where pictures are decoded meanwhile, and with less memory.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

SIGNATURE = "forward"
FEW = 4  # pictures at a time; more are no faster and take more memory


class LiteNetwork:
    """A converted network, ready for crops.

    Args:
        path: A file that `engine.convert` made.
        num_workers: Interpreters that work side by side.
        num_threads: Threads of each.
    """

    def __init__(self, path: Path, num_workers: int, num_threads: int = 1) -> None:
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
        parts = [crops[start : start + FEW] for start in range(0, len(crops), FEW)]
        found = list(self._pool.map(self._pass, parts))
        return [np.concatenate(outputs) for outputs in zip(*found, strict=True)]

    def _pass(self, part: np.ndarray) -> list[np.ndarray]:
        missing = FEW - len(part) if len(part) > 1 else 0  # sizes are planned once
        padded = np.pad(part, ((0, missing), (0, 0), (0, 0), (0, 0)))
        runner = self._free.get()
        try:
            outputs = runner(crops=padded)
        finally:
            self._free.put(runner)
        return [outputs[output_name(i)][: len(part)] for i in range(len(outputs))]


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
