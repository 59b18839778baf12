"""Networks of `keras.applications`: each sees the pixels that it was trained on."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pixsent_tf.errors import ConfigError, WeightsError
from pixsent_tf.models.seeding import seeded
from pixsent_tf.models.towers import applications
from tests.float32 import assert_close_float32, operations_of

CROPS = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3)).astype("float32")

MODULES = {
    "MobileNetV2": keras.applications.mobilenet_v2,
    "DenseNet121": keras.applications.densenet,
    "ResNet50": keras.applications.resnet,
    "MobileNetV3Small": keras.applications.mobilenet_v3,
}


@pytest.mark.parametrize("name", MODULES)
def test_pixels_are_normalized_as_the_module_of_the_network_does(name):
    with seeded(0):
        ours = applications.build_application(name, None, input_size=64)
    with seeded(0):
        theirs = getattr(keras.applications, name)(
            include_top=False, weights=None, input_shape=(64, 64, 3), pooling="avg"
        )

    expected = theirs(MODULES[name].preprocess_input(CROPS.copy()))
    assert_close_float32(ours(CROPS), expected, operations=operations_of(theirs))


@pytest.mark.parametrize(
    ("name", "canvas", "crop"),  # an eighth wider: 7/8 of the canvas are the crop
    [("MobileNetV2", 256, 224), ("Xception", 342, 299), ("EfficientNetB3", 343, 300)],
)
def test_the_canvas_is_an_eighth_wider_than_the_crop_of_the_weights(name, canvas, crop):
    found = applications.application_preprocess(name)

    assert (found.canvas_size, found.crop_size) == (canvas, crop)


def test_every_network_of_keras_has_a_family():
    missing = [
        name
        for name in dir(keras.applications)
        if name[0].isupper() and name not in applications.application_names()
    ]

    assert missing == []


def test_an_unknown_network_is_refused():
    with pytest.raises(ConfigError, match=r"has no 'AlexNet'; .*it has ConvNeXtBase"):
        applications.build_application("AlexNet", None)


def test_weights_that_cannot_be_downloaded_say_what_would_do(monkeypatch):
    def offline(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(keras.utils, "get_file", offline)
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", offline)
    with pytest.raises(WeightsError, match=r"give a \.weights\.h5 file or use"):
        applications.build_application("MobileNetV2", "imagenet", input_size=96)
