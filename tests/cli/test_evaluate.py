"""`evaluate`: a run by what it held out, a model by what is named."""

from __future__ import annotations

import csv
import json

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from pixsent_tf.cli import cli
from pixsent_tf.config import DataConfig, PreprocessConfig
from pixsent_tf.errors import ConfigError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models.output import RatingOutput
from pixsent_tf.studies.evaluate import evaluate
from tests.results import assert_told


def invoke(*arguments: object):
    """Run the command in this process."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def evaluated(run):
    result = invoke("evaluate", run, "--json", "--quiet")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_run_is_judged_by_the_pictures_it_held_out(run, evaluated):
    fitted = json.loads((run / "results.json").read_text())

    for name in ("accuracy", "auc", "num_examples", "majority_rate"):
        assert evaluated[name] == fitted[name]
    assert evaluated["coverage"] == 1
    assert evaluated["settings_tried"] > 1


def test_ten_crops_are_reported_beside_the_center(evaluated):
    assert evaluated["ten_crop"]["num_examples"] == evaluated["num_examples"]
    assert evaluated["ten_crop"]["accuracy"] == 1
    assert evaluated["notes"] == []  # the model says again what the run recorded


def test_everything_is_written_into_the_run(run, evaluated):
    folder = run / "evaluation"

    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("results.json", "environment.json", "predictions.csv", "report.html"),
        *("MODEL_CARD.md", "DATA_CARD.md"),
    }
    assert json.loads((folder / "results.json").read_text()) == evaluated
    assert_told("evaluate", evaluated)


def test_the_report_shows_maps_of_the_pictures(run, evaluated):
    page = (run / "evaluation" / "report.html").read_text()

    assert page.count("its sentiment map") == min(8, evaluated["num_examples"])
    assert page.count("<svg") == 4


def test_the_table_holds_both_answers(run, evaluated):
    with (run / "evaluation" / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))

    assert len(rows) == evaluated["num_examples"]
    for row in rows:
        center, ten = float(row["prob_positive"]), float(row["ten_crop_positive"])
        assert center == pytest.approx(ten, abs=0.3)
        assert (center > 0.5) == (row["label"] == "positive")


def test_a_second_evaluation_replaces_the_first(run, evaluated):
    assert invoke("evaluate", run, "--fast", "--quiet").exit_code == 0


def test_other_pictures_judge_the_bare_model(run, colored_folder, tmp_path):
    for name, level in (("negative", 30), ("positive", 220)):
        (tmp_path / "new" / name).mkdir(parents=True)
        for number in range(3):
            pixels = np.full((40, 50, 3), level + number, dtype="uint8")
            path = tmp_path / "new" / name / f"{number}.png"
            Image.fromarray(pixels).save(path)
    (tmp_path / "new" / "positive" / "bad.jpg").write_bytes(b"")

    result = invoke(
        *("evaluate", run / "model.keras", tmp_path / "new"),
        *("--out", tmp_path / "out", "--json", "--quiet"),
    )

    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert_told("evaluate", found)
    assert found["num_examples"] == 6
    assert found["coverage"] == 6 / 7
    assert found["unreadable"][0]["reason"] == "empty"
    assert (tmp_path / "out" / "report.html").is_file()


def test_labels_that_the_model_does_not_believe_are_listed(run, tmp_path):
    for name, levels in (("negative", (30, 225)), ("positive", (215, 220))):
        (tmp_path / "new" / name).mkdir(parents=True)
        for level in levels:
            pixels = np.full((40, 50, 3), level, dtype="uint8")
            Image.fromarray(pixels).save(tmp_path / "new" / name / f"{level}.png")

    result = invoke(
        *("evaluate", run / "model.keras", tmp_path / "new", "--fast"),
        *("--out", tmp_path / "out", "--json", "--quiet"),
    )

    assert result.exit_code == 0, result.output
    (suspect,) = json.loads(result.stdout)["suspects"]
    assert (suspect["label"], suspect["answer"]) == ("negative", "positive")
    assert suspect["path"].endswith("225.png")
    assert suspect["prob_label"] < 0.5
    assert "Labels to look at again" in (tmp_path / "out" / "report.html").read_text()


def test_intervals_are_drawn_over_groups(run, colored_folder, tmp_path):
    pictures = sorted(colored_folder.rglob("*.png"))
    rows = [
        f"{path},{path.parent.name},{'one' if i % 2 else f'own {i}'}"
        for i, path in enumerate(pictures)
    ]
    table = tmp_path / "table.csv"
    table.write_text("\n".join(["path,label,person", *rows]))

    def measure(*more: str) -> dict:
        out = tmp_path / f"out{len(more)}"
        asked = invoke(
            *("evaluate", run, table, "--fast", "--out", out, "--json", "--quiet"),
            *more,
        )
        assert asked.exit_code == 0, asked.output
        return json.loads(asked.stdout)

    alone, grouped = measure(), measure("--group", "person")

    assert alone["interval_unit"] == "picture"
    assert grouped["interval_unit"] == "group"
    assert grouped["accuracy"] == alone["accuracy"]


def test_pictures_that_trained_the_model_are_told(run, colored_folder, tmp_path):
    result = invoke(
        *("evaluate", run, colored_folder, "--fast", "--quiet"),
        *("--out", tmp_path / "out"),
    )

    tested = len((run / "predictions.csv").read_text().splitlines()) - 1
    assert result.exit_code == 0
    assert f"{24 - tested} of these 24 pictures trained this model" in result.stderr


def test_a_bare_model_without_pictures_is_bad_usage(run):
    result = invoke("evaluate", run / "model.keras")

    assert result.exit_code == 2
    assert "name the pictures to evaluate it on" in result.stderr


def test_other_classes_are_refused(run, tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (9, 9)).save(tmp_path / name / "a.png")

    result = invoke("evaluate", run, tmp_path, "--out", tmp_path / "out", "--quiet")

    assert result.exit_code == 1
    assert "has the classes cat, dog, the model negative, positive" in result.stderr


def test_a_model_of_ratings_is_not_asked_for_classes(colored_folder, tmp_path):
    crops = keras.Input((8, 8, 3), name="crops")
    ratings = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(crops))
    output = RatingOutput(("valence", "arousal"), (1, 7), (1.0, 1.0))
    network = keras.Model(crops, ratings)
    model = SentimentModel.wrap(network, PreprocessConfig(10, 8), output)
    model.save(tmp_path / "rated.keras")

    with pytest.raises(ConfigError, match=r"answers with ratings \(valence, arousal\)"):
        evaluate(tmp_path / "rated.keras", DataConfig(source=str(colored_folder)))
