"""What verbs tell programs is defined once, told so, and explained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypedDict

import pytest

from pixsent_tf.cli import VERBS as ALL_VERBS
from pixsent_tf.errors import ImageError
from pixsent_tf.results.unreadable import list_unreadable
from pixsent_tf.results.verbs import VERBS
from tests.results import find_faults

TESTS = Path(__file__).parent
SILENT = {"demo"}  # prints where its page is


class _Part(TypedDict):
    count: int


class _Told(_Part, total=False):
    parts: list[_Part]
    share: float | None
    more: dict[str, Any]


def test_every_verb_that_prints_json_has_a_definition():
    assert set(VERBS) == set(ALL_VERBS) - SILENT


def test_every_definition_is_held_against_what_its_verb_prints():
    asked = set()
    for path in TESTS.rglob("test_*.py"):
        calls = r'assert_told\("(\w+)"[^\n]*?(?:case=(\d))?\)\n'
        for verb, case in re.findall(calls, path.read_text("utf-8")):
            asked.add((verb, int(case or 0)))

    wanted = {(verb, i) for verb, cases in VERBS.items() for i in range(len(cases))}
    assert wanted - asked == set()


@pytest.mark.parametrize(
    ("told", "faults"),
    [
        ({"count": 1}, []),
        ({"count": 1, "share": 1, "parts": [{"count": 2}], "more": {"x": []}}, []),
        ({"count": 1, "share": None}, []),
        ({}, ["it lacks count"]),
        ({"count": 1, "label": 2}, ["it has label, which is not defined"]),
        ({"count": True}, ["it.count is True, no <class 'int'>"]),
        ({"count": 1.5}, ["it.count is 1.5, no <class 'int'>"]),
        ({"count": 1, "share": "x"}, ["it.share is 'x', no <class 'float'>"]),
        ({"count": 1, "parts": [{"count": 1}, {}]}, ["it.parts[1] lacks count"]),
        ({"count": 1, "parts": {}}, ["it.parts is {}, no list"]),
        ([], ["it is [], no object"]),
    ],
)
def test_what_is_not_as_defined_is_found(told, faults):
    found = list(find_faults(told, _Told, "it"))

    assert len(found) == len(faults)
    for one, expected in zip(found, faults, strict=True):
        assert one.startswith(expected)


def test_what_could_not_be_read_is_listed_in_the_order_of_the_pictures():
    failures = {2: ImageError("c is cut off.", "truncated"), 0: ImageError("a?")}

    assert list_unreadable("abc", failures) == [
        {"id": "a", "reason": "unreadable", "message": "a?"},
        {"id": "c", "reason": "truncated", "message": "c is cut off."},
    ]
