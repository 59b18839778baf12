from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from pixsent_tf.cli import cli
from tests.float32 import rounding
from tests.results import assert_told
from tests.serving.conftest import OPERATIONS


def invoke(*arguments):
    return CliRunner().invoke(cli, ["export", *map(str, arguments)])


def test_a_saved_model_is_exported_and_checked(tiny_run, tmp_path):
    result = invoke(tiny_run.path, "--out", tmp_path, "--serve-check", "--json")

    answer = json.loads(result.stdout)
    assert_told("export", answer)
    assert answer["out"] == str(tmp_path / "sentiment" / "1")
    largest = rounding(operations=OPERATIONS, scale=1)
    assert answer["serve_check_difference"] <= largest
    assert (tmp_path / "sentiment" / "1" / "saved_model.pb").is_file()


def test_versions_follow_each_other(tiny_run, tmp_path):
    (tmp_path / "mood" / "4").mkdir(parents=True)

    result = invoke(tiny_run.path, "--out", tmp_path, "--name", "mood", "--json")

    answer = json.loads(result.stdout)
    assert_told("export", answer)
    assert answer["version"] == 5


def test_a_quantized_file_comes_with_its_table(tiny_run, tmp_path):
    path = tmp_path / "small.tflite"

    result = invoke(
        tiny_run.path, "--format", "tflite", "--quantize", "float16", "--out", path
    )

    assert result.exit_code == 0
    names = [line.split("  ")[0] for line in result.stdout.splitlines()[:4]]
    assert names == ["model", "keras", "tflite float", "tflite float16"]
    assert path.with_suffix(".md").is_file()


def test_a_file_is_told_with_its_scores(tiny_run, tmp_path):
    path = tmp_path / "model.tflite"

    result = invoke(tiny_run.path, "--format", "tflite", "--out", path, "--json")

    answer = json.loads(result.stdout)
    assert_told("export", answer, case=1)
    assert answer["out"] == str(path)
    assert [score["name"] for score in answer["scores"]] == ["keras", "tflite float"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--quantize", "int8"], "--quantize does nothing with --format sav"),
        (["--format", "tflite", "--serve-check"], "--serve-check does nothing"),
    ],
)
def test_options_that_do_not_go_together_are_bad_usage(tmp_path, options, said):
    result = invoke(tmp_path, *options)

    assert result.exit_code == 2
    assert said in result.stderr


def test_a_folder_that_is_no_run_fails_with_one_line(tmp_path):
    result = invoke(tmp_path)

    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "no run folder" in result.stderr
