"""Is what a column holds found by its name, whatever its spelling?"""

from __future__ import annotations

from pathlib import Path

import pytest

from pixsent_tf.data.lists.columns import (
    as_text,
    describe_columns,
    find_columns,
    listed,
)

PATH = Path("t.csv")


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (["path", "label"], {"path": "path", "label": "label"}),
        (["FileName", "CLASS"], {"path": "FileName", "label": "CLASS"}),
        (["image path", "target"], {"path": "image path", "label": "target"}),
        (["image-path", "sentiment"], {"path": "image-path", "label": "sentiment"}),
        (["label", "path", "image"], {"path": "path", "label": "label"}),
        (["file", "subset", "k_fold"], {"path": "file", "split": "subset"}),
        (["id", "mood"], {}),
    ],
)
def test_usual_names_are_known(columns, found):
    known = find_columns(columns, PATH)

    assert {role: known.get(role) for role in found} == found
    assert set(known) - set(found) <= {"fold"}


def test_what_the_user_says_comes_first():
    chosen = {"path": "IMG", "label": ""}

    assert find_columns(["path", "img", "label"], PATH, chosen) == {"path": "img"}


def test_only_names_that_are_not_expected_are_described():
    found = {"path": "file", "label": "label"}

    assert describe_columns(found) == "path from 'file'"


@pytest.mark.parametrize(
    ("cell", "text"),
    [(None, ""), (float("nan"), ""), (" a ", "a"), (1.0, "1.0"), (True, "True")],
)
def test_a_cell_of_any_table_is_text(cell, text):
    assert as_text(cell) == text


def test_many_columns_are_cut_to_one_line():
    assert len(listed([f"column {i}\n" for i in range(99)])) == 201
