"""The model that ships: its card tells what was measured, and it loads as trained."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from pixsent_tf import config
from pixsent_tf.config import DataConfig
from pixsent_tf.errors import WeightsError
from pixsent_tf.recipes.starters import SHIPPED
from pixsent_tf.runs import Run
from pixsent_tf.studies import ship


def test_the_card_states_what_was_measured():
    card = (ship.FOLDER / "MODEL_CARD.md").read_text("utf-8")
    numbers = json.loads((ship.FOLDER / "results.json").read_text("utf-8"))
    (at_95,) = (row for row in numbers["abstention"] if row["target"] == 0.95)

    for value in (numbers["accuracy"], numbers["auc"], numbers["ece"]):
        assert f"{value:.3f}" in card
    assert f"answers {at_95['coverage']:.3f} of the pictures" in card
    assert "license: apache-2.0" in card


def test_it_is_small_and_names_no_place_of_the_data():
    files = list(ship.FOLDER.iterdir())
    recipe = config.from_json((ship.FOLDER / "recipe.json").read_text("utf-8"))

    assert sum(path.stat().st_size for path in files) < 6e6
    assert recipe.model == SHIPPED.model
    assert (recipe.data.source, recipe.data.level) == ("", "five_agrees")


def test_it_answers_as_the_head_does():
    predictor = ship.load_predictor()
    with np.load(ship.FOLDER / "head.npz") as saved:
        kernel, bias, temperature = (
            saved[name] for name in ("kernel", "bias", "temperature")
        )
    backbone_output = predictor.classifier.get_layer("logits").input
    backbone = keras.Model(predictor.classifier.input, backbone_output)
    crops = np.random.default_rng(0).integers(0, 256, (2, 288, 288, 3)).astype("uint8")
    logits = (backbone(crops).numpy() @ kernel + bias) / temperature
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    assert predictor.class_names == ("negative", "positive")
    np.testing.assert_allclose(predictor.model(crops).numpy(), expected, atol=1e-5)


def test_as_a_file_it_is_written_once_and_is_the_same_model(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXSENT_CACHE", str(tmp_path))
    first = ship.model_file()
    written = first.stat().st_mtime_ns
    second = ship.model_file()

    weights = [
        ship.load_predictor(path).classifier.get_layer("logits").get_weights()
        for path in (None, first)
    ]
    assert second == first
    assert second.stat().st_mtime_ns == written
    for packed, loaded in zip(*weights, strict=True):
        np.testing.assert_array_equal(packed, loaded)


@pytest.mark.slow
def test_shipping_writes_what_loading_reads(colored_folder, tmp_path, monkeypatch):
    data = DataConfig(str(colored_folder), num_folds=3)
    numbers = ship.ship(data, Run.create(tmp_path / "run"), tmp_path / "shipped")
    monkeypatch.setattr(ship, "FOLDER", tmp_path / "shipped")
    predictor = ship.load_predictor()
    (found,) = predictor.predict([str(colored_folder / "positive" / "00.png")])

    assert numbers["num_examples"] == 24
    assert found.label == "positive"


def test_a_path_means_that_model(colored_folder, tmp_path):
    with pytest.raises(WeightsError, match="does not exist; give a run folder"):
        ship.load_predictor(tmp_path / "none.keras")
