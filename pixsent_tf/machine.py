"""What does this machine offer, and what of it may a network take?

    PIXSENT_ENGINE       what computes frozen networks, one of `ENGINES`

The command line's `--engine` sets the variable, so that the processes which a command
starts go by it too.
"""

from __future__ import annotations

import os

from pixsent_tf.errors import ConfigError

ENGINES = ("auto", "tensorflow", "litert")
ENGINE = "PIXSENT_ENGINE"


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
    engine = os.environ.get(ENGINE) or "auto"
    if engine not in ENGINES:
        raise ConfigError(
            f"{ENGINE}={engine!r} is no engine; it is one of {', '.join(ENGINES)}."
        )
    return engine
