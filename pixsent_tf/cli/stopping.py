"""What does a command say when it is stopped, by Ctrl-C or by SIGTERM?

One line with the command that goes on, and the exit code of the signal: 130 or 143.
"""

from __future__ import annotations

import contextlib
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

_FOLDER = "pixsent_tf.goes_on_in"


class Terminated(KeyboardInterrupt):
    """SIGTERM came: end as after Ctrl-C, with its own exit code."""


class Stopped(click.ClickException):
    """A command that was stopped.

    Args:
        message: What to do now, in one line.
        number: Of the signal.
    """

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        # click declares it for the class; here each brings its own
        vars(self)["exit_code"] = 128 + number

    def show(self, file: object = None) -> None:
        """Print the line to standard error.

        Args:
            file: Unused.
        """
        click.echo(self.format_message(), err=True)


def goes_on_in(out: str | Path) -> None:
    """Note that the running command, started again, goes on with what it has done.

    Args:
        out: The `--out` that it has to be started with.
    """
    click.get_current_context().meta[_FOLDER] = str(out)


@contextlib.contextmanager
def stoppable(ctx: click.Context) -> Iterator[None]:
    """Turn a stop into its line.

    Args:
        ctx: Of the running command.

    Yields:
        Nothing.

    Raises:
        Stopped: If the block is stopped.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        is_terminated = isinstance(error, Terminated)
        number = signal.SIGTERM if is_terminated else signal.SIGINT
        raise Stopped(_line(ctx.meta.get(_FOLDER)), number) from error


def terminate(number: int, frame: FrameType | None) -> NoReturn:
    """Stop the command where it is; a handler of signals.

    Args:
        number: Of the signal.
        frame: Where it came.

    Raises:
        Terminated: Always.
    """
    raise Terminated


def _line(folder: str | None) -> str:
    command = ["pixsent-tf", *sys.argv[1:]]
    if folder is None:
        return (
            f"Stopped; nothing is half written. To start again: {shlex.join(command)}"
        )
    is_named = any(word.partition("=")[0] == "--out" for word in command)
    if not is_named:
        command += ["--out", folder]
    return f"Stopped; what is done is kept. To go on: {shlex.join(command)}"
