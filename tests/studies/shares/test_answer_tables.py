"""What a table of answers adds up to is what its rows say, added up by hand."""

from __future__ import annotations

import csv
import datetime
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixsent_tf.data.lists import tables
from pixsent_tf.errors import DataError
from pixsent_tf.studies.shares.answer_tables import (
    PERIODS,
    AnswerSums,
    Sums,
    Wanted,
    add_up,
)
from tests.heard import Heard

# Three classes, backwards in the alphabet; what could not be read stands first, in the
# middle and last, and row 5 is unsure.
PROBS = ("prob_sad", "prob_odd", "prob_glad")
COLUMNS = ("path", "city", "user", "day", "status", "answer", *PROBS)
ROWS = (
    ("a", "rom", "u2", "2024-12-29", "truncated", "", "", "", ""),
    ("b", "rom", "u1", "2024-12-30", "ok", "sad", "0.7", "0.2", "0.1"),
    ("c", "bern", "u2", "2024-12-31", "ok", "glad", "0.1", "0.3", "0.6"),
    ("d", "bern", "u1", "2025-01-01", "missing", "", "", "", ""),
    ("e", "rom", "u2", "2025-01-05", "ok", "unsure", "0.4", "0.4", "0.2"),
    ("f", "bern", "u2", "2025-01-06", "ok", "odd", "0.2", "0.5", "0.3"),
    ("g", "oslo", "u3", "2025-01-06", "empty", "", "", "", ""),
    ("h", "rom", "u1", "2025-01-07", "", "glad", "0.3", "0.1", "0.6"),
    ("i", "bern", "", "2025-01-08", "ok", "glad", "0.05", "0.05", "0.9"),
    ("j", "rom", "u1", "2025-01-08", "truncated", "", "", "", ""),
)


def write(folder: Path, rows: Any = ROWS, columns: Any = COLUMNS) -> Path:
    path = folder / "table.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def summed(folder: Path, *labelled: str, **wanted: Any) -> AnswerSums:
    return add_up(write(folder), Wanted(**wanted), frozenset(labelled))


def test_each_cell_adds_up_its_own_rows_past_those_that_could_not_be_read(
    tmp_path: Path,
) -> None:
    found = summed(tmp_path, by=("city",))

    assert found.class_names == ("sad", "odd", "glad")
    assert {
        key: (cell.count, cell.unreadable, cell.answered.tolist())
        for key, cell in found.cells.items()
    } == {
        ("rom",): (3, 2, [1, 0, 1]),  # b, e and h; e is unsure and has no class
        ("bern",): (3, 1, [0, 1, 2]),  # c, f and i
        ("oslo",): (0, 1, []),
    }
    rome, bern = found.cells["rom",], found.cells["bern",]
    assert rome.totals == pytest.approx([1.4, 0.7, 0.9])
    assert bern.totals == pytest.approx([0.35, 0.85, 1.8])
    # .49 + .16 + .09, .04 + .16 + .01, .01 + .04 + .36
    assert rome.squares == pytest.approx([0.74, 0.21, 0.41])


def test_without_columns_all_rows_are_one_cell(tmp_path: Path) -> None:
    found = summed(tmp_path)

    (cell,) = found.cells.values()
    assert list(found.cells) == [()]
    assert (cell.count, cell.unreadable, cell.groups) == (6, 4, {})
    assert cell.answered.tolist() == [1, 1, 3]


def test_groups_have_counts_and_sums_of_the_rows_that_were_read(tmp_path: Path) -> None:
    found = summed(tmp_path, by=("city",), group="user")

    groups = {key: cell.groups for key, cell in found.cells.items()}
    assert groups["rom",]["u1"] == pytest.approx([2, 1.0, 0.3, 0.7])  # b and h
    assert groups["rom",]["u2"] == pytest.approx([1, 0.4, 0.4, 0.2])  # e
    assert groups["bern",]["u2"] == pytest.approx([2, 0.3, 0.8, 0.9])  # c and f
    assert groups["bern",]["i"] == pytest.approx([1, 0.05, 0.05, 0.9])  # on its own
    assert [list(each) for each in groups.values()] == [["u1", "u2"], ["u2", "i"], []]


def test_labelled_rows_are_kept_with_their_own_cell_group_and_scores(
    tmp_path: Path,
) -> None:
    found = summed(tmp_path, "a", "c", "h", "d", "z", by=("city",), group="user")

    assert found.labelled == {
        "c": (("bern",), "u2", [0.1, 0.3, 0.6]),
        "h": (("rom",), "u1", [0.3, 0.1, 0.6]),
    }


def test_labelled_rows_have_no_group_where_none_is_asked_for(tmp_path: Path) -> None:
    assert summed(tmp_path, "f").labelled == {"f": ((), "", [0.2, 0.5, 0.3])}


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_batches_of_any_size_add_up_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(tables, "BATCH_ROWS", size)
    settings = {"by": ("city",), "over": "day", "period": "month", "group": "user"}

    found = summed(tmp_path, *"bcfhi", **settings)

    cells: dict[Any, list[Any]] = defaultdict(list)
    for row in ROWS:
        cells[row[1], row[3][:7]].append(row)
    assert set(found.cells) == set(cells)
    for key, rows in cells.items():
        read = np.array([row[6:] for row in rows if row[8]], dtype=float).reshape(-1, 3)
        cell = found.cells[key]
        assert (cell.count, cell.unreadable) == (len(read), len(rows) - len(read))
        if cell.count:
            assert cell.totals == pytest.approx(read.sum(axis=0))
            assert sum(cell.groups.values()) == pytest.approx(
                [len(read), *read.sum(axis=0)]
            )
    assert {name: row[0] for name, row in found.labelled.items()} == {
        "b": ("rom", "2024-12"),
        "c": ("bern", "2024-12"),
        "f": ("bern", "2025-01"),
        "h": ("rom", "2025-01"),
        "i": ("bern", "2025-01"),
    }


def test_a_group_goes_on_in_the_next_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "BATCH_ROWS", 3)

    (cell,) = summed(tmp_path, group="user").cells.values()

    assert cell.groups["u1"] == pytest.approx([2, 1.0, 0.3, 0.7])  # b and h
    assert cell.groups["u2"] == pytest.approx([3, 0.7, 1.2, 1.1])  # c, e and f


def test_a_picture_without_a_group_is_a_group_by_whichever_name_it_has(
    tmp_path: Path,
) -> None:
    rows = [("", "a.jpg", "", "0.1"), ("7", "b.jpg", "", "0.2"), ("8", "", "u", "0.4")]
    path = write(tmp_path, rows, ("id", "path", "user", "prob"))

    found = add_up(path, Wanted(group="user"), frozenset())

    assert list(found.cells[()].groups) == ["a.jpg", "7", "u"]


def test_sums_grow_with_each_batch_and_the_unsure_have_no_class() -> None:
    sums = Sums()

    sums.add(
        np.array([1, -1, 2, 2]), np.array([[0, 1, 0], [1, 0, 0], *[[0, 0, 1]] * 2])
    )
    sums.add(np.array([0]), np.array([[0.5, 0.3, 0.2]]))

    assert (sums.count, sums.answered.tolist()) == (5, [1, 1, 2])
    assert sums.totals == pytest.approx([1.5, 1.3, 2.2])
    assert sums.squares == pytest.approx([1.25, 1.09, 2.04])


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        # Monday before a Wednesday that is New Year's Day: the week is the new year's.
        ("2024-12-30", ["2024-12-30", "2025-W01", "2024-12", "2024"]),
        # Sunday after a Friday that is: the week is the old year's.
        ("2021-01-03", ["2021-01-03", "2020-W53", "2021-01", "2021"]),
        ("2024-03-05", ["2024-03-05", "2024-W10", "2024-03", "2024"]),
    ],
)
def test_periods_are_named_so_that_they_sort(day: str, expected: list[str]) -> None:
    date = datetime.date.fromisoformat(day)

    names = [PERIODS[name](date) for name in ("day", "week", "month", "year")]

    assert names == expected


def test_the_date_comes_last_and_its_time_of_day_does_not_matter(
    tmp_path: Path,
) -> None:
    rows = [
        ("a", "x", "2024-12-30T23:59:59", "0.5"),
        ("b", "y", "2024-12-29 00:00", "0.5"),
        ("c", "x", "2025-01-01", "0.5"),
    ]
    path = write(tmp_path, rows, ("path", "shop", "taken", "prob"))
    wanted = Wanted(by=("shop",), over="taken")  # by week, if nothing is said

    found = add_up(path, wanted, frozenset())

    assert wanted.names == ("shop", "taken")
    assert {key: cell.count for key, cell in found.cells.items()} == {
        ("x", "2025-W01"): 2,
        ("y", "2024-W52"): 1,
    }


def test_all_that_is_needed_is_what_cuts_and_then_what_groups() -> None:
    wanted = Wanted(by=("shop", "city"), over="day", group="user")

    assert wanted.columns == ("shop", "city", "day", "user")
    assert Wanted().columns == ()


def test_another_table_is_joined_by_either_name_and_goes_before_the_own_column(
    tmp_path: Path,
) -> None:
    rows = [
        ("1", "a.jpg", "old", "0.1"),
        ("2", "b.jpg", "old", "0.2"),
        ("3", "c.jpg", "old", "0.4"),
        ("4", "d.jpg", "old", "0.8"),
    ]
    path = write(tmp_path, rows, ("id", "path", "city", "prob"))
    known = {
        "b.jpg": {"city": "by path"},
        "3": {"city": "by id"},
        "c.jpg": {"city": "not by path"},
        "d.jpg": {"city": None},
    }

    found = add_up(path, Wanted(by=("city",), known=known), frozenset())

    totals = {key[0]: float(cell.totals[1]) for key, cell in found.cells.items()}
    assert totals == pytest.approx({"old": 0.1, "by path": 0.2, "by id": 0.4, "": 0.8})


def test_a_column_that_neither_table_has_is_named_with_its_first_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "BATCH_ROWS", 3)
    path = write(tmp_path)
    # rows 5, 7 and 10 lack it: the second of the second batch is the first
    known = {name: {"shop": "x"} for name in "abcdfhi"}

    with pytest.raises(DataError) as raised:
        add_up(path, Wanted(by=("shop",), known=known), frozenset())

    assert str(raised.value) == (
        f"{path}, row 5 has no column 'shop', nor has --meta for it; it has "
        f"{', '.join(COLUMNS)}."
    )


def test_what_is_no_date_is_named_with_its_row_through_all_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "BATCH_ROWS", 3)
    days = ["2024-01-01"] * 4 + ["1/2/2024", "2024-01-01", "soon"]
    rows = [(f"{i}", day, "0.5") for i, day in enumerate(days)]
    path = write(tmp_path, rows, ("id", "taken", "prob"))

    with pytest.raises(
        DataError,
        match=r"table.csv, row 5 has the taken '1/2/2024'; dates are written",
    ):
        add_up(path, Wanted(over="taken"), frozenset())


@pytest.mark.parametrize("size", [2, 100])
def test_a_labelled_picture_that_answers_twice_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(tables, "BATCH_ROWS", size)
    rows = [("x", "0.1"), ("a", "0.2"), ("b", "0.3"), ("a", "0.4"), ("x", "0.5")]
    path = write(tmp_path, rows, ("path", "prob"))

    with pytest.raises(DataError, match=r"table.csv names 'a' twice; name it once"):
        add_up(path, Wanted(), frozenset({"a", "b"}))
    assert add_up(path, Wanted(), frozenset({"b"})).cells[()].count == 5


def test_a_picture_that_got_its_answer_at_a_second_try_counts_once(
    tmp_path: Path,
) -> None:
    rows = [("a", "truncated", ""), ("b", "ok", "0.25"), ("a", "ok", "0.75")]
    path = write(tmp_path, rows, ("path", "status", "prob"))

    found = add_up(path, Wanted(), frozenset({"a"}))

    assert found.labelled == {"a": ((), "", [0.25, 0.75])}


def test_a_picture_is_found_by_its_id_before_its_path(tmp_path: Path) -> None:
    rows = [("p", "a", "0.1"), ("q", "b", "0.2"), ("r", "c", "0.4")]
    path = write(tmp_path, rows, ("id", "path", "prob"))

    found = add_up(path, Wanted(), frozenset({"q", "b", "c"}))

    assert list(found.labelled) == ["q", "c"]
    assert found.labelled["c"][2] == pytest.approx([0.6, 0.4])


def test_classes_are_named_as_labels_of_them_are_read_in_the_order_of_the_table(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, [("a", "0.9", "0.1")], ("id", "prob_POS", "prob_neg"))

    found = add_up(path, Wanted(), frozenset())

    assert found.class_names == ("positive", "negative")
    assert found.cells[()].totals == pytest.approx([0.9, 0.1])


def test_progress_hears_of_each_batch_but_of_no_table_that_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "BATCH_ROWS", 4)
    heard, deaf = Heard(), Heard()

    add_up(write(tmp_path), Wanted(), frozenset(), progress=heard)
    with pytest.raises(DataError, match="holds no rows; give what predict or score"):
        add_up(write(tmp_path, []), Wanted(), frozenset(), progress=deaf)

    assert (heard.steps, heard.counts) == ([(10, "reading")], [4, 4, 2])
    assert deaf.steps == []
