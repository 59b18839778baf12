"""Values are checked where they are made, and nothing is lost on the way."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pytest

from pixsent_tf.config.values import (
    Checked,
    Count,
    Part,
    Range,
    Seed,
    kind_of,
    nearest,
)
from pixsent_tf.errors import ConfigError


@dataclass(frozen=True)
class Course(Checked, prefix="course."):
    """One field of each kind."""

    epochs: Count = 10
    rate: Part | None = 0.5
    mode: Literal["slow", "fast"] = "slow"
    is_open: bool = False
    rooms: tuple[Count, ...] = (1,)
    grades: tuple[tuple[str, float], ...] = ()
    folder: Path | None = None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 3.7}, "course.epochs=3.7 is no whole number of 1 or more."),
        ({"epochs": True}, "course.epochs=True is no whole number of 1 or more."),
        ({"epochs": "3"}, "course.epochs='3' is no whole number of 1 or more."),
        ({"epochs": None}, "course.epochs=None is no whole number of 1 or more."),
        ({"epochs": 10**400}, "is no whole number of 1 or more."),
        ({"rate": math.nan}, "course.rate=nan is no number above 0, at most 1, nor N"),
        ({"rate": math.inf}, "course.rate=inf is no number"),
        ({"rate": np.float32(2)}, "is no number above 0, at most 1"),
        ({"mode": "Fast"}, "course.mode='Fast' is none of slow, fast."),
        ({"mode": ["slow"]}, "course.mode=['slow'] is none of slow, fast."),
        ({"is_open": 1}, "course.is_open=1 is neither true nor false."),
        ({"rooms": 3}, "course.rooms=3 is no list."),
        ({"rooms": (1, 0)}, "course.rooms[1]=0 is no whole number of 1 or more."),
        ({"grades": (("a",),)}, "course.grades[0]=('a',) is no list of 2."),
        ({"grades": (("a", "b"),)}, "course.grades[0][1]='b' is no number."),
        ({"folder": 3}, "course.folder=3 is no path, nor None."),
    ],
)
def test_what_does_not_fit_is_named_with_what_would(settings, message):
    with pytest.raises(ConfigError) as caught:
        Course(**settings)

    assert message in str(caught.value)


def test_a_long_value_is_cut_short_in_the_message():
    with pytest.raises(ConfigError) as caught:
        Course(mode="x" * 5000)

    assert len(str(caught.value)) < 150


def test_a_value_that_loses_nothing_takes_the_type_of_its_setting():
    course = Course(
        epochs=np.int64(3), rate=1, rooms=[2, 3.0], grades=[["a", 1]], folder="x"
    )

    assert course == Course(
        3, 1.0, rooms=(2, 3), grades=(("a", 1.0),), folder=Path("x")
    )
    assert type(course.epochs) is type(course.rooms[1]) is int
    assert type(course.rate) is type(course.grades[0][1]) is float
    hash(course)


@pytest.mark.parametrize(
    ("limits", "inside", "outside", "words"),
    [
        ({"least": 1}, [1, 9], [0.9], " of 1 or more"),
        ({"least": 0, "most": 1}, [0, 1], [-0.1, 1.1], " from 0 to 1"),
        ({"above": 0, "most": 1}, [0.1, 1], [0, 1.1], " above 0, at most 1"),
        ({"least": 0, "below": 1}, [0, 0.9], [-0.1, 1], " of 0 or more, below 1"),
        ({}, [-9, 9], [], ""),
    ],
)
def test_a_range_says_what_it_holds(limits, inside, outside, words):
    found = Range(**limits)

    assert all(number in found for number in inside)
    assert not any(number in found for number in outside)
    assert str(found) == words


@pytest.mark.parametrize(
    ("hint", "text", "value"),
    [
        (int, "7", 7),
        (float, "1e-3", 0.001),
        (float | None, "None", None),
        (str, "None", "None"),
        (bool, "False", False),
        (tuple[Annotated[int, Range()], ...], "1, 3", (1, 3)),
        (tuple[str, ...], "a,b", ("a", "b")),
    ],
)
def test_a_text_is_read_as_the_type(hint, text, value):
    kind = kind_of(hint)

    read = kind.fit(kind.read(text), "x")

    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (int, "7.5"),
        (int, "seven"),
        (float, "nan"),
        (bool, "yes"),
        (tuple[int, ...], ""),
    ],
)
def test_a_text_that_is_no_such_value_is_refused(hint, text):
    kind = kind_of(hint)

    with pytest.raises(ConfigError, match=r"^x.* is n"):
        kind.fit(kind.read(text), "x")


def test_the_nearest_name_is_said_where_one_is_near():
    assert nearest("ephocs", ["epochs", "crop"]) == "; the nearest is 'epochs'"
    assert nearest("xyz", ["epochs", "crop"]) == ""


@dataclass(frozen=True)
class Drawn(Checked, prefix="drawn."):
    seed: Seed = 0


def test_a_seed_has_31_bits():
    assert Drawn(2**31 - 1).seed == 2_147_483_647
    for seed in (2**31, -1):
        with pytest.raises(ConfigError, match=r"drawn\.seed=.* from 0 to 2147483647"):
            Drawn(seed)
