"""What does each verb tell a program? The keys of `--json` and of `results.json`."""

from __future__ import annotations

from typing import TypedDict


class Unreadable(TypedDict):
    """A picture without an answer.

    Attributes:
        id: Its name, or its path where it has no other.
        reason: One of `data.decode.files.REASONS`.
        message: The same in a line for people.
    """

    id: str
    reason: str
    message: str
