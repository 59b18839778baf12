"""Every row of the page on faults is a test that is there and is run."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "faults.md"
ROW = re.compile(r"^\| .* \| .* \| .* \| `(tests/[\w/]+\.py)::(\w+)`( \(slow\))? \|$")
TABLES = re.findall(
    r"(?<=\n)\| Fault \|.*\n\|---.*\n((?:\|.*\n)+)", PAGE.read_text("utf-8")
)
ROWS = [line for table in TABLES for line in table.splitlines()]


def marks_of(path: str, name: str) -> set[str]:
    """Name the marks of a test.

    Raises:
        StopIteration: If there is no such test.
    """
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    test = next(
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name == name
    )
    found = " ".join(ast.unparse(each) for each in test.decorator_list)
    return set(re.findall(r"pytest\.mark\.(\w+)", found))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_a_row_names_a_test_that_is_run(row):
    match = ROW.match(row)
    assert match, row
    marks = marks_of(match[1], match[2])

    assert not marks & {"skip", "skipif", "xfail", "dev", "data", "serving"}
    assert ("slow" in marks) == bool(match[3])


def test_there_are_as_many_as_were_promised():
    assert len(ROWS) >= 40
