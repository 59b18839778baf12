"""`tune`: the answer, the run folder, and what wrong input gives."""

from __future__ import annotations

import json
import shutil

import pytest
from click.testing import CliRunner

from pixsent_tf.cli import cli
from pixsent_tf.runs import Run
from tests.results import assert_told


def invoke(*arguments: object):
    """Run the command in this process."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def tuned(colored_folder, small, tmp_path_factory):
    """A finished search: its folder, and what it printed."""
    out = tmp_path_factory.mktemp("runs") / "tune"
    result = invoke(
        *("tune", colored_folder, "--backbones", "small"),
        *("--trials", 2, "--num-folds", 2, "--out", out, "--json", "--quiet"),
    )
    assert result.exit_code == 0, result.output
    return out, result


def test_the_answer_is_one_json_object(tuned):
    out, result = tuned

    results = json.loads(result.stdout)
    assert results == json.loads((out / "results.json").read_text())
    assert_told("tune", results)
    assert results["num_examples"] == 24
    assert results["settings_tried"] == 4
    assert len(results["winners"]) == 2
    assert result.stderr == ""


def test_the_run_folder_holds_what_it_promises(tuned):
    out, _ = tuned

    assert {path.name for path in out.iterdir()} == {
        *("recipe.json", "environment.json", "search.json", "results.json"),
        *("predictions.csv", "trials.csv", "trials.svg", "decisions.json"),
        *("folds", "search", "tensorboard", "pictures.csv"),
    }


def test_people_get_a_table_of_trials_and_the_winners(tuned, colored_folder):
    out, _ = tuned  # it is finished: this only prints

    result = invoke(
        *("tune", colored_folder, "--backbones", "small"),
        *("--trials", 2, "--num-folds", 2, "--out", out, "--quiet"),
    )

    assert result.exit_code == 0, result.output
    assert "winner of 2" in result.stdout
    assert "best 4 of 4 trials, by inner folds" in result.stdout


def test_audit_proves_it_and_finds_a_planted_violation(tuned, tmp_path):
    import shutil

    out, _ = tuned
    honest = invoke("audit", out)
    copy = shutil.copytree(out, tmp_path / "copy")
    record = Run(copy).read_json("decisions.json")
    first = record["folds"][0]
    first["decisions"][0]["validated"].append(first["tested"][0])
    Run(copy).write_json("decisions.json", record)
    planted = invoke("audit", copy)

    assert honest.exit_code == 0
    assert "fold 1: search saw 12, training saw 12; tested 12" in honest.stdout
    assert "No leak was found." in honest.stdout
    assert planted.exit_code == 1
    assert "leak in fold 1: search validated on " in planted.stdout
    assert "A leak was found." in planted.stdout
    findings = json.loads(invoke("audit", copy, "--json").stdout)
    assert_told("audit", findings, case=1)
    assert findings["has_leak"] is True


def test_audit_of_a_run_that_recorded_nothing_is_one_line(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "decisions.json").unlink()
    result = invoke("audit", tmp_path / "run")

    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "holds no decisions.json" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (("--backbones", "lenet"), 2, "Unknown backbone 'lenet'"),
        (("--set", "model.backbone=lenet"), 2, "which draws it for each trial"),
    ],
)
def test_wrong_options_are_one_line(
    colored_folder, tmp_path, arguments, exit_code, message
):
    result = invoke("tune", colored_folder, "--out", tmp_path / "run", *arguments)

    assert result.exit_code == exit_code
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert message in line
