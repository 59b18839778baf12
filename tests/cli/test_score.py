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
    for name in ("batch", "shards"):
        monkeypatch.delitem(sys.modules, f"pixsent_tf.serving.{name}", raising=False)

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


@pytest.mark.filterwarnings("ignore")
def test_the_model_that_ships_needs_no_naming(colored_folder, tmp_path):
    pytest.importorskip("apache_beam")

    result = invoke(colored_folder, "--out", tmp_path / "t.csv", "--json", "--quiet")

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["statuses"] == {"ok": 24}
