"""From logits to the answer that people read."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pixsent_tf.models.output import RatingOutput, SentimentOutput

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


def test_held_out_answers_travel_with_the_model():
    layer = SentimentOutput(("a", "b"), 1.5, [(0.75, True), (0.5, False)])

    again = SentimentOutput.from_config(layer.get_config())

    assert again.held_out == layer.held_out == ((0.75, True), (0.5, False))


RATED = RatingOutput(("arousal", "valence"), (1, 7), (0.5, 2.0))


def test_ratings_beyond_the_scale_are_moved_to_its_ends():
    found = RATED(np.array([[0.5, 4.0], [9.0, 6.5]])).numpy()

    assert found.tolist() == [[1, 4], [7, 6.5]]


def test_intervals_reach_as_far_as_each_rating_may_be_off_and_end_with_the_scale():
    low, high = RATED.bounds(np.array([[2.0, 2.0], [6.75, 6.0]]))

    assert low.tolist() == [[1.5, 1.0], [6.25, 4.0]]
    assert high.tolist() == [[2.5, 4.0], [7.0, 7.0]]


def test_each_rating_says_as_much_about_a_threshold_as_its_own_interval():
    # nine tenths of a logistic curve lie within ln 19 of its scale
    assert RATED.temperature(0) == pytest.approx(0.5 / np.log(19))
    assert RATED.temperature(1) == pytest.approx(2.0 / np.log(19))
    assert [RATED.index_of(name) for name in ("valence", "arousal", "beauty")] == [
        *(1, 0, 0)
    ]


def test_targets_scale_and_intervals_travel_with_the_model(tmp_path):
    inputs = keras.Input((2,))
    keras.Model(inputs, RATED(inputs)).save(tmp_path / "m.keras")
    layer = keras.saving.load_model(tmp_path / "m.keras").get_layer("ratings")

    assert layer.targets == RATED.targets
    assert layer.scale == (1, 7)
    assert layer.half_widths == (0.5, 2.0)
