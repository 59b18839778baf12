from __future__ import annotations

import csv
import json
import sys

import pytest
from click.testing import CliRunner

from pixsent_tf.cli import cli
from tests.results import assert_told


def invoke(*arguments):
    return CliRunner().invoke(cli, ["score", *map(str, arguments)])


def test_where_beam_is_missing_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    for name in ("beam_pipeline", "job"):
        monkeypatch.delitem(sys.modules, f"pixsent_tf.serving.{name}", raising=False)
        monkeypatch.delattr(f"pixsent_tf.serving.{name}", raising=False)

    result = invoke(tmp_path, "--model", tmp_path, "--out", tmp_path / "t.csv")

    assert result.exit_code == 2
    assert "pip install 'pixsent-tf[beam]'" in result.stderr


def test_an_unknown_kind_of_table_is_bad_usage(tmp_path):
    result = invoke(tmp_path, "--model", tmp_path, "--out", "t.xlsx")

    assert result.exit_code == 2
    assert "must end in .parquet or .csv" in result.stderr


def test_a_source_that_is_not_there_is_told(tmp_path):
    result = invoke(tmp_path / "gone", "--out", tmp_path / "t.csv")

    assert result.exit_code == 1
    assert "gone does not exist; name a folder, a list or a glob" in result.stderr


@pytest.mark.filterwarnings("ignore")
def test_a_folder_becomes_a_table(tiny_run, colored_folder, tmp_path):
    pytest.importorskip("apache_beam")

    result = invoke(
        *(colored_folder, "--model", tiny_run.path, "--out", tmp_path / "t.csv"),
        *("--json", "--quiet"),
    )

    answer = json.loads(result.stdout)
    assert_told("score", answer)
    assert (answer["num_examples"], answer["statuses"]) == (24, {"ok": 24})
    with (tmp_path / "t.csv").open(newline="") as file:
        paths = [row["path"] for row in csv.DictReader(file)]
    assert len(set(paths)) == 24


@pytest.mark.filterwarnings("ignore")
def test_a_list_and_a_glob_name_the_same_files(tiny_export, colored_folder, tmp_path):
    pytest.importorskip("apache_beam")
    listed = tmp_path / "list.txt"
    names = sorted(str(path) for path in colored_folder.glob("positive/*.png"))
    listed.write_text("\n".join(names) + "\n")

    tables = []
    for source in (listed, f"{colored_folder}/positive/*.png"):
        out = tmp_path / f"{len(tables)}.csv"
        invoke(source, "--model", tiny_export, "--out", out, "--quiet")
        tables.append(out.read_text())

    assert tables[0] == tables[1]
    assert tables[0].count("\n") == 13


@pytest.mark.journey
@pytest.mark.filterwarnings("ignore")
def test_the_model_that_ships_needs_no_naming(colored_folder, tmp_path):
    pytest.importorskip("apache_beam")

    result = invoke(colored_folder, "--out", tmp_path / "t.csv", "--json", "--quiet")

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["statuses"] == {"ok": 24}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_columns_of_the_list_are_kept_beside_the_answers(
    tiny_export, colored_folder, tmp_path, kind
):
    pytest.importorskip("apache_beam")
    from pixsent_tf.data.lists.tables import read_rows

    listed = tmp_path / "posts.csv"
    paths = [*sorted(map(str, colored_folder.glob("*/*.png"))), "gone.png"]
    lines = [f'{i},{path},"user, {i % 5}"' for i, path in enumerate(paths)]
    listed.write_text("\n".join(["id,path,user", *lines]) + "\n")
    out = tmp_path / f"t.{kind}"

    result = invoke(
        *(listed, "--keep-columns", "--model", tiny_export, "--out", out),
        *("--shard-size", 7, "--quiet"),
    )

    assert result.exit_code == 0, result.output
    rows = list(read_rows(out))
    assert [row["path"] for row in rows] == paths
    assert [row["id"] for row in rows] == [str(i) for i in range(25)]
    assert [row["user"] for row in rows] == [f"user, {i % 5}" for i in range(25)]
    assert [row["status"] for row in rows] == ["ok"] * 24 + ["missing"]


@pytest.mark.filterwarnings("ignore")
def test_a_job_that_kept_other_columns_is_another_job(
    tiny_export, colored_folder, tmp_path
):
    pytest.importorskip("apache_beam")
    listed, out = tmp_path / "posts.csv", tmp_path / "t.csv"
    listed.write_text(f"path,user\n{colored_folder}/negative/00.png,ann\n")
    arguments = (
        listed,
        "--model",
        tiny_export,
        "--out",
        out,
        "--quiet",
        "--keep-parts",
    )
    assert invoke(*arguments).exit_code == 0

    result = invoke(*arguments, "--keep-columns")

    assert result.exit_code == 2
    assert "holds the parts of another job" in result.stderr
