"""What does this machine offer, and what of it may a network take?

    PIXSENT_ENGINE         what computes frozen networks, one of `ENGINES`
    PIXSENT_DISTRIBUTE     how one training uses several GPUs, one of `DISTRIBUTIONS`
    PIXSENT_FEATURES_GB    what the features that are kept may take on disk; 0: none

The command line's `--engine`, `--distribute` and `--no-cache` set them, so that the
processes which a command starts go by them too.
"""

from __future__ import annotations

import os

from pixsent_tf.errors import ConfigError

ENGINES = ("auto", "tensorflow", "litert")
ENGINE = "PIXSENT_ENGINE"
DISTRIBUTIONS = ("none", "mirrored")
DISTRIBUTE = "PIXSENT_DISTRIBUTE"
FEATURES_GB = "PIXSENT_FEATURES_GB"
_USUAL_GB = "4"


def num_cores() -> int:
    """Count the cores that this process may use.

    Returns:
        1 or more.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def wanted_engine() -> str:
    """Read which engine is to compute frozen networks.

    Returns:
        One of `ENGINES`.

    Raises:
        ConfigError: If there is no such engine.
    """
    return _wanted(ENGINE, ENGINES, "engine")


def wanted_distribution() -> str:
    """Read how one training is to use several GPUs.

    Returns:
        One of `DISTRIBUTIONS`.

    Raises:
        ConfigError: If there is no such way.
    """
    return _wanted(DISTRIBUTE, DISTRIBUTIONS, "distribution")


def _wanted(variable: str, known: tuple[str, ...], what: str) -> str:
    """Read a variable that names one of several things; the first unless it is set."""
    value = os.environ.get(variable) or known[0]
    if value not in known:
        raise ConfigError(
            f"{variable}={value!r} is no {what}; it is one of {', '.join(known)}."
        )
    return value


def max_feature_bytes() -> int:
    """Read how much of the disk the features that are kept may take.

    Returns:
        0 or more; 0 keeps none, and recalls none.

    Raises:
        ConfigError: If what is said is no such number.
    """
    text = os.environ.get(FEATURES_GB) or _USUAL_GB
    try:
        found = float(text)
    except ValueError:
        found = -1
    if not 0 <= found < float("inf"):
        raise ConfigError(
            f"{FEATURES_GB}={text!r} is no number of gigabytes, 0 or more."
        )
    return int(found * 1e9)
