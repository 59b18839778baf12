"""What does a TFLite file answer, and how fast? (LiteRT, as on a phone)"""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from pixsent_tf.inference.litert import muted
from pixsent_tf.serving.tflite import SIGNATURE

WARM_UP = 3


class LiteModel:
    """A TFLite file in LiteRT's interpreter.

    Args:
        path: The file.
        num_threads: Processor cores to use.
    """

    def __init__(self, path: str | os.PathLike[str], num_threads: int = 1) -> None:
        with muted():
            interpreter = Interpreter(
                model_path=os.fspath(path), num_threads=num_threads
            )
            interpreter.allocate_tensors()
            self._run: Any = interpreter.get_signature_runner(SIGNATURE)

    def predict(self, crops: np.ndarray) -> np.ndarray:
        """Score crops, one after the other.

        Args:
            crops: uint8, [N, S, S, 3].

        Returns:
            Probabilities, float32 [N, K].
        """
        return np.concatenate([self._run(crops=crop[None])["probs"] for crop in crops])

    def latency_ms(self, crop: np.ndarray, repeats: int = 30) -> float:
        """Measure how long one crop takes.

        Args:
            crop: uint8, [S, S, 3].
            repeats: Number of measurements.

        Returns:
            The median, in milliseconds.
        """
        durations = []
        for _ in range(WARM_UP + repeats):
            started = time.perf_counter()
            self._run(crops=crop[None])
            durations.append(time.perf_counter() - started)
        return float(np.median(durations[WARM_UP:]) * 1000)
