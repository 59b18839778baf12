"""A model that ships is whole again at once, and answers as it does with TensorFlow."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import ModelConfig
from pixsent_tf.errors import WeightsError
from pixsent_tf.inference import engine, light, prepared, shipped
from pixsent_tf.models import packages, zoo
from pixsent_tf.studies import ship


@pytest.fixture(
    scope="module",
    params=[
        light.NAMES[0],
        *(pytest.param(one, marks=pytest.mark.journey) for one in light.NAMES[1:]),
    ],
)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def parts(name):
    with np.load(light.folder_of(name) / prepared.NAME) as saved:
        return dict(saved)


@pytest.fixture
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("PIXSENT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PIXSENT_ENGINE", raising=False)
    return tmp_path / "cache" / "answers"


def change_packages(monkeypatch):
    """Let packages hold a weight that is another one."""
    read = packages.read_state_dict

    def changed(*arguments):
        tensors = read(*arguments)
        return {**tensors, "_conv_head.weight": tensors["_conv_head.weight"] + 1e-6}

    monkeypatch.setattr(packages, "read_state_dict", changed)


def test_it_answers_as_the_ordinary_way_does(name, own_cache, tmp_path):
    generator = np.random.default_rng(0)
    paths = []
    for number in range(3):
        coarse = generator.integers(0, 256, (6, 8, 3)).astype("uint8")
        paths.append(str(tmp_path / f"{number}.png"))
        Image.fromarray(coarse).resize((400, 300)).save(paths[-1])

    found = light.predict(name, paths)

    expected = shipped.load_model(name).predict(paths)
    for one, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.probs, wanted.probs, atol=1e-3)


def test_taken_apart_and_put_together_it_is_the_same_file(parts):
    content = prepared.put_together(parts)

    again = prepared.take_apart(content, parts["backbones"].tolist())

    assert len(parts["names"]) >= 45 * len(parts["backbones"])  # nearly all
    assert parts["rest"].nbytes < 0.03 * len(content)
    assert again.keys() == parts.keys() - {"known"}
    assert all(np.array_equal(again[name], parts[name]) for name in again)


def test_without_a_package_of_weights_nothing_is_left_out(parts):
    content = prepared.put_together(parts)

    alone = prepared.take_apart(content, [])

    assert alone["rest"].tobytes() == content
    assert prepared.put_together(alone) == content


@pytest.fixture
def no_conversion(monkeypatch):
    def convert(original):
        raise AssertionError("converted")

    monkeypatch.setattr(engine, "convert", convert)


@pytest.fixture(scope="module")
def backbone():
    return zoo.build_backbone(ModelConfig())


def test_the_default_backbone_needs_no_conversion(own_cache, backbone, no_conversion):
    crops = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), "uint8")

    found = engine.forward(backbone, engine.FEWEST)(crops)

    assert list((own_cache.parent / "engines").glob("*.tflite"))
    expected = backbone(crops.astype("float32"), training=False).numpy()
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def test_a_backbone_that_was_trained_is_another_one(tmp_path, backbone):
    other = keras.models.clone_model(backbone)
    other.set_weights([weight * 1.001 for weight in backbone.get_weights()])

    assert not prepared.prepare_features(engine.identify(other), tmp_path / "other")
    assert not list(tmp_path.iterdir())


def test_a_backbone_of_other_weights_than_its_package_holds_is_converted(
    tmp_path, backbone, monkeypatch
):
    change_packages(monkeypatch)

    assert not prepared.prepare_features(engine.identify(backbone), tmp_path / "one")
    assert not list(tmp_path.iterdir())


@pytest.mark.journey
def test_the_form_that_ships_is_what_the_converter_makes(tmp_path):
    ship.write_features(tmp_path / "features.npz")

    with np.load(tmp_path / "features.npz") as made, np.load(prepared.FEATURES) as kept:
        assert made["names"].tolist() == kept["names"].tolist()
        assert str(made["identity"]) == str(kept["identity"])
        np.testing.assert_allclose(made["scales"], kept["scales"], rtol=1e-5)


@pytest.mark.parametrize("part", [0, 100, 20_000])
def test_a_damaged_package_goes_the_ordinary_way(
    part, own_cache, tmp_path, backbone, monkeypatch
):
    torn = tmp_path / prepared.NAME
    torn.write_bytes(prepared.FEATURES.read_bytes()[:part])
    monkeypatch.setattr(prepared, "FEATURES", torn)
    monkeypatch.setattr(light, "folder_of", lambda name: tmp_path)

    assert not prepared.prepare_features(engine.identify(backbone), tmp_path / "one")
    assert light.find(light.QUICK, 1) is None


def test_other_weights_are_refused_and_the_ordinary_way_is_gone(
    name, parts, own_cache, monkeypatch
):
    change_packages(monkeypatch)

    with pytest.raises(WeightsError, match="make another model than was converted"):
        prepared.put_together(parts)
    assert light.find(name, 1) is None
    assert not list(own_cache.glob("*"))
