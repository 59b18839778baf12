"""The models that ship: their cards tell what was measured; shipping is repeatable."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from pixsent_tf import config
from pixsent_tf.inference import light, shipped
from pixsent_tf.recipes import find_recipe
from pixsent_tf.studies import ship


@pytest.fixture(params=shipped.NAMES)
def name(request):
    return request.param


def test_the_card_states_what_was_measured_for_each_source(name):
    folder = shipped.folder_of(name)
    card = (folder / "MODEL_CARD.md").read_text("utf-8")
    numbers = json.loads((folder / "results.json").read_text("utf-8"))

    for part in ("within", "across"):
        assert [row["source"] for row in numbers[part]] == [
            "deepsent-five_agrees",
            "oasis",
        ]
        for row in numbers[part]:
            told = ("accuracy", "balanced_accuracy", "auc", "ece")
            values = [row[key] for key in told] + [*row["recalls"].values()]
            values += [row["answering"]["coverage"]]
            for value in values:
                assert f"{value:.3f}" in card
    assert "offered by its authors for\nfree use" in card


def test_it_is_as_good_as_it_was_meant_to_be(name):
    text = (shipped.folder_of(name) / "results.json").read_text("utf-8")
    numbers = json.loads(text)
    (deepsent, _), across = numbers["within"], numbers["across"]

    assert deepsent["auc"] >= 0.945
    assert min(row["balanced_accuracy"] for row in across) >= 0.72
    assert numbers["gated"] <= 0.02


def test_it_is_small_and_names_no_place_of_the_data(name):
    folder = shipped.folder_of(name)
    recipe = config.from_json((folder / "recipe.json").read_text("utf-8"))

    assert (folder / "head.npz").stat().st_size < 1e5
    assert recipe.model == find_recipe(name).model
    assert (recipe.data.source, recipe.data.more_sources) == ("", ())


@pytest.mark.slow
def test_shipping_writes_what_loading_reads(colored_folder, tmp_path, monkeypatch):
    other = tmp_path / "other"
    shutil.copytree(colored_folder, other)
    for path in other.rglob("*.png"):  # other pictures, so that none is a copy
        pixels = np.random.default_rng(int(path.stem)).integers(0, 80, (48, 64, 3))
        pixels += 170 * ("positive" in str(path))
        Image.fromarray(pixels.astype("uint8")).save(path)
    folder = tmp_path / "shipped"
    sources = [str(colored_folder), str(other)]
    numbers = ship.ship("shipped", sources, folder=folder, num_drawn=2, level=None)
    monkeypatch.setattr(light, "FOLDER", folder)
    monkeypatch.setenv("PIXSENT_CACHE", str(tmp_path / "cache"))
    model = shipped.load_model()

    with np.load(folder / "head.npz") as saved:
        kernel = saved["kernel"]
    np.testing.assert_array_equal(
        model.classifier.get_layer("logits").get_weights()[0], kernel
    )
    assert [row["num_examples"] for row in numbers["within"]] == [24, 24]
    assert numbers["drawn"] == 12
    photo = str(next(colored_folder.glob("positive/*.png")))
    (at_once,) = light.predict(None, [photo])
    (usual,) = model.predict([photo])
    np.testing.assert_allclose(at_once.probs, usual.probs, atol=1e-3)
