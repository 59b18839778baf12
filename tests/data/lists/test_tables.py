"""Tables of every kind are read alike, batch by batch."""

from __future__ import annotations

import json

import pytest

from pixsent_tf.data.lists import tables
from pixsent_tf.data.lists.tables import count_rows, read_batches, read_rows
from pixsent_tf.errors import DataError, UsageError

ROWS = [{"path": f"{i}.jpg", "tag": "a, b" if i % 2 else ""} for i in range(7)]


@pytest.fixture(params=["csv", "jsonl", "parquet"])
def table(request, tmp_path):
    path = tmp_path / f"t.{request.param}"
    if request.param == "csv":
        lines = [f'{row["path"]},"{row["tag"]}"' for row in ROWS]
        path.write_text("\n".join(["path,tag", *lines]) + "\n")
    elif request.param == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    else:
        pa = pytest.importorskip("pyarrow")
        pytest.importorskip("pyarrow.parquet").write_table(
            pa.Table.from_pylist(ROWS), path
        )
    return path


def test_rows_and_their_number_are_those_of_the_table(table):
    assert list(read_rows(table)) == ROWS
    assert count_rows(table) == 7


def test_batches_follow_each_other(table, monkeypatch):
    monkeypatch.setattr(tables, "BATCH_ROWS", 3)

    batches = list(read_batches(table))

    assert [(one.start, one.count) for one in batches] == [(0, 3), (3, 3), (6, 1)]
    assert list(batches[1].columns["path"]) == ["3.jpg", "4.jpg", "5.jpg"]


def test_lines_that_are_too_short_or_too_long_are_filled_and_cut(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1\n\n1,2,3\n")

    assert list(read_rows(tmp_path / "t.csv")) == [
        {"a": "1", "b": None},
        {"a": "1", "b": "2"},
    ]


def test_probabilities_of_json_lines_become_columns(tmp_path):
    line = {"path": "a", "prob_positive": 0.25, "probs": {"sad": 0.5, "glad": 0.5}}
    (tmp_path / "t.jsonl").write_text(json.dumps(line) + "\n")

    (row,) = read_rows(tmp_path / "t.jsonl")

    assert row == {"path": "a", "prob_sad": 0.5, "prob_glad": 0.5}


def test_a_line_that_is_no_object_is_named(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"path": "a"}\n[1\n')

    with pytest.raises(DataError, match="line 2 is no JSON object"):
        list(read_rows(tmp_path / "t.jsonl"))


def test_another_kind_of_file_is_refused(tmp_path):
    (tmp_path / "t.xlsx").touch()

    with pytest.raises(UsageError, match=r"is not a .*, \.jsonl or \.parquet file"):
        list(read_rows(tmp_path / "t.xlsx"))
    with pytest.raises(DataError, match="does not exist"):
        list(read_rows(tmp_path / "gone.csv"))


def test_a_parquet_table_is_read_one_row_group_after_another(tmp_path, monkeypatch):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "table.parquet"
    names = [f"{number}.jpg" for number in range(7)]
    pq.write_table(pa.table({"path": names}), path, row_group_size=3)
    read, iter_batches = [], pq.ParquetFile.iter_batches

    def record(self, *arguments, row_groups=None, **settings):
        read.append(row_groups)
        return iter_batches(self, *arguments, row_groups=row_groups, **settings)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", record)

    assert [row["path"] for row in read_rows(path)] == names
    assert read == [[0], [1], [2]]
