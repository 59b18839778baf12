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
from tests.small_network import SMALL


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


pytestmark = pytest.mark.usefixtures("small")


@pytest.fixture(scope="module")
def run(table, small, tmp_path_factory):
    """A finished fit: its folder and the JSON it printed."""
    out = tmp_path_factory.mktemp("runs") / "fit"
    targets = ("--target", "valence,arousal", "--scale", "1:7")
    return out, told("fit", table, *SMALL, *targets, "--out", out)


def test_fit_learns_ratings_and_tells_how_well(run):
    _, results = run

    assert_told("fit", results, case=1)
    assert [one["target"] for one in results["targets"]] == ["valence", "arousal"]
    assert results["targets"][0]["pearson_r"] > 0.8


def test_no_decision_of_a_run_of_ratings_saw_what_it_tested(run):
    found = told("audit", run[0])

    assert (found["leaks"], found["has_leak"]) == ([], False)
    assert found["folds"][0]["tested"] > 0


def test_crossval_tells_every_fold(table, tmp_path):
    target = (*SMALL, "--target", "valence", "--discard-models")
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
    told("fit", table, *SMALL, *threshold, "--out", tmp_path / "run")
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


@pytest.mark.journey
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


def test_maps_are_one_for_each_rating(run, table, tmp_path):
    Image.new("RGB", (300, 200), (90, 200, 200)).save(tmp_path / "a.png")
    results = told(
        "maps", tmp_path / "a.png", "--model", run[0], "--out", tmp_path / "maps"
    )
    (said,) = SentimentModel.load(run[0]).rate([str(tmp_path / "a.png")])

    assert_told("maps", results)
    assert results["maps"] == ["valence", "arousal"]
    with np.load(tmp_path / "maps" / "maps.npz") as stored:
        assert stored["names"].tolist() == ["valence", "arousal"]
        assert stored["cells"].shape[-1] == 2
        assert (stored["cells"] >= 1).all()
        assert (stored["cells"] <= 7).all()
        np.testing.assert_allclose(stored["probs"][0], said.ratings, atol=1e-3)


def test_maps_of_a_run_are_of_the_pictures_it_held_out(run, tmp_path):
    results = told("maps", "--model", run[0], "--limit", 2, "--out", tmp_path / "m")

    assert results["num_examples"] == 2


def test_a_check_of_maps_says_that_there_are_ratings(run, table):
    result = invoke("maps", table.parent / "aa.png", "--model", run[0], "--check")

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


@pytest.mark.journey
def test_tune_chooses_by_errors_on_inner_folds(table, tmp_path):
    arguments = ("--target", "valence,arousal", "--scale", "1:7", "--no-nested")
    results = told(
        *("tune", table, *arguments, "--backbones", "efficientnet_lite0@64"),
        *("--trials", 3, "--out", tmp_path / "t"),
    )
    with (tmp_path / "t" / "trials.csv").open() as file:
        trials = list(csv.DictReader(file))

    assert_told("tune", results, case=1)
    assert results["targets"][0]["pearson_r"] > 0.7
    losses = [float(row["loss"]) for row in trials]
    assert results["winners"][0]["inner_loss"] == min(losses)
    assert all(float(row["pearson_r"]) > 0.5 for row in trials)
    said = told("predict", table.parent / "aa.png", "--model", tmp_path / "t")
    assert set(said["ratings"]) == {"valence", "arousal"}


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["last-blocks", "lp-ft"])
def test_fit_and_tune_learn_ratings_by_descent(table, tmp_path, strategy):
    small = ("--backbone", "efficientnet_lite0@64", "--target", "valence")
    results = told(
        *("fit", table, *small, "--strategy", strategy, "--epochs", 4),
        *("--set", "training.rating_loss=huber", "--out", tmp_path / "f"),
    )
    searched = told(
        *("tune", table, "--target", "valence", "--strategies", f"head,{strategy}"),
        *("--backbones", "efficientnet_lite0@64", "--trials", 2, "--epochs", 1),
        *("--no-nested", "--out", tmp_path / "t"),
    )

    assert_told("fit", results, case=1)
    assert_told("tune", searched, case=1)
    (one,) = results["targets"]
    assert one["pearson_r"] > 0.5
    assert one["coverage"]["nominal"] == 0.9


@pytest.mark.journey
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
    assert "--ratings is what 'shipped' and 'shipped-best' say" in result.stderr


@pytest.mark.journey
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


@pytest.mark.journey
@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_score_gives_the_rows_of_predict(run, table, tmp_path, ending):
    pytest.importorskip("apache_beam")
    import pandas as pd

    (tmp_path / "pictures").mkdir()
    for name in ("aa", "bb"):
        picture = (table.parent / f"{name}.png").read_bytes()
        (tmp_path / "pictures" / f"{name}.png").write_bytes(picture)
    (tmp_path / "pictures" / "no.png").write_bytes(b"no picture")
    scored = tmp_path / f"scored.{ending}"

    told("score", tmp_path / "pictures", "--model", run[0], "--out", scored)
    invoke("predict", tmp_path / "pictures", "--model", run[0], "--out", tmp_path / "p")

    read = pd.read_csv if ending == "csv" else pd.read_parquet
    expected = pd.read_csv(tmp_path / "p")
    pd.testing.assert_frame_equal(
        read(scored), expected, check_dtype=False, atol=1e-4, rtol=1e-4
    )
    assert expected["status"].tolist() == ["ok", "ok", "not_an_image"]


@pytest.mark.journey
def test_score_at_a_threshold_answers_with_classes(run, table, tmp_path):
    pytest.importorskip("apache_beam")
    picture, out = table.parent / "aa.png", tmp_path / "scored.csv"
    threshold = ("--threshold", 4, "--model")

    told("score", picture, *threshold, run[0], "--out", out)
    said = told("predict", picture, *threshold, run[0])

    (row,) = csv.DictReader(out.read_text().splitlines())
    assert float(row["prob_positive"]) == pytest.approx(said["prob_positive"], abs=1e-4)
    exported = json.loads(
        invoke("export", run[0], "--out", tmp_path / "m", "--json").stdout
    )
    refused = invoke("score", picture, *threshold, exported["out"], "--out", out)
    assert refused.exit_code == 2
    assert "make it with `pixsent-tf export --threshold`" in refused.output


@pytest.mark.parametrize(
    ("form", "quantize"), [("tflite", "none"), ("tflite", "int8"), ("onnx", "none")]
)
def test_a_file_for_phones_gives_the_ratings_of_the_model(
    run, table, tmp_path, form, quantize
):
    from pixsent_tf.serving import onnx, tflite

    if form == "onnx":
        pytest.importorskip("tf2onnx")
    out = tmp_path / f"rated.{form}"
    options = ("--quantize", quantize) if form == "tflite" else ()
    exported = invoke(
        *("export", run[0], "--format", form, "--out", out, "--json", *options),
        *("--max-drop", 0.05),
    )
    assert exported.exit_code == 0, exported.output
    results = json.loads(exported.stdout)
    model = SentimentModel.load(run[0])
    open_runtime = onnx.open_runtime if form == "onnx" else tflite.open_runtime
    pixels = np.asarray(Image.open(table.parent / "aa.png"))
    canvas = model.preprocessor.to_canvas(pixels)
    crop = np.asarray(model.preprocessor.center_crop(canvas[None]))

    assert_told("export", results, case=1)
    assert results["class_names"] == []
    assert results["rating"]["targets"] == ["valence", "arousal"]
    assert results["output"] == {
        "name": "ratings",
        "dtype": "float32",
        "shape": ["B" if form == "onnx" else 1, 2],
    }
    atol = 0.5 if quantize == "int8" else 1e-3
    np.testing.assert_allclose(
        open_runtime(str(out), 1)(crop), model.score(crop), atol=atol
    )
    kept = run[1]["targets"]
    scores = {one["name"]: one for one in results["scores"]}
    mean_r = np.mean([one["pearson_r"] for one in kept])
    assert scores["keras"]["pearson_r"] == pytest.approx(mean_r, abs=1e-3)
    mean_rmse = np.mean([one["rmse"] for one in kept])
    assert scores["keras"]["rmse"] == pytest.approx(mean_rmse, abs=1e-2)
    assert "ratings from 1 to 7: valence, arousal" in out.with_suffix(".md").read_text()


def test_the_better_model_that_ships_has_ratings_too():
    from pixsent_tf.inference import shipped

    assert all(map(shipped.comes_with_ratings, shipped.NAMES))


@pytest.fixture(scope="module")
def other_world(tmp_path_factory):
    """Pictures whose valence falls with brightness, by 40 raters' tables."""
    path = write_rated(tmp_path_factory.mktemp("other"), seed=5)
    header, *lines = path.read_text().splitlines()
    rows = [line.split(",") for line in lines]
    for row in rows:
        row[1] = f"{8 - float(row[1]):.4f}"
    path.write_text("\n".join([header, *map(",".join, rows)]) + "\n")
    return path


def test_adapt_learns_how_other_people_rate(run, other_world, tmp_path):
    out = tmp_path / "adapted"
    results = told("adapt", other_world, "--model", run[0], "--out", out)
    before, after = (results[part]["targets"] for part in ("before", "after"))

    assert_told("adapt", results, case=1)
    assert results["choice"] == "head"
    assert before[0]["pearson_r"] < 0 < 0.8 < after[0]["pearson_r"]
    assert after[0]["rmse"] < before[0]["rmse"]
    assert after[1]["pearson_r"] > 0.8  # the other target stays what it was
    valence = results["differences"][0]
    assert valence["rmse_difference_interval"][1] < 0
    for one in after:
        assert one["coverage"]["observed"] == pytest.approx(0.9, abs=0.1)
    again = told("evaluate", out, "--fast")
    assert again["targets"][0]["rmse"] == pytest.approx(after[0]["rmse"], abs=1e-4)


def test_adapted_ratings_are_those_of_the_saved_model(run, other_world, tmp_path):
    out = tmp_path / "adapted"
    results = told("adapt", other_world, "--model", run[0], "--out", out)
    files = sorted(map(str, other_world.parent.glob("*.png")))
    said = [one.ratings[0] for one in SentimentModel.load(out).rate(files)]
    lines = sorted(other_world.read_text().splitlines()[1:])
    valence = [float(line.split(",")[1]) for line in lines]

    assert (
        np.corrcoef(said, valence)[0, 1] > results["after"]["targets"][0]["pearson_r"]
    )


def test_ratings_of_the_same_kind_hardly_move_a_model(run, table, tmp_path):
    fresh = write_rated(tmp_path, seed=9)
    results = told("adapt", fresh, "--model", run[0], "--out", tmp_path / "adapted")

    for before, after in zip(
        results["before"]["targets"], results["after"]["targets"], strict=True
    ):
        assert after["rmse"] < before["rmse"] * 1.05


def test_adapt_refuses_too_few_ratings(run, table, tmp_path):
    few = table.with_name("few.csv")
    few.write_text("\n".join(table.read_text().splitlines()[:8]) + "\n")
    result = invoke("adapt", few, "--model", run[0], "--out", tmp_path / "a")

    assert result.exit_code == 2
    assert "adapting needs 10: 3 more" in result.stderr
