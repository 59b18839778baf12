"""`compare`: runs and tables of other programs."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys

from click.testing import CliRunner

from pixsent_tf.cli import cli
from tests.results import assert_told


def invoke(*arguments: object):
    """Run the command in this process."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_a_run_compared_with_itself_does_not_differ(run, tmp_path):
    result = invoke("compare", run, run, "--json", "--out", tmp_path / "out")

    assert result.exit_code == 0, result.output
    results = json.loads(result.stdout)
    assert_told("compare", results)
    (pair,) = results["pairs"]
    assert pair["mcnemar_p"] == 1
    assert pair["accuracy_difference"] == 0
    assert "fit (1) – fit (2)" in (tmp_path / "out" / "compare.html").read_text()


def test_a_table_of_another_program_is_compared_and_its_pictures_shown(run, tmp_path):
    with (run / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    answers = [("positive", "negative")[i % 2] for i in range(len(rows))]
    lines = [f"{row['id']},{answer}" for row, answer in zip(rows, answers, strict=True)]
    (tmp_path / "theirs.csv").write_text("\n".join(["id,answer", *lines]) + "\n")

    result = invoke("compare", run, tmp_path / "theirs.csv", "--out", tmp_path / "out")

    assert result.exit_code == 0, result.output
    assert "McNemar" in result.stdout
    assert "DeLong" not in result.stdout
    page = (tmp_path / "out" / "compare.html").read_text()
    assert "Only fit is right" in page
    assert "data:image/jpeg" in page
    wrong = sum(r["label"] != a for r, a in zip(rows, answers, strict=True))
    with (tmp_path / "out" / "differences.csv").open() as file:
        assert len(list(csv.DictReader(file))) == wrong


def test_two_runs_are_compared_with_their_pictures_and_without_tensorflow(
    run, tmp_path
):
    code = """
import sys
from pixsent_tf.cli import cli
cli(sys.argv[1:], standalone_mode=False)
sys.exit(" ".join({"tensorflow", "keras"} & set(sys.modules)) or 0)
"""
    other = tmp_path / "other"
    shutil.copytree(run, other)
    table = (other / "predictions.csv").read_text().splitlines()
    head, first = table[0].split(","), table[1].split(",")
    row = dict(zip(head, first, strict=True))
    row |= {
        "prob_negative": row["prob_positive"],
        "prob_positive": row["prob_negative"],
    }
    table[1] = ",".join(row.values())
    (other / "predictions.csv").write_text("\n".join(table) + "\n")

    result = subprocess.run(
        [sys.executable, "-c", code, "compare", run, other, "--out", tmp_path / "out"],
        capture_output=True,
        text=True,
    )

    assert result.returncode == 0, result.stderr
    assert "data:image/jpeg" in (tmp_path / "out" / "compare.html").read_text()


def test_one_source_cannot_be_compared(run):
    result = invoke("compare", run)

    assert result.exit_code == 2
    assert "name two or more" in result.stderr
