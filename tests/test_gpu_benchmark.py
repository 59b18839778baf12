"""What measures a GPU can be tried out without one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_measure_of_a_gpu_runs_without_one(tmp_path):
    path = tmp_path / "gpu.json"
    command = [sys.executable, str(ROOT / "benchmarks" / "gpu.py"), "--smoke"]

    done = subprocess.run(
        [*command, "--json", str(path)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.startswith("no GPU: these numbers are the processor's")
    ((_, found),) = json.loads(path.read_text()).items()
    rates = found["images_per_second"]
    lost = max(0.0, 1 - rates["epoch"] / rates["step"])
    assert found["lost_to_input"] == pytest.approx(lost)
