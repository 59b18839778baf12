from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pixsent_tf.errors import ExportError
from pixsent_tf.serving import tflite
from pixsent_tf.serving.samples import Samples
from pixsent_tf.serving.scored_export import export_file, score_contents
from tests.float32 import rounding
from tests.serving.conftest import OPERATIONS


@pytest.fixture(scope="module")
def made(tiny_run, tmp_path_factory):
    path = tmp_path_factory.mktemp("scored") / "tiny-int8.tflite"
    return export_file(tiny_run, path, quantize="int8")


def test_the_export_stands_beside_keras_and_the_float_file(made):
    names = [score.name for score in made.scores]

    assert names == ["keras", "tflite float", "tflite int8"]
    assert made.scores[1].max_change <= rounding(operations=OPERATIONS, scale=1)


def test_the_accuracy_is_that_of_the_held_out_pictures(
    made, tiny_model, colored_folder
):
    right = 0
    for label, name in enumerate(("negative", "positive")):
        for number in range(0, 12, 3):
            image = Image.open(colored_folder / name / f"{number:02}.png")
            probs = tiny_model.model(np.asarray(image)[None], training=False).numpy()[0]
            right += int(probs.argmax() == label)

    assert made.scores[0].accuracy == right / 8


def test_the_json_beside_it_says_what_an_app_must_know(made):
    description = json.loads(made.path.with_suffix(".json").read_text())

    assert description["input"] == {
        "name": "crops",
        "dtype": "uint8",
        "shape": [1, 16, 16, 3],
    }
    assert description["class_names"] == ["negative", "positive"]
    assert description["num_examples"] == 8
    assert description["size_bytes"] == made.path.stat().st_size


def test_the_card_says_how_to_make_the_crop(made):
    card = made.path.with_suffix(".md").read_text()

    assert "Resize the upright picture to 20x20 pixels" in card
    assert "| tflite int8 |" in card


def test_an_export_that_loses_too_much_is_not_written(tiny_run, tmp_path, monkeypatch):
    wrong = np.tile(np.float32([[0.9, 0.1], [0.1, 0.9]]), (4, 1))  # half of them right
    right = np.repeat(np.float32([[0.9, 0.1], [0.1, 0.9]]), 4, axis=0)
    monkeypatch.setattr("pixsent_tf.serving.scorecard.keras_probs", lambda *_: right)
    monkeypatch.setattr("pixsent_tf.serving.scorecard.probs_of", lambda *_: wrong)

    with pytest.raises(ExportError, match=r"loses 0\.5000"):
        export_file(tiny_run, tmp_path / "bad.tflite", max_drop=0.01)

    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_refused_before_any_work(tmp_path, tiny_run):
    (tmp_path / "model.tflite").touch()

    with pytest.raises(ExportError, match="exists already"):
        export_file(tiny_run, tmp_path / "model.tflite")


def test_no_readable_picture_is_refused(tiny_model):
    none = np.zeros((0, 16, 16, 3), "uint8")
    samples = Samples(none, np.zeros(0, int), none)

    with pytest.raises(ExportError, match="None of the pictures"):
        score_contents({}, tiny_model, samples, tflite.open_runtime)


def test_a_quantized_file_that_loses_too_much_is_refused_and_a_good_one_kept(
    tiny_run, tmp_path, monkeypatch
):
    right = np.repeat(np.float32([[0.9, 0.1], [0.1, 0.9]]), 4, axis=0)
    wrong = right[::-1]
    monkeypatch.setattr("pixsent_tf.serving.scorecard.keras_probs", lambda *_: right)
    found = iter([right, wrong, wrong, right])  # float and int8, twice
    monkeypatch.setattr("pixsent_tf.serving.scorecard.probs_of", lambda *_: next(found))

    with pytest.raises(ExportError, match=r"tflite int8 loses 1\.0000"):
        export_file(tiny_run, tmp_path / "a.tflite", quantize="int8", max_drop=0.01)
    made = export_file(tiny_run, tmp_path / "b.tflite", quantize="int8", max_drop=0.01)

    assert [score.accuracy for score in made.scores] == [1, 0, 1]
    assert not (tmp_path / "a.tflite").exists()


@pytest.mark.filterwarnings(r"ignore:\s*Warning. tf.lite.Interpreter is dep")
def test_what_is_written_is_the_quantized_file(made):
    content = made.path.read_bytes()[: made.scores[-1].size_bytes]
    runner = tf.lite.Interpreter(model_content=content)

    kinds = {each["dtype"] for each in runner.get_tensor_details()}
    assert np.int8 in kinds
