"""Who hears how far the work is?

Whatever takes long takes a `Progress`, and tells how much of a step is done:

    with progress.step(len(paths), "reading"):
        for path in paths:
            ...
            progress.advance(1)
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class Progress:
    """Hears how far the work is, and shows nothing; the command line shows it.

    A step within a step is a part of it: what it advances counts for the outer one,
    whose total covers all of its parts.
    """

    @contextlib.contextmanager
    def step(self, total: int, what: str) -> Iterator[None]:
        """Begin a part of the work, and end it.

        Args:
            total: Number of items, such as pictures.
            what: The step, in a word or two.

        Yields:
            Nothing.
        """
        yield

    def advance(self, count: int) -> None:
        """Tell that something is done.

        Args:
            count: Number of items done since the last call.
        """

    def say(self, line: str) -> None:
        """Tell something that is good to know, such as the loss of an epoch.

        Args:
            line: One line.
        """


NO_PROGRESS = Progress()
