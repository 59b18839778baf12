"""Activations by name, in the order of the files."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from pixsent_tf.analysis.activations import read_activations
from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import ConfigError, DataError

GEOMETRY = Preprocessor(PreprocessConfig(canvas_size=16, crop_size=8))


@pytest.fixture(scope="module")
def network():
    crops = keras.Input((8, 8, 3), name="crops")
    x = layers.AveragePooling2D(4, name="pool")(crops)
    return keras.Model(crops, layers.Flatten(name="flat")(x), name="toy")


@pytest.fixture
def paths(tmp_path):
    """Five pictures of one brightness each; the third cannot be read."""
    for number, level in enumerate((10, 20, 0, 40, 50)):
        Image.new("RGB", (16, 16), (level,) * 3).save(tmp_path / f"{number}.png")
    (tmp_path / "2.png").write_bytes(b"no picture")
    return [str(tmp_path / f"{number}.png") for number in range(5)]


def test_rows_come_in_the_order_of_the_files(network, paths):
    found = read_activations(network, GEOMETRY, paths, ("flat", "pool"), batch_size=2)

    assert found.positions.tolist() == [0, 1, 3, 4]
    assert list(found.failures) == [2]
    assert list(found.layers) == ["flat", "pool"]
    expected = np.array([10, 20, 40, 50])
    assert np.array_equal(found.layers["pool"][:, 1, 0, 2], expected)
    assert np.array_equal(
        found.layers["flat"], np.repeat(expected[:, None], 12, axis=1)
    )


def test_pooling_averages_over_space(network, paths):
    found = read_activations(network, GEOMETRY, paths[:2], ("pool", "flat"), pool=True)

    assert found.layers["pool"].tolist() == [[10.0] * 3, [20.0] * 3]
    assert found.layers["flat"].shape == (2, 12)


def test_an_unknown_layer_is_refused(network, paths):
    with pytest.raises(ConfigError, match="toy has no layer 'fc7'"):
        read_activations(network, GEOMETRY, paths, ("fc7",))


def test_pictures_that_none_can_read_are_refused(network, paths):
    with pytest.raises(DataError, match="None of the 1 pictures can be read"):
        read_activations(network, GEOMETRY, paths[2:3], ("flat",))


def test_a_broken_first_file_shifts_no_row(network, paths):
    turned = [paths[2], *paths[3:], *paths[:2], paths[2]]

    found = read_activations(network, GEOMETRY, turned, ("pool",), batch_size=2)

    assert found.positions.tolist() == [1, 2, 3, 4]
    assert sorted(found.failures) == [0, 5]
    assert found.layers["pool"][:, 0, 0, 0].tolist() == [40, 50, 10, 20]


def test_pooling_is_the_mean_over_places(network, tmp_path):
    pixels = np.zeros((16, 16, 3), dtype="uint8")
    pixels[4:8, 4:8] = 200  # one of the four places of the central crop
    Image.fromarray(pixels).save(tmp_path / "spot.png")

    found = read_activations(
        network, GEOMETRY, [str(tmp_path / "spot.png")], ("pool",), pool=True
    )

    assert found.layers["pool"].tolist() == [[50.0] * 3]
