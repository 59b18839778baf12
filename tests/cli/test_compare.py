"""`compare`: runs and tables of other programs."""

from __future__ import annotations

import csv
import json

from click.testing import CliRunner

from pixsent_tf.cli import cli


def invoke(*arguments: object):
    """Run the command in this process."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_a_run_compared_with_itself_does_not_differ(run, tmp_path):
    result = invoke("compare", run, run, "--json", "--out", tmp_path / "out")

    assert result.exit_code == 0, result.output
    (pair,) = json.loads(result.stdout)["pairs"]
    assert pair["mcnemar_p"] == 1
    assert pair["accuracy_difference"] == 0
    assert "fit (1) – fit (2)" in (tmp_path / "out" / "compare.html").read_text()


def test_a_table_of_another_program_is_compared_and_its_pictures_shown(run, tmp_path):
    with (run / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    answers = [("positive", "negative")[i % 2] for i in range(len(rows))]
    lines = [f"{row['id']},{answer}" for row, answer in zip(rows, answers, strict=True)]
    (tmp_path / "theirs.csv").write_text("\n".join(["id,label", *lines]) + "\n")

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


def test_one_source_cannot_be_compared(run):
    result = invoke("compare", run)

    assert result.exit_code == 2
    assert "name two or more" in result.stderr
