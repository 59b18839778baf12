"""Who is at work here? One process at a time, and the others are told which.

    RUN/folds/fold-2.lock    who works on it: pid, host, since, command

The kernel holds the lock and lets go of it when its process ends, whatever ended it: a
file that a killed process has left says nothing. Windows has no such locks.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TextIO

from pixsent_tf.errors import RunError

if sys.platform != "win32":
    import fcntl


@contextlib.contextmanager
def locked(paths: Iterable[Path]) -> Iterator[None]:
    """Keep others away from pieces of work until the block ends.

    Args:
        paths: A file for each piece, which exists only while it is worked on; folders
            above it are made.

    Yields:
        Nothing.

    Raises:
        RunError: If another process, or another lock of this one, holds one of them;
            the message says who.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "fold-1.lock")
        >>> with locked([path]):
        ...     path.is_file()
        True
        >>> path.exists()
        False
    """
    with contextlib.ExitStack() as held:
        if sys.platform != "win32":
            for path in paths:
                held.enter_context(_held(path))
        yield


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with _open(path) as file:
        file.seek(0)
        file.truncate()
        file.write(json.dumps(_holder()) + "\n")
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _open(path: Path) -> TextIO:
    """Open a file that this process alone has locked, and that is still there."""
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read()
            file.close()
            raise RunError(_in_use(path, holder)) from error
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()  # its holder removed it in between


def _holder() -> dict[str, object]:
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": " ".join(["pixsent-tf", *sys.argv[1:]]),
    }


def _in_use(path: Path, holder: str) -> str:
    who = "another process"
    with contextlib.suppress(ValueError, KeyError, TypeError):
        told = json.loads(holder)
        who = (
            f"process {told['pid']} on {told['host']}, since {told['since']} "
            f"({told['command']})"
        )
    return (
        f"{path.with_suffix('')} is being worked on by {who}; wait for its end, or "
        f"name another folder with --out."
    )
