from __future__ import annotations

import base64

import keras
import pytest

from pixsent_tf.errors import ExportError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models.output import SentimentOutput
from pixsent_tf.serving.serve_check import run_c_api, serve_check
from tests.float32 import assert_close_float32, rounding
from tests.serving.conftest import OPERATIONS


def test_the_bare_process_answers_what_keras_answers(tiny_export, tiny_model):
    largest = rounding(operations=OPERATIONS, scale=1)
    assert serve_check(tiny_export, tiny_model) <= largest


def test_pixels_go_through_the_bare_process_too(tiny_export, tiny_model, images):
    pixels = images[0][None]
    request = {"shape": list(pixels.shape), "b64": base64.b64encode(pixels).decode()}

    answer = run_c_api(tiny_export, "images", request)

    expected = tiny_model.model(pixels, training=False)
    assert_close_float32(answer["probs"], expected, operations=OPERATIONS)
    assert answer["class_names"] == [["negative", "positive"]]
    assert answer["valid"] == [True]


@pytest.mark.parametrize("temperature", [9.0, 1.5005])  # it is exported with 1.5
def test_an_export_of_another_model_is_found_out(tiny_export, tiny_model, temperature):
    hotter = SentimentOutput(("negative", "positive"), temperature)
    images = keras.Input((None, None, 3), dtype="uint8")
    crops = tiny_model.model.get_layer("to_crop")(images)
    probs = hotter(tiny_model.classifier(crops))
    other = SentimentModel(keras.Model(images, probs))

    with pytest.raises(ExportError, match="differ from Keras' by"):
        serve_check(tiny_export, other)


def test_a_folder_that_is_no_export_is_refused(tmp_path):
    with pytest.raises(ExportError, match="does not run as TF Serving runs it"):
        run_c_api(tmp_path, "serving_default", [])
