"""`share`: counts, put right by labels, as a program and a person read them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from pixsent_tf.cli import cli
from tests.results import assert_told


def invoke(*arguments: object):
    """Run the command in this process."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture
def tables(tmp_path):
    rows = [
        f"{i}.jpg,{('negative', 'positive')[i % 3 > 0]},{0.9 - 0.7 * (i % 3 > 0):.1f},"
        f"{0.1 + 0.7 * (i % 3 > 0):.1f},{('a', 'b')[i % 2]}"
        for i in range(300)
    ]
    head = "path,answer,prob_negative,prob_positive,tag"
    (tmp_path / "table.csv").write_text("\n".join([head, *rows]) + "\n")
    labels = [f"{i}.jpg,{('negative', 'positive')[i % 5 > 0]}" for i in range(60)]
    (tmp_path / "labels.csv").write_text("\n".join(["path,label", *labels]) + "\n")
    return tmp_path


def test_json_is_what_is_defined_and_what_is_written(tables):
    arguments = ("--labels", tables / "labels.csv", "--by", "tag", "--json")
    result = invoke("share", tables / "table.csv", *arguments, "--out", tables / "out")

    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert_told("share", told)
    assert told == json.loads((tables / "out/results.json").read_text())
    with (tables / "out/shares.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["tag"], row["class"]) for row in rows] == [
        *(("a", "negative"), ("a", "positive")),
        *(("b", "negative"), ("b", "positive")),
    ]
    cell = told["cells"][0]["shares"]["negative"]
    assert float(rows[0]["corrected"]) == pytest.approx(cell["corrected"])
    assert [float(rows[0][c]) for c in ("low", "high")] == cell["interval"]
    assert (tables / "out/shares.png").read_bytes().startswith(b"\x89PNG")
    assert told["methods"] in (tables / "out/methods.txt").read_text()


def test_without_labels_shares_are_called_uncorrected(tables):
    result = invoke("share", tables / "table.csv")

    assert result.exit_code == 0, result.output
    assert "uncorrected" in result.stdout
    assert "385 random labels" in result.stdout


def test_it_loads_no_tensorflow(tables):
    code = """
import sys
from pixsent_tf.cli import cli
cli(sys.argv[1:], standalone_mode=False)
sys.exit(" ".join({"tensorflow", "keras"} & set(sys.modules)) or 0)
"""
    arguments = ["share", "table.csv", "--labels", "labels.csv", "--out", "out"]
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        cwd=tables,
    )

    assert result.returncode == 0, result.stderr


def test_a_period_that_does_not_exist_is_bad_usage(tables):
    result = invoke("share", tables / "table.csv", "--over", "tag:decade")

    assert result.exit_code == 2
    assert "use day, week, month, year" in result.stderr
