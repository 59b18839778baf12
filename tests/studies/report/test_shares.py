"""What is written of shares has each number in its own row and column."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from pixsent_tf.runs import Run
from pixsent_tf.studies.report import shares

COLUMNS = [
    *("city", "day", "class", "num_examples", "num_labels", "num_unreadable"),
    *("borrowed", "plain", "corrected", "low", "high"),
]


def share(*numbers: float | None) -> Any:
    plain, corrected, low, high = numbers
    interval = None if low is None else [low, high]
    return {
        "plain": plain,
        "corrected": corrected,
        "interval": interval,
        "bounds": None,
    }


def results() -> Any:
    """Three cells, of which the first has no pictures and the second no interval."""

    def cell(city: str, day: str, counts: Any, first: Any, second: Any) -> Any:
        names = ("num_examples", "num_labels", "num_unreadable", "borrowed")
        told = dict(zip(names, counts, strict=True))
        by = {"city": city, "day": day}
        return {"by": by, **told, "shares": {"sad": first, "glad": second}}

    none = share(None, None, None, None)
    return {
        "cells": [
            cell("bern", "2024-01", (0, 0, 7, False), none, none),
            cell(
                *("oslo", "2024-03", (40, 0, 0, True)),
                share(0.2, 0.1, None, None),
                share(0.8, 0.9, None, None),
            ),
            cell(
                *("rom", "2024-02", (300, 21, 4, False)),
                share(0.3, 0.25, 0.125, 0.5),
                share(0.7, 0.75, 0.5, 0.875),
            ),
        ],
        "methods": "Ten were asked – and said so.",
        "out": None,
    }


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shares") / "out"
    given = results()
    found = shares.write(given, Run.create(folder))
    assert given["out"] is None
    assert found == {**results(), "out": str(folder)}
    return folder


def test_the_table_has_a_row_for_each_class_of_each_cell(out: Path) -> None:
    with (out / "shares.csv").open() as file:
        rows = list(csv.reader(file))

    assert rows == [
        COLUMNS,
        ["bern", "2024-01", "sad", "0", "0", "7", "False", "", "", "", ""],
        ["bern", "2024-01", "glad", "0", "0", "7", "False", "", "", "", ""],
        ["oslo", "2024-03", "sad", "40", "0", "0", "True", "0.2", "0.1", "", ""],
        ["oslo", "2024-03", "glad", "40", "0", "0", "True", "0.8", "0.9", "", ""],
        [
            "rom",
            "2024-02",
            "sad",
            "300",
            "21",
            "4",
            "False",
            "0.3",
            "0.25",
            "0.125",
            "0.5",
        ],
        [
            "rom",
            "2024-02",
            "glad",
            "300",
            "21",
            "4",
            "False",
            "0.7",
            "0.75",
            "0.5",
            "0.875",
        ],
    ]


def test_parquet_holds_the_same_rows_as_numbers(out: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")

    table = parquet.read_table(out / "shares.parquet")

    assert table.column_names == COLUMNS
    assert table.column("class").to_pylist() == ["sad", "glad"] * 3
    assert table.column("low").to_pylist() == [None] * 4 + [0.125, 0.5]
    assert table.column("high").to_pylist() == [None] * 4 + [0.5, 0.875]
    assert table.column("num_labels").to_pylist() == [0, 0, 0, 0, 21, 21]


def test_methods_results_and_both_figures_are_written(out: Path) -> None:
    assert (out / "methods.txt").read_text() == "Ten were asked – and said so.\n"
    assert Run(out).read_json("results.json") == {**results(), "out": str(out)}
    assert (out / "shares.png").read_bytes().startswith(b"\x89PNG")
    assert "oslo, 2024-03" in (out / "shares.svg").read_text()
