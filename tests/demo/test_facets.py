"""The page of a model of three classes, and of ratings, has a chooser of maps."""

from __future__ import annotations

import csv
import threading

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

KINDS = ("reddish", "greenish", "bluish")
GEOMETRY = PreprocessConfig(20, 16)


def network(kernel):
    """A linear layer on the mean color."""
    crops = keras.Input((16, 16, 3), name="crops")
    pooled = keras.layers.GlobalAveragePooling2D()(crops)
    made = zoo.attach_head(keras.Model(crops, pooled), kernel.shape[1])
    bias = np.zeros(kernel.shape[1], "float32")
    made.get_layer(zoo.HEAD).set_weights([kernel.astype("float32"), bias])
    return made


@pytest.fixture(scope="module")
def kinds() -> Answerer:
    model = SentimentModel.build(network(np.eye(3) / 40), GEOMETRY, KINDS)
    return Answerer(model, "kinds")


@pytest.fixture(scope="module")
def rated() -> Answerer:
    output = RatingOutput(("warmth", "calm"), (1, 7), half_widths=(1.0, 2.0))
    kernel = np.array([[1, 0], [0, 0], [0, 1]]) / 40
    return Answerer(SentimentModel.wrap(network(kernel), GEOMETRY, output), "rated")


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    """Red 200 above blue 120."""
    pixels = np.zeros((40, 40, 3), "uint8")
    pixels[:20, :, 0], pixels[20:, :, 2] = 200, 120
    path = tmp_path_factory.mktemp("facets") / "two.png"
    Image.fromarray(pixels).save(path)
    return path


def test_a_model_of_ratings_answers_with_them(rated, picture):
    known = rated.describe()
    reply = rated.predict("two.png", picture.read_bytes())

    assert (known["class_names"], known["targets"]) == ((), ("warmth", "calm"))
    assert [(one["low"], one["high"]) for one in known["maps"]] == [("1", "7")] * 2
    assert (reply["answer"], reply["probs"]) == (None, {})
    assert reply["ratings"]["warmth"] == pytest.approx([2.5, 1.5, 3.5], abs=0.2)


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="needs chromium")
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", ["kinds", "rated"])
def test_the_chooser_changes_the_map(browser, name, picture, width, request, tmp_path):
    app = DemoApp(
        request.getfixturevalue(name), max_bytes=10**6, hosts=local_hosts("127.0.0.1")
    )
    server = open_server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.goto(f"http://127.0.0.1:{server.port}/")
        page.locator("#files").set_input_files(str(picture))
        page.wait_for_selector("#overlay:not([hidden])", timeout=60_000)
        first = page.locator("#overlay").get_attribute("src")
        options = page.locator("#facet option").all_inner_texts()
        page.select_option("#facet", label=options[-1])
        second = page.locator("#overlay").get_attribute("src")
        legend = page.locator("#high").inner_text()
        over = page.evaluate("document.documentElement.scrollWidth")
        with page.expect_download() as download:
            page.locator("#csv").click()
        download.value.save_as(tmp_path / "answers.csv")
        page.close()
    finally:
        server.shutdown()
        thread.join(10)
    (row,) = csv.DictReader((tmp_path / "answers.csv").read_text().splitlines())

    assert first != second
    assert over <= width
    if name == "kinds":
        assert options == ["its answer", *KINDS]
        assert legend == "bluish"
        assert row["answer"] == "reddish"
    else:
        assert options == ["warmth", "calm"]
        assert legend == "7"
        assert list(row)[1:4] == ["answer_warmth", "low_warmth", "high_warmth"]
        assert list(row)[-1] == "status"
