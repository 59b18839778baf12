from __future__ import annotations

import base64

import keras
import numpy as np
import pytest

from pixsent_tf.errors import ExportError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models.output import SentimentOutput
from pixsent_tf.serving.serve_check import run_c_api, serve_check


def test_the_bare_process_answers_what_keras_answers(tiny_export, tiny_model):
    assert serve_check(tiny_export, tiny_model) < 1e-5


def test_pixels_go_through_the_bare_process_too(tiny_export, tiny_model, images):
    pixels = images[0][None]
    request = {"shape": list(pixels.shape), "b64": base64.b64encode(pixels).decode()}

    answer = run_c_api(tiny_export, "images", request)

    expected = tiny_model.model(pixels, training=False)
    np.testing.assert_allclose(answer["probs"], expected, atol=1e-6)
    assert answer["class_names"] == [["negative", "positive"]]
    assert answer["valid"] == [True]


def test_an_export_of_another_model_is_found_out(tiny_export, tiny_model):
    hotter = SentimentOutput(("negative", "positive"), temperature=9.0)
    images = keras.Input((None, None, 3), dtype="uint8")
    crops = tiny_model.model.get_layer("to_crop")(images)
    probs = hotter(tiny_model.classifier(crops))
    other = SentimentModel(keras.Model(images, probs))

    with pytest.raises(ExportError, match="differ from Keras' by"):
        serve_check(tiny_export, other)


def test_a_folder_that_is_no_export_is_refused(tmp_path):
    with pytest.raises(ExportError, match="does not run as TF Serving runs it"):
        run_c_api(tmp_path, "serving_default", [])
