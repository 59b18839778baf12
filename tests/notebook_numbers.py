"""Do the numbers that a notebook was committed with come out again?"""

from __future__ import annotations

import re
from collections import defaultdict

NUMBER = re.compile(r"(?<![\w.])[01]?\.\d{2,}(?![\w.]*\w)(?! ?(?:s|ms|MB|GB)\b)")
TOLERANCE = 0.05  # another processor adds up in another order, and trains from there


def _by_line(text: str) -> dict[str, list[list[float]]]:
    """Give the numbers from 0 to 1 of each line, by the words around them."""
    found: dict[str, list[list[float]]] = defaultdict(list)
    for line in text.splitlines():
        numbers = [] if "<" in line else NUMBER.findall(line)  # no drawing
        if numbers:
            words = re.sub(r"[\d.]+", "#", line).strip()
            found[words].append([float(number) for number in numbers])
    return found


def find_changes(kept: str, ran: str) -> list[str]:
    """Name the lines whose numbers are others than they were.

    Args:
        kept: The output of a cell as it was committed.
        ran: As it came out again. Lines with other words have nothing to be compared
            with, such as those that name a version.

    Returns:
        One line for each.
    """
    changes = []
    now = _by_line(ran)
    for words, before in _by_line(kept).items():
        for old, new in zip(before, now.get(words, []), strict=False):
            pairs = zip(old, new, strict=False)
            if any(abs(a - b) > TOLERANCE for a, b in pairs):
                changes.append(f"{words}: {old} were committed, {new} came out")
    return changes
