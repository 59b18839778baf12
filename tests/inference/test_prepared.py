"""A model that ships is whole again at once, and answers as it does with TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.errors import WeightsError
from pixsent_tf.inference import light, prepared, shipped
from pixsent_tf.models import packages


@pytest.fixture(scope="module", params=light.NAMES)
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


def test_other_weights_are_refused_and_the_ordinary_way_is_gone(
    name, parts, own_cache, monkeypatch
):
    read = packages.read_state_dict

    def changed(*arguments):
        tensors = read(*arguments)
        return {**tensors, "_conv_head.weight": tensors["_conv_head.weight"] + 1e-6}

    monkeypatch.setattr(packages, "read_state_dict", changed)

    with pytest.raises(WeightsError, match="make another model than was converted"):
        prepared.put_together(parts)
    assert light.find(name, 1) is None
    assert not list(own_cache.glob("*"))
