"""Where does output go?

The answer goes to standard output; progress and warnings go to standard error. With
`--json` the answer is one JSON object and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from pixsent_tf.cli.tables import print_table
from pixsent_tf.progress import NO_PROGRESS, Progress

if TYPE_CHECKING:
    from pixsent_tf.results.unreadable import Unreadable

MAX_NAMED = 5
LOG_SECONDS = 10


def warn(message: str) -> None:
    """Print one line of warning to standard error.

    Args:
        message: What happened, and what follows from it.
    """
    click.echo(f"Warning: {message}", err=True)


def note(message: str, *, quiet: bool) -> None:
    """Print one line to standard error that is good to know.

    Args:
        message: What is so.
        quiet: Print nothing.
    """
    if not quiet:
        click.echo(message, err=True)


def is_terminal() -> bool:
    """Tell whether a person reads what is noted."""
    return sys.stderr.isatty()


def warn_unreadable(pictures: Sequence[Unreadable]) -> None:
    """Name the pictures that could not be read.

    Args:
        pictures: What results tell of them.
    """
    for one in pictures[:MAX_NAMED]:
        warn(f"{one['message']} It is left out.")
    if len(pictures) > MAX_NAMED:
        more = len(pictures) - MAX_NAMED
        warn(f"{more} more pictures cannot be read; --json names them all.")


def print_results(
    rows: Sequence[tuple[str, str]], results: Mapping[str, object], *, as_json: bool
) -> None:
    """Print an answer.

    Args:
        rows: Names and values, for people.
        results: The same for programs.
        as_json: Whether a program reads it.
    """
    if as_json:
        click.echo(json.dumps(results, allow_nan=False))
        return
    print_table(rows)


def show_progress(*, quiet: bool) -> Progress:
    """Show how far long steps are, and what is said on the way.

    On a terminal a bar with rate and remaining time; in a log a plain line now and
    then.

    Args:
        quiet: Show nothing.

    Returns:
        What long work takes.
    """
    return NO_PROGRESS if quiet else _Shown()


class _Shown(Progress):
    """Progress on standard error."""

    def __init__(self) -> None:
        self._update: Callable[[int], object] | None = None

    @contextlib.contextmanager
    def step(self, total: int, what: str) -> Iterator[None]:
        if self._update is not None:  # a part of what is shown already
            yield
            return
        with _open_step(total, what) as self._update:
            try:
                yield
            finally:
                self._update = None

    def advance(self, count: int) -> None:
        if self._update is not None:
            self._update(count)

    def say(self, line: str) -> None:
        from tqdm import tqdm

        tqdm.write(line, file=sys.stderr)  # leaves a bar whole


@contextlib.contextmanager
def _open_step(total: int, what: str) -> Iterator[Callable[[int], object]]:
    if not is_terminal():
        yield _Log(total, what).update
        return
    from tqdm import tqdm

    bar = tqdm(total=total, desc=what, unit=" pictures", dynamic_ncols=True)
    with bar:
        yield bar.update


class _Log:
    """Progress as plain lines: one every ten seconds, and one at the end."""

    def __init__(self, total: int, what: str) -> None:
        self.total, self.what, self.done = total, what, 0
        self.started = self.printed = time.monotonic()

    def update(self, count: int) -> None:
        self.done += count
        now = time.monotonic()
        if count == 0 or (self.done < self.total and now < self.printed + LOG_SECONDS):
            return
        self.printed = now
        rate = self.done / max(now - self.started, 1e-9)
        line = f"{self.what} {self.done}/{self.total}, {rate:.1f} pictures/s"
        if self.done < self.total:
            line += f", {(self.total - self.done) / rate:.0f} s left"
        click.echo(line, err=True)


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Keep TensorFlow's start-up messages away from the terminal.

    They come from C++ and ignore Python's logging; only the file descriptor stops them.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    saved = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def load_tensorflow() -> None:
    """Import TensorFlow and touch its device without its start-up messages."""
    with quiet_start():
        import tensorflow as tf

        tf.zeros([])
    # Advice to programmers, such as on retracing, is not for who types a command.
    tf.get_logger().setLevel("ERROR")
