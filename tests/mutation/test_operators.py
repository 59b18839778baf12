"""The changes that the tests are tried with."""

from __future__ import annotations

import ast

import pytest

from tests.mutation.operators import mutants


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("a < b", {"a <= b", "a >= b"}),
        ("a + b", {"a - b"}),
        ("x[..., 0]", {"x[..., 1]"}),
        ("f(a, b)", {"f(b, a)", "a"}),
        (
            "x.argmax(axis=1)",
            {"x.argmin(axis=1)", "x.argmax(axis=2)", "x.argmax(axis=0)"},
        ),
        ("not a", {"a"}),
        ("a if c else b", {"b if c else a"}),
        ("a and b", {"a or b"}),
        ("float(a)", set()),
        ("zip(strict=True)", set()),
    ],
)
def test_one_place_is_changed_at_a_time(code, changed):
    found = {ast.unparse(mutant.tree) for mutant in mutants(f"y = {code}")}

    assert found == {f"y = {each}" for each in changed}


def test_texts_and_annotations_stay():
    code = '''
"""Module 1."""
def f(x: int = None) -> int:
    """Add 1 to 2."""
    raise ValueError(f"{x + 1}")
'''

    assert mutants(code) == []


def test_a_mutant_tells_where_it_is():
    (mutant,) = mutants("a = 1\nb = a + c\n")[2:]

    assert str(mutant) == "2: a + c  ->  a - c"
