"""Checkpoints of `transformers`: what is done to pixels stands in a file of theirs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.errors import ConfigError
from pixsent_tf.models.towers.checkpoints import kind_of, pixels_of

SQUASHED = {
    "size": {"height": 224, "width": 224},
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "resample": 2,
}
CROPPED = {
    "size": {"shortest_edge": 256},
    "crop_size": {"height": 224, "width": 224},
    "do_center_crop": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
    "rescale_factor": 1 / 255,
    "resample": 3,
}


@pytest.fixture
def write(tmp_path):
    def write(told, model_type="dinov2"):
        (tmp_path / "preprocessor_config.json").write_text(json.dumps(told))
        (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))
        return str(tmp_path)

    return write


@pytest.mark.parametrize(
    ("told", "geometry"),
    [
        (SQUASHED, PreprocessConfig(224, 224, "squash", "bilinear")),
        (CROPPED, PreprocessConfig(256, 224, "crop", "bicubic")),
        ({**SQUASHED, "size": 192}, PreprocessConfig(192, 192, "squash", "bilinear")),
    ],
)
def test_the_geometry_is_what_the_file_says(told, geometry, write):
    assert pixels_of(write(told))[0] == geometry


def test_black_and_white_are_normalized_as_the_file_says(write):
    _, scale, offset = pixels_of(write(CROPPED))

    black, white = np.array(offset), 255 * np.array(scale) + offset
    mean, deviation = np.array(CROPPED["image_mean"]), np.array(CROPPED["image_std"])
    np.testing.assert_allclose(black, (0 - mean) / deviation)
    np.testing.assert_allclose(white, (1 - mean) / deviation)


def test_pixels_that_are_not_normalized_are_only_scaled(write):
    _, scale, offset = pixels_of(write({**SQUASHED, "do_normalize": False}))

    assert scale == [1 / 255] * 3
    assert offset == [0.0] * 3


def test_what_is_no_square_is_refused(write):
    with pytest.raises(ConfigError, match="only squares"):
        pixels_of(write({**SQUASHED, "size": {"height": 224, "width": 112}}))


def test_a_checkpoint_without_the_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"its preprocessor_config\.json cannot be"):
        pixels_of(str(tmp_path))


def test_the_kind_is_called_as_keras_hub_calls_it(write):
    assert kind_of(write(SQUASHED)) == "DINOV2Backbone"
    assert kind_of(write(SQUASHED, "llama")) == "llama"
