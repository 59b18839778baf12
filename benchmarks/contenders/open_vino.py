"""OpenVINO on the default network: exact, and in the bfloat16 that it prefers."""

from __future__ import annotations

import clock
import numpy as np
import openvino
import pillow_pool
from clock import BATCH, SIDE, Work

EXACT = {"INFERENCE_PRECISION_HINT": "f32"}


def _open(
    work: Work, hints: dict[str, str]
) -> pillow_pool.Callable[[np.ndarray], np.ndarray]:
    model = openvino.Core().read_model(work.folder / "network.tflite")
    model.reshape([BATCH, SIDE, SIDE, 3])
    compiled = openvino.compile_model(model, "CPU", hints)

    def look(crops: np.ndarray) -> np.ndarray:
        missing = [(0, BATCH - len(crops)), (0, 0), (0, 0), (0, 0)]
        return compiled(np.pad(crops, missing))[0][: len(crops)]

    return look


def _network(work: Work, hints: dict[str, str]) -> float:
    crops = np.random.default_rng(0).integers(0, 256, (BATCH, SIDE, SIDE, 3), "uint8")
    look = _open(work, hints)
    return clock.rate(lambda: look(crops), BATCH)


def _files(work: Work, hints: dict[str, str]) -> float:
    look = _open(work, hints)
    return clock.files_rate(lambda some: len(pillow_pool.features(some, look)), work)


if __name__ == "__main__":
    clock.answer(
        {
            "network": lambda work: _network(work, EXACT),
            "network-bf16": lambda work: _network(work, {}),
            "files": lambda work: _files(work, EXACT),
            "files-bf16": lambda work: _files(work, {}),
        }
    )
