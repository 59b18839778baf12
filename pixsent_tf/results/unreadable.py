"""Which pictures could not be read, and why?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from pixsent_tf.errors import ImageError


class Unreadable(TypedDict):
    """A picture that could not be read."""

    id: str  # its name, or its path where it has no other
    reason: str  # a fixed word, such as "empty" or "truncated"
    message: str  # the same in a line for people


def unreadable(name: str, error: ImageError) -> Unreadable:
    """Say which picture could not be read, and why.

    Args:
        name: The picture's name, or its path.
        error: What reading it raised.

    Returns:
        An entry of a list `unreadable`.
    """
    return {"id": name, "reason": error.reason, "message": str(error)}


def list_unreadable(
    names: Sequence[str], failures: Mapping[int, ImageError]
) -> list[Unreadable]:
    """List the pictures that could not be read.

    Args:
        names: Names or paths of all pictures.
        failures: What reading them raised, by position.

    Returns:
        One entry each, in the order of the names.
    """
    return [unreadable(str(names[i]), failures[i]) for i in sorted(failures)]
