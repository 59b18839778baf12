"""A second head shows where a picture lies by valence and arousal."""

from __future__ import annotations

import csv
import threading
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.demo.answers import Answerer
from pixsent_tf.demo.server import DemoApp, local_hosts, open_server
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models import zoo
from pixsent_tf.models.output import RatingOutput
from tests.demo.conftest import CHROMIUM


@pytest.fixture(scope="module")
def rated(tiny_model) -> Answerer:
    """The tiny model, and one whose ratings are its mean red and green, over 40."""
    crops = keras.Input((16, 16, 3), name="crops")
    pooled = keras.layers.GlobalAveragePooling2D()(crops)
    network = zoo.attach_head(keras.Model(crops, pooled), 2)
    kernel = np.array([[1, 0], [0, 1], [0, 0]], "float32") / 40
    network.get_layer(zoo.HEAD).set_weights([kernel, np.zeros(2, "float32")])
    output = RatingOutput(("valence", "arousal"), (1, 7), half_widths=(1.0, 2.0))
    second = SentimentModel.wrap(network, PreprocessConfig(20, 16), output)
    return Answerer(tiny_model, "tiny", second)


@pytest.fixture(scope="module")
def picture(tmp_path_factory) -> Path:
    """Red 200 and green 80: a valence of 5 and an arousal of 2."""
    path = tmp_path_factory.mktemp("plane") / "red.png"
    Image.new("RGB", (60, 40), (200, 80, 0)).save(path)
    return path


def test_the_answer_holds_each_rating_with_its_interval(rated, picture):
    reply = rated.predict("red.png", picture.read_bytes())

    assert reply["ratings"]["valence"] == pytest.approx([5, 4, 6], abs=0.01)
    assert reply["ratings"]["arousal"] == pytest.approx([2, 1, 4], abs=0.01)
    assert rated.describe()["rating_scale"] == (1, 7)


def test_a_model_without_a_second_head_has_no_ratings(tiny_model, picture):
    answerer = Answerer(tiny_model, "tiny")

    assert answerer.predict("red.png", picture.read_bytes())["ratings"] is None
    assert answerer.describe()["rating_scale"] is None


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="needs chromium")
@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_shows_the_plane(browser, rated, picture, width, tmp_path):
    app = DemoApp(rated, max_bytes=10**6, hosts=local_hosts("127.0.0.1"))
    server = open_server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.goto(f"http://127.0.0.1:{server.port}/")
        page.locator("#files").set_input_files(str(picture))
        plane = page.locator("svg.plane")
        plane.wait_for(timeout=30_000)
        said = plane.get_attribute("aria-label")
        x, y = (
            float(plane.locator("circle").get_attribute(name)) for name in ("cx", "cy")
        )
        box = plane.bounding_box()
        with page.expect_download() as download:
            page.locator("#csv").click()
        download.value.save_as(tmp_path / "answers.csv")
        page.screenshot(path=tmp_path / "plane.png", full_page=True)
        page.close()
    finally:
        server.shutdown()
        thread.join(10)
    (row,) = csv.DictReader((tmp_path / "answers.csv").read_text().splitlines())

    assert said.startswith("Valence 5.0, from 4.0 to 6.0; arousal 2.0, from 1.0 to 4.0")
    assert (x, y) == pytest.approx((100 * 4 / 6, 100 * 5 / 6), abs=0.1)
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert float(row["answer_valence"]) == pytest.approx(5, abs=0.01)
    assert list(row)[5:8] == ["answer_valence", "low_valence", "high_valence"]
