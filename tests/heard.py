"""A progress that notes what it hears."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from pixsent_tf.progress import Progress


class Heard(Progress):
    """Keeps steps, counts and lines; `on_line` is called with each line."""

    def __init__(self, on_line: Callable[[str], object] = lambda line: None) -> None:
        self.steps: list[tuple[int, str]] = []
        self.counts: list[int] = []
        self.lines: list[str] = []
        self.on_line = on_line

    @contextlib.contextmanager
    def step(self, total, what):
        self.steps.append((total, what))
        yield

    def advance(self, count):
        self.counts.append(count)

    def say(self, line):
        self.lines.append(line)
        self.on_line(line)
