"""Which part does this process have in a search? Keras Tuner's own variables say.

KERASTUNER_ORACLE_IP and KERASTUNER_ORACLE_PORT say where the chief listens, and
KERASTUNER_TUNER_ID is "chief" for the one that hands out trials, any other name for the
workers that run them. Without them a process searches alone.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import Literal

from pixsent_tf.errors import RunError

POLL_SECONDS = 0.2
PATIENCE_SECONDS = 1800


def role() -> Literal["alone", "chief", "worker"]:
    """Tell which part this process has in a search.

    Returns:
        What Keras Tuner's variables make of it.
    """
    if "KERASTUNER_ORACLE_IP" not in os.environ:
        return "alone"
    return "chief" if "chief" in os.environ["KERASTUNER_TUNER_ID"] else "worker"


def await_chief(is_over: Callable[[], bool]) -> bool:
    """Wait, as a worker, until the chief of a search listens.

    Args:
        is_over: Whether the search has ended without this worker.

    Returns:
        Whether there is a chief to ask.

    Raises:
        RunError: If there is none for half an hour.
    """
    address = (
        os.environ["KERASTUNER_ORACLE_IP"],
        int(os.environ["KERASTUNER_ORACLE_PORT"]),
    )
    limit = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < limit:
        if is_over():
            return False
        with contextlib.suppress(OSError), socket.create_connection(address, 5):
            return True
        time.sleep(POLL_SECONDS)
    raise RunError(f"No chief answers at {address[0]}:{address[1]}; start it first.")


@contextlib.contextmanager
def own_port(number: int) -> Iterator[None]:
    """Give each of several searches a port of its own, so that no worker mixes them up.

    Args:
        number: Of the search, from 1; it is added to the port that is set, less one.

    Yields:
        Nothing.
    """
    base = os.environ.get("KERASTUNER_ORACLE_PORT")
    if base is None:
        yield
        return
    os.environ["KERASTUNER_ORACLE_PORT"] = str(int(base) + number - 1)
    try:
        yield
    finally:
        os.environ["KERASTUNER_ORACLE_PORT"] = base
