"""A number of a notebook that comes out otherwise is noticed; the clock's is not."""

from __future__ import annotations

import pytest

from tests.notebook_numbers import NUMBER, find_changes
from tests.test_notebooks import NAMES, read


@pytest.mark.parametrize(
    ("kept", "ran", "count"),
    [
        ("accuracy  0.975 (0.91 to 1.00)", "accuracy  0.975 (0.91 to 1.00)", 0),
        ("accuracy  0.975 (0.91 to 1.00)", "accuracy  0.963 (0.90 to 0.99)", 0),
        ("accuracy  0.975 (0.91 to 1.00)", "accuracy  0.775 (0.71 to 0.82)", 1),
        ("a 0.10\na 0.20", "a 0.10\na 0.90", 1),
        ("it took 0.31 s", "it took 0.95 s", 0),
        ("pixsent-tf 0.1.0", "pixsent-tf 0.9.0", 0),
        ("| row | 0.817 |", "| other | 0.217 |", 0),
    ],
)
def test_numbers_are_compared_line_by_line(kept, ran, count):
    assert len(find_changes(kept, ran)) == count


@pytest.mark.parametrize("name", NAMES)
def test_a_change_in_a_committed_number_is_found(name):
    story = read(name)
    text = "\n".join(story.text(cell.id) for cell in story.code())

    assert find_changes(text, text) == []
    assert find_changes(text, NUMBER.sub(lambda it: moved(it[0]), text))


def moved(number: str) -> str:
    """Give a number of as many digits that is half of the way to the other end."""
    decimals = len(number.split(".")[1])
    value = float(number)
    return f"{value + 0.5 if value < 0.5 else value - 0.5:.{decimals}f}"
