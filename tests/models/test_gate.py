"""Logits pass for photographs, unchanged, and for nothing else; in every form."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from scipy.special import expit

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models import zoo
from pixsent_tf.models.gate import attach_gate, gate_alike, ungated

# The score is the mean of red, in 0..255, less 100.
KERNEL, BIAS = np.array([[1.0], [0.0], [0.0]]), np.array([-100.0])
RED, NIGHT = (200, 30, 40), (20, 30, 40)
CROPS = np.stack([np.full((8, 8, 3), color, "uint8") for color in (RED, NIGHT)])


def build(kernel=((0.01, -0.01), (0.02, 0.0), (0.0, 0.0))):
    crops = keras.Input((8, 8, 3), name="crops")
    pooled = keras.layers.GlobalAveragePooling2D(name="features")(crops)
    classifier = zoo.attach_head(keras.Model(crops, pooled), 2)
    weights = [np.array(kernel), np.array([0.5, 0.0])]
    classifier.get_layer(zoo.HEAD).set_weights(weights)
    return classifier


@pytest.fixture
def gated():
    return attach_gate(build(), KERNEL, BIAS)


def test_logits_of_photographs_are_the_same_and_all_others_are_zero(gated):
    plain, found = (model(CROPS).numpy() for model in (build(), gated))

    np.testing.assert_array_equal(found[0], plain[0])
    np.testing.assert_array_equal(found[1], [0, 0])


def test_what_is_refused_is_answered_unsure_also_when_loaded(gated, tmp_path):
    preprocess = PreprocessConfig(8, 8)
    built = SentimentModel.build(gated, preprocess, ["negative", "positive"])
    built.save(tmp_path / "model.keras")

    for model in (built, SentimentModel.load(tmp_path / "model.keras")):
        probs = model.model(CROPS).numpy()
        assert probs[1].tolist() == [0.5, 0.5]  # exactly, at any temperature
        # .5 + 2 + .6 against -2
        assert probs[0, 0] == pytest.approx(expit(3.1 + 2), abs=1e-6)


def test_a_gate_is_taken_off_and_put_on_again(gated):
    other = build(kernel=((0.0, 0.1), (0.0, 0.0), (0.0, 0.0)))
    again = gate_alike(other, gated)

    np.testing.assert_array_equal(ungated(gated)(CROPS), build()(CROPS))
    np.testing.assert_array_equal(again(CROPS)[0], other(CROPS)[0])
    np.testing.assert_array_equal(again(CROPS)[1], [0, 0])


def test_a_classifier_without_a_gate_stays_as_it_is():
    plain = build()

    assert ungated(plain) is plain
    assert gate_alike(plain, build()) is plain


def test_a_score_of_exactly_zero_is_no_photograph(gated):
    crops = np.full((3, 8, 8, 3), 50, "uint8")
    crops[:, :, :, 0] = np.array([99, 100, 101])[:, None, None]

    found, plain = gated(crops).numpy(), build()(crops).numpy()

    assert found[:2].tolist() == [[0, 0], [0, 0]]
    np.testing.assert_array_equal(found[2], plain[2])
