"""`fit` and `crossval`: the answer, the run folder, and what wrong input gives."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import pixsent_tf
from pixsent_tf.cli import cli
from pixsent_tf.runs import Run
from tests.float32 import assert_close_float32, operations_of
from tests.results import assert_told

CONTRACT = {
    "accuracy",
    "accuracy_interval",
    "majority_rate",
    "balanced_accuracy",
    "auc",
    "num_examples",
    "per_fold",
    "seconds",
    "out",
}


def invoke(*arguments: object):
    """Run the command in this process."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def fitted(colored_folder, tmp_path_factory):
    """A finished fit: its folder and the JSON it printed."""
    out = tmp_path_factory.mktemp("runs") / "fit"
    result = invoke("fit", colored_folder, "--out", out, "--json", "--quiet")
    assert result.exit_code == 0, result.output
    return out, json.loads(result.stdout)


def test_fit_prints_the_contract_and_nothing_else(fitted):
    out, results = fitted

    assert set(results) >= CONTRACT
    assert_told("fit", results)
    assert results["out"] == str(out)
    assert json.loads((out / "results.json").read_text()) == results


def test_fit_tells_dark_pictures_from_bright_ones(fitted):
    _, results = fitted

    assert results["accuracy"] == 1.0
    assert results["num_examples"] == 5  # a fifth of 24, as even as it goes
    assert results["majority_rate"] == 0.6


def test_the_run_folder_holds_what_it_promises(fitted):
    out, _ = fitted

    assert {path.name for path in out.iterdir()} == {
        "recipe.json",
        "environment.json",
        "pictures.csv",
        "decisions.json",
        "history.csv",
        "predictions.csv",
        "results.json",
        "model.keras",
        "folds",
    }


def test_predictions_name_each_held_out_picture_once(fitted):
    out, results = fitted
    rows = Run(out).read_table("predictions.csv")

    assert len({row["id"] for row in rows}) == len(rows) == results["num_examples"]
    for row in rows:
        assert row["id"].startswith(row["label"])
        probs = [float(row["prob_negative"]), float(row["prob_positive"])]
        assert sum(probs) == pytest.approx(1, abs=1e-6)
        assert probs[row["label"] == "positive"] > 0.5


@pytest.mark.journey
def test_the_saved_model_gives_the_same_probabilities_in_a_new_process(
    fitted, colored_folder
):
    out, _ = fitted
    rows = Run(out).read_table("predictions.csv")
    code = (
        "import sys, numpy as np, pixsent_tf\n"
        "model = pixsent_tf.load(sys.argv[1])\n"
        "rows = [p.probs for p in model.predict(sys.argv[3:])]\n"
        "np.save(sys.argv[2], rows)"
    )
    paths = [str(colored_folder / row["id"]) for row in rows]
    saved = out.parent / "probs.npy"
    subprocess.run([sys.executable, "-c", code, out, saved, *paths], check=True)

    expected = [[float(r["prob_negative"]), float(r["prob_positive"])] for r in rows]
    model = pixsent_tf.load(out).model
    assert_close_float32(np.load(saved), expected, operations=operations_of(model))


def test_crossval_predicts_every_picture_once(colored_folder, tmp_path):
    out = tmp_path / "cv"
    result = invoke(
        *(
            "crossval",
            colored_folder,
            "--num-folds",
            3,
            "--out",
            out,
            "--json",
            "--quiet",
        )
    )
    results = json.loads(result.stdout)
    rows = Run(out).read_table("predictions.csv")

    assert set(results) >= CONTRACT
    assert_told("crossval", results)
    assert results["num_examples"] == 24
    assert len({row["id"] for row in rows}) == 24
    for fold, accuracy in zip("123", results["per_fold"], strict=True):
        right = [
            (float(row["prob_positive"]) > 0.5) == (row["label"] == "positive")
            for row in rows
            if row["fold"] == fold
        ]
        assert accuracy == np.mean(right) >= 0.75


def test_a_corrupt_picture_is_named_and_the_run_goes_on(colored_folder, tmp_path):
    folder = tmp_path / "pictures"
    shutil.copytree(colored_folder, folder)
    broken = folder / "negative" / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    result = invoke("fit", folder, "--out", tmp_path / "run", "--json")

    assert result.exit_code == 0
    assert f"Warning: {broken}" in result.stderr
    unreadable = json.loads(result.stdout)["unreadable"]
    assert [row["id"] for row in unreadable] == ["negative/broken.jpg"]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (("--backbone", "resnext"), 2, "Unknown backbone 'resnext'"),
        (("--level", "five_agrees"), 2, "has no level 'five_agrees'"),
        (("--labels", "votes"), 1, "has no votes; leave --labels out"),
    ],
)
def test_wrong_options_are_one_line(
    colored_folder, tmp_path, arguments, exit_code, message
):
    result = invoke("fit", colored_folder, "--out", tmp_path / "run", *arguments)

    assert result.exit_code == exit_code
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert message in line


def test_an_output_folder_that_exists_is_left_alone(colored_folder, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    result = invoke("fit", colored_folder, "--out", tmp_path)

    assert result.exit_code == 1
    assert "exists already; name another folder with --out" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("level", "least"), [("five", 0.880), ("four", 0.820), ("three", 0.800)]
)
def test_deepsent_reaches_what_frozen_features_can(shared_data, tmp_path, level, least):
    result = invoke(
        *("crossval", shared_data / "deepsent", "--level", f"{level}_agrees"),
        *("--out", tmp_path / "run", "--json", "--quiet"),
    )

    assert json.loads(result.stdout)["accuracy"] >= least


@pytest.mark.journey
def test_sources_are_left_out_one_after_the_other(colored_folder, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(colored_folder, other)
    for path in other.rglob("*.png"):  # other pictures, so that none is a copy
        pixels = np.random.default_rng(int(path.stem)).integers(0, 80, (48, 64, 3))
        Image.fromarray((pixels + 170 * ("pos" in str(path))).astype("uint8")).save(
            path
        )
    out = tmp_path / "run"
    small = ["--backbone", "efficientnet_lite0@64", "--discard-models"]
    command = ["crossval", colored_folder, other, "--leave-source-out", *small]
    told = invoke(*command, "--out", out)
    results = json.loads((out / "results.json").read_text())

    assert told.exit_code == 0, told.output
    assert_told("crossval", results)
    names = [row["source"] for row in results["per_source"]]
    assert names == [colored_folder.name, "other"]
    assert "on other" in told.stdout
    evaluated = invoke("evaluate", out, "--fast", "--json")
    assert evaluated.exit_code == 0, evaluated.output
    again = json.loads(evaluated.stdout)["per_source"]
    assert [row["recalls"] for row in again] == [
        row["recalls"] for row in results["per_source"]
    ]
    assert "Each source" in (out / "evaluation" / "report.html").read_text()


def test_leaving_the_only_source_out_is_refused(colored_folder, tmp_path):
    out = ["--out", tmp_path / "run"]
    result = invoke("crossval", colored_folder, "--leave-source-out", *out)

    assert result.exit_code == 2
    assert "is a single source" in result.stderr
    result = invoke("crossval", "a", "b", "--leave-source-out", "--num-folds", 3)
    assert result.exit_code == 2
    assert "--num-folds does nothing with --leave-source-out" in result.stderr
