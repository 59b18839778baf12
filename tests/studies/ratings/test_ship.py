"""The second head that ships is measured, and written beside the first."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from pixsent_tf.inference import shipped
from pixsent_tf.studies.ratings.ship import ship_ratings
from tests.rated_pictures import write_rated


def test_numbers_go_to_the_card_and_weights_beside_the_first_head(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(shipped.folder_of("shipped"), folder)
    (tmp_path / "rated").mkdir()
    table = write_rated(tmp_path / "rated")

    numbers = ship_ratings("shipped", str(table), folder=folder)
    results = json.loads((folder / "results.json").read_text())
    card = (folder / "MODEL_CARD.md").read_text("utf-8")
    with np.load(folder / "ratings.npz") as saved:
        assert saved["kernel"].shape == (1280, 2)
        assert saved["targets"].tolist() == ["valence", "arousal"]
    assert results["ratings"] == numbers
    assert "within" in results  # what the first head is worth stays
    first = numbers["targets"][0]
    assert f"| Pearson r | {first['pearson_r']:.3f} (" in card
    assert numbers["num_examples"] == 60


@pytest.mark.parametrize("name", ["shipped", "shipped-best"])
def test_the_card_that_ships_tells_what_the_second_head_is_worth(name):
    folder = shipped.folder_of(name)
    numbers = json.loads((folder / "results.json").read_text())["ratings"]
    card = (folder / "MODEL_CARD.md").read_text("utf-8")

    for one in numbers["targets"]:
        assert f"{one['pearson_r']:.3f}" in card
        assert one["coverage"]["observed"] == pytest.approx(0.9, abs=0.03)
