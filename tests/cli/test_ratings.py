"""Ratings from a table to a served model, by every verb that knows them."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from pixsent_tf.cli import cli
from pixsent_tf.inference.model import SentimentModel
from tests.rated_pictures import write_rated
from tests.results import assert_told


def invoke(*arguments: object):
    """Run the command in this process."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def told(*arguments: object):
    """What a command prints as JSON."""
    result = invoke(*arguments, "--json", "--quiet")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return write_rated(tmp_path_factory.mktemp("rated"))


@pytest.fixture(scope="module")
def run(table, tmp_path_factory):
    """A finished fit: its folder and the JSON it printed."""
    out = tmp_path_factory.mktemp("runs") / "fit"
    targets = ("--target", "valence,arousal", "--scale", "1:7")
    return out, told("fit", table, *targets, "--out", out)


def test_fit_learns_ratings_and_tells_how_well(run):
    _, results = run

    assert_told("fit", results, case=1)
    assert [one["target"] for one in results["targets"]] == ["valence", "arousal"]
    assert results["targets"][0]["pearson_r"] > 0.8


def test_crossval_tells_every_fold(table, tmp_path):
    target = ("--target", "valence", "--discard-models")
    results = told(
        "crossval", table, *target, "--num-folds", 3, "--out", tmp_path / "c"
    )

    assert_told("crossval", results, case=1)
    assert len(results["targets"][0]["per_fold_r"]) == 3
    again = invoke(
        "crossval", table, *target, "--num-folds", 3, "--out", tmp_path / "c"
    )
    assert "intervals" in again.stdout
    assert "another panel" in again.stdout


def test_predict_adds_each_rating_with_its_interval(run, table):
    pictures = [table.parent / "aa.png", table.parent / "ab.png"]
    rows = list(
        csv.DictReader(
            io.StringIO(
                invoke("predict", *pictures, "--model", run[0], "--quiet").stdout
            )
        )
    )
    lines = invoke("predict", *pictures, "--model", run[0], "--quiet", "--json").stdout
    (first, _) = map(json.loads, lines.splitlines())

    assert_told("predict", first, case=1)
    assert list(rows[0]) == [
        *("path", "answer_valence", "low_valence", "high_valence"),
        *("answer_arousal", "low_arousal", "high_arousal", "status"),
    ]
    assert float(rows[0]["answer_valence"]) == first["ratings"]["valence"]
    assert first["low"]["valence"] < first["ratings"]["valence"]


def test_predict_at_a_threshold_answers_with_classes(run, table):
    found = invoke(
        *("predict", table.parent / "aa.png", "--model", run[0]),
        *("--threshold", 4, "--json", "--quiet"),
    )

    assert set(json.loads(found.stdout)["probs"]) == {"negative", "positive"}


def test_a_file_that_is_no_picture_gets_a_row_and_the_exit_code(run, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    result = invoke(
        "predict", tmp_path / "a.png", "--model", run[0], "--json", "--quiet"
    )

    assert result.exit_code == 1
    row = json.loads(result.stdout)
    assert_told("predict", row, case=1)
    assert row["ratings"] is None


def test_evaluate_writes_a_page_with_scatter_and_residuals(run, table, tmp_path):
    results = told("evaluate", run[0])

    assert_told("evaluate", results, case=1)
    for one, before in zip(results["targets"], run[1]["targets"], strict=True):
        for name in ("pearson_r", "ccc", "rmse"):
            assert one[name] == pytest.approx(before[name], abs=1e-4)
        assert one["ceiling"] == before["ceiling"]
    page = (run[0] / "evaluation" / "report.html").read_text("utf-8")
    for part in ("scatter-valence", "residuals-arousal", "another panel", "too high"):
        assert part in page
    card = (run[0] / "evaluation" / "MODEL_CARD.md").read_text("utf-8")
    assert f"| Pearson r | {results['targets'][0]['pearson_r']:.3f} |" in card
    elsewhere = told("evaluate", run[0], table, "--fast", "--out", tmp_path / "e")
    assert elsewhere["num_examples"] == 60
    assert any("trained this model" in note for note in elsewhere["notes"])


def test_evaluate_at_a_threshold_judges_answers(run, table, colored_folder, tmp_path):
    own = told("evaluate", run[0], "--threshold", 4, "--fast", "--out", tmp_path / "a")
    bright = told(
        *("evaluate", run[0], colored_folder, "--threshold", 4, "--fast"),
        *("--out", tmp_path / "b"),
    )

    assert_told("evaluate", own)
    assert own["num_examples"] == run[1]["num_examples"]
    assert bright["auc"] > 0.9  # ratings of brightness tell dark from bright


def test_classes_are_judged_by_ratings_at_a_threshold(table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    threshold = ("--threshold", 4)
    told("fit", table, *threshold, "--out", tmp_path / "run")
    found = told(
        "evaluate", tmp_path / "run", table, *threshold, "--fast", "--out", "e"
    )

    assert found["num_examples"] == 60
    both = told_pairs("compare", tmp_path / "run", tmp_path / "run")
    assert both["pairs"][0]["mcnemar_p"] == 1


def told_pairs(*arguments: object):
    """What `compare`, which has no progress to be quiet about, prints."""
    result = invoke(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_compare_tells_correlation_and_error_of_two_runs(run):
    results = told_pairs("compare", run[0], run[0])

    assert_told("compare", results, case=1)
    assert [pair["target"] for pair in results["pairs"]] == ["valence", "arousal"]
    assert results["pairs"][0]["rmse_difference"] == 0
    as_classes = told_pairs("compare", run[0], run[0], "--threshold", 4)
    assert as_classes["pairs"][0]["accuracy_difference"] == 0


def test_a_saved_model_gives_ratings_with_their_intervals(run, table, tmp_path):
    import tensorflow as tf

    out = tmp_path / "models"
    exported = invoke("export", run[0], "--out", out, "--serve-check", "--json")
    assert exported.exit_code == 0, exported.output
    content = (table.parent / "aa.png").read_bytes()
    loaded = tf.saved_model.load(json.loads(exported.stdout)["out"])
    served = loaded.signatures["serving_default"](tf.constant([content, b"none"]))
    (expected,) = SentimentModel.load(run[0]).rate([str(table.parent / "aa.png")])

    np.testing.assert_allclose(served["ratings"][0], expected.ratings, atol=1e-3)
    np.testing.assert_allclose(served["low"][0], expected.low, atol=1e-3)
    assert served["target_names"][0].numpy().tolist() == [b"valence", b"arousal"]
    assert served["valid"].numpy().tolist() == [True, False]
    assert served["high"][1].numpy().tolist() == [7, 7]


@pytest.mark.parametrize(
    "arguments",
    [
        ("maps",),
        ("export", "--format", "tflite"),
        ("score", "--out", "scores.parquet"),
    ],
)
def test_a_verb_of_classes_says_that_there_are_ratings(
    run, table, arguments, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    verb, *rest = arguments
    place = (
        [run[0]] if verb == "export" else [table.parent / "aa.png", "--model", run[0]]
    )
    result = invoke(verb, *place, *rest)

    assert result.exit_code in (1, 2)
    assert "answers with ratings (valence, arousal)" in result.stderr
    assert "Traceback" not in result.stderr


def test_maps_at_a_threshold_show_where_it_is_bright(run, table, tmp_path):
    Image.new("RGB", (300, 200), (90, 200, 200)).save(tmp_path / "a.png")
    result = invoke(
        *("maps", tmp_path / "a.png", "--model", run[0], "--threshold", 4),
        *("--out", tmp_path / "maps", "--json", "--quiet"),
    )

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["num_examples"] == 1


def test_tune_says_that_ratings_need_no_search(table):
    result = invoke("tune", table, "--set", "data.target=valence")

    assert result.exit_code == 2
    assert "`crossval --target` chooses" in result.stderr


def test_the_model_that_ships_adds_valence_and_arousal(table):
    pictures = [table.parent / "aa.png", table.parent / "ab.png"]
    plain = invoke("predict", *pictures, "--quiet").stdout.splitlines()
    result = invoke("predict", *pictures, "--ratings", "--quiet")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    lines = invoke("predict", *pictures, "--ratings", "--quiet", "--json").stdout
    first = json.loads(lines.splitlines()[0])

    assert result.exit_code == 0, result.output
    assert_told("predict", first)
    assert list(rows[0])[:5] == plain[0].split(",")
    assert list(rows[0])[5:8] == ["answer_valence", "low_valence", "high_valence"]
    assert 1 <= float(rows[0]["low_arousal"]) <= float(rows[0]["answer_arousal"]) <= 7
    assert first["ratings"]["valence"] == float(rows[0]["answer_valence"])


def test_ratings_beside_answers_are_of_the_model_that_ships_only(run, table):
    result = invoke(
        *("predict", table.parent / "aa.png", "--model", run[0]), "--ratings"
    )

    assert result.exit_code == 2
    assert "--ratings is what the model 'shipped' says" in result.stderr


def test_the_served_model_that_ships_gives_what_predict_gives(table, tmp_path):
    import tensorflow as tf

    exported = invoke("export", "shipped", "--ratings", "--out", tmp_path, "--json")
    assert exported.exit_code == 0, exported.output
    picture = table.parent / "aa.png"
    loaded = tf.saved_model.load(json.loads(exported.stdout)["out"])
    served = loaded.signatures["serving_default"](tf.constant([picture.read_bytes()]))
    said = json.loads(invoke("predict", picture, "--ratings", "--json").stdout)

    np.testing.assert_allclose(
        served["ratings"][0], list(said["ratings"].values()), atol=2e-3
    )
    np.testing.assert_allclose(
        served["prob_positive"][0], said["prob_positive"], atol=2e-3
    )
    crops = loaded.signatures["crops10"](tf.constant([picture.read_bytes()]))
    assert 1 <= float(crops["low"][0, 0]) <= float(crops["ratings"][0, 0]) <= 7
