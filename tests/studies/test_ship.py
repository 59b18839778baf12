"""The model that ships: its card tells what was measured; shipping is repeatable."""

from __future__ import annotations

import json

import pytest

from pixsent_tf import config
from pixsent_tf.config import DataConfig
from pixsent_tf.inference import shipped
from pixsent_tf.recipes.starters import SHIPPED
from pixsent_tf.runs import Run
from pixsent_tf.studies import ship


def test_the_card_states_what_was_measured():
    card = (shipped.FOLDER / "MODEL_CARD.md").read_text("utf-8")
    numbers = json.loads((shipped.FOLDER / "results.json").read_text("utf-8"))
    (at_95,) = (row for row in numbers["abstention"] if row["target"] == 0.95)

    for value in (numbers["accuracy"], numbers["auc"], numbers["ece"]):
        assert f"{value:.3f}" in card
    assert f"answers {at_95['coverage']:.3f} of the pictures" in card
    assert "license: apache-2.0" in card


def test_it_is_small_and_names_no_place_of_the_data():
    files = list(shipped.FOLDER.iterdir())
    recipe = config.from_json((shipped.FOLDER / "recipe.json").read_text("utf-8"))

    assert sum(path.stat().st_size for path in files) < 6e6
    assert recipe.model == SHIPPED.model
    assert (recipe.data.source, recipe.data.level) == ("", "five_agrees")


@pytest.mark.slow
def test_shipping_writes_what_loading_reads(colored_folder, tmp_path, monkeypatch):
    data = DataConfig(str(colored_folder), num_folds=3)
    numbers = ship.ship(data, Run.create(tmp_path / "run"), tmp_path / "shipped")
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "shipped")
    model = shipped.load_model()
    (found,) = model.predict([str(colored_folder / "positive" / "00.png")])

    assert numbers["num_examples"] == 24
    assert found.answer == "positive"
