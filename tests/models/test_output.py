"""From logits to the answer that people read."""

from __future__ import annotations

import keras
import numpy as np

from pixsent_tf.models.output import SentimentOutput

LOGITS = np.array([[0.0, 2.0], [3.0, -1.0]], dtype="float32")


def test_probabilities_are_the_softmax_by_hand():
    probs = SentimentOutput(("negative", "positive"))(LOGITS).numpy()

    sigmoid = 1 / (1 + np.exp(-(LOGITS[:, 1] - LOGITS[:, 0])))
    np.testing.assert_allclose(probs[:, 1], sigmoid, rtol=1e-6)
    np.testing.assert_allclose(probs.sum(axis=1), 1, rtol=1e-6)


def test_a_temperature_divides_the_logits():
    layer = SentimentOutput(("negative", "positive"), temperature=2.0)

    expected = 1 / (1 + np.exp(-(LOGITS[:, 1] - LOGITS[:, 0]) / 2))
    np.testing.assert_allclose(layer(LOGITS)[:, 1], expected, rtol=1e-6)


def test_names_and_temperature_travel_with_the_model(tmp_path):
    inputs = keras.Input((2,))
    outputs = SentimentOutput(("sad", "glad"), temperature=1.5)(inputs)
    keras.Model(inputs, outputs).save(tmp_path / "m.keras")
    layer = keras.saving.load_model(tmp_path / "m.keras").get_layer("probs")

    assert layer.class_names == ("sad", "glad")
    assert layer.temperature == 1.5


def test_half_precision_logits_come_out_in_float32():
    probs = SentimentOutput(("negative", "positive"))(LOGITS.astype("float16"))

    assert probs.dtype == "float32"
