"""A few pictures are answered without TensorFlow, and the answers are the same."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.inference import light
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models import zoo
from tests.tiny_network import build_tiny, tiny_backbone  # noqa: F401


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("PIXSENT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PIXSENT_ENGINE", raising=False)
    return tmp_path / "cache" / "answers"


@pytest.fixture
def saved(tmp_path):
    """A trained model, and its file."""
    classifier = zoo.attach_head(build_tiny(None, None, 3), 2, stddev=3.0)
    geometry = zoo.BACKBONES["tiny"].preprocess
    model = SentimentModel.build(classifier, geometry, ["negative", "positive"], 0.7)
    model.save(tmp_path / "m.keras")
    return str(tmp_path / "m.keras"), model


@pytest.fixture
def photos(tmp_path):
    generator = np.random.default_rng(0)
    paths = []
    for number, suffix in enumerate(["jpg", "png", "jpg", "webp", "jpg", "jpg"]):
        pixels = generator.integers(0, 256, (30 + number, 40, 3)).astype("uint8")
        paths.append(str(tmp_path / f"{number}.{suffix}"))
        Image.fromarray(pixels).save(paths[-1])
    return paths


def predict(path, photos):
    return light.find(path, len(photos)).predict(photos)


@pytest.mark.parametrize("count", [1, 2, 6])
def test_the_probabilities_are_those_of_the_ordinary_way(saved, photos, count):
    path, model = saved
    light.keep(path, model, 1)

    found = predict(path, photos[:count])

    expected = list(model.predict(photos[:count]))
    assert [one.path for one in found] == photos[:count]
    assert [one.answer for one in found] == [one.answer for one in expected]
    for one, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.probs, wanted.probs, atol=1e-3)


def test_nothing_is_found_before_it_was_kept(saved):
    assert light.find(saved[0], 1) is None


def test_another_model_of_the_same_name_is_not_taken_for_it(saved):
    path, model = saved
    light.keep(path, model, 1)
    kernel, bias = model.classifier.get_layer(zoo.HEAD).get_weights()
    model.classifier.get_layer(zoo.HEAD).set_weights([-kernel, bias])
    model.save(light.Path(path))

    assert light.find(path, 1) is None


def test_what_is_missing_or_no_picture_is_named_as_the_ordinary_way_does(
    saved, photos, tmp_path
):
    path, model = saved
    light.keep(path, model, 1)
    (tmp_path / "page.jpg").write_text("<html>")
    (tmp_path / "empty.jpg").write_bytes(b"")
    bad = [str(tmp_path / name) for name in ("page.jpg", "empty.jpg", "gone.jpg")]

    found = predict(path, [*bad, photos[0]])

    expected = list(model.predict([*bad, photos[0]]))
    assert [str(one.error) for one in found] == [str(one.error) for one in expected]
    assert [one.answer for one in found] == [one.answer for one in expected]


def test_a_damaged_picture_is_left_to_the_ordinary_way(saved, photos):
    path, model = saved
    light.keep(path, model, 1)
    with open(photos[0], "rb+") as file:
        file.truncate(700)

    assert predict(path, photos) is None


def test_many_pictures_are_left_to_the_ordinary_way(saved):
    path, model = saved
    light.keep(path, model, 1)

    assert light.find(path, light.MOST) is not None
    assert light.find(path, light.MOST + 1) is None


def test_who_asks_for_tensorflow_gets_it(saved, monkeypatch, own_cache):
    path, model = saved
    light.keep(path, model, 1)
    monkeypatch.setenv("PIXSENT_ENGINE", "tensorflow")

    assert light.find(path, 1) is None


def test_a_damaged_form_is_as_good_as_none(saved, own_cache):
    path, model = saved
    light.keep(path, model, 1)
    (form,) = own_cache.glob("*.json")
    form.write_text("{")

    assert light.find(path, 1) is None


@pytest.mark.parametrize("name", ["gone.keras", ".", "gs://bucket/model"])
def test_what_is_no_model_here_is_left_to_the_ordinary_way(name):
    assert light.find(name, 1) is None


def test_each_model_that_ships_lies_in_a_folder_of_its_own():
    quick, best = (light.folder_of(name) for name in light.NAMES)

    assert best == quick / "best"
    for folder in (quick, best):
        assert (folder / "prepared.npz").is_file()


def test_a_model_that_ships_is_put_together_when_it_is_first_asked(own_cache, photos):
    found = light.find(None, 2)

    assert found is not None
    assert [one.error for one in found.predict(photos[:2])] == [None, None]
    kinds = sorted(path.suffix for path in own_cache.iterdir())
    assert kinds == [".json", ".tflite"]
