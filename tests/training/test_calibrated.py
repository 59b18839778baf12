"""Temperatures are fitted on inner predictions, and kept only where they help."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.special import log_softmax

from pixsent_tf.evaluation.calibration import fit_temperature
from pixsent_tf.training.calibrated import MAX_HELD_OUT, calibrate
from pixsent_tf.training.logistic import InnerPredictions


@dataclass
class Trained:
    """A training of which only the inner predictions matter."""

    inner: InnerPredictions | None
    history: tuple = ()

    def probs(self, indices):
        return np.array([[0.1, 0.9]], dtype="float32")


def drawn(surer, count=4000):
    """Logits whose honest temperature is `surer`, and labels drawn by the truth."""
    generator = np.random.default_rng(0)
    logits = np.stack([np.zeros(count), generator.normal(0, 2, count)], axis=1)
    honest = np.exp(log_softmax(logits, axis=1))
    labels = (generator.random(count) < honest[:, 1]).astype(int)
    log_probs = log_softmax(logits * surer, axis=1)
    return Trained(InnerPredictions(log_probs, np.arange(count) % 5 + 1)), labels


def test_a_model_that_is_too_sure_gets_its_temperature():
    found = calibrate(*drawn(surer=3.0))

    assert found.temperature == pytest.approx(3.0, rel=0.1)
    # logit ln 9 divided by the temperature
    expected = 1 / (1 + 9 ** (-1 / found.temperature))
    assert found.probs(np.array([0]))[0, 1] == pytest.approx(expected, abs=1e-6)


def test_a_temperature_that_does_not_help_is_not_used():
    fitted, labels = drawn(surer=1.0, count=60)
    found = calibrate(fitted, labels)

    assert found.temperature == 1.0
    assert found.probs(np.array([0])) is not None


def test_shares_of_votes_are_not_sharpened_to_what_labels_ask_for():
    fitted, labels = drawn(surer=3.0)
    found = calibrate(fitted, labels, are_distributions=True)

    assert found.temperature == 1.0
    assert found.held_out  # what `unsure` is chosen on stays


def test_only_pictures_like_those_to_come_calibrate():
    fitted, labels = drawn(surer=3.0)
    counts = np.arange(len(labels)) % 2 == 0
    labels[~counts] = 1 - labels[~counts]  # what a temperature of these would be

    found = calibrate(fitted, labels, weights=counts.astype(float))

    assert found.temperature == pytest.approx(3.0, rel=0.1)


def test_weights_decide_which_temperature_is_honest():
    fitted, labels = drawn(surer=3.0)
    is_odd = np.arange(len(labels)) // 5 % 2 == 1
    labels[is_odd] = fitted.inner.log_probs[is_odd].argmax(axis=1)  # always right

    even, odd = (
        calibrate(fitted, labels, weights=np.where(is_odd, weight, 1.0)).temperature
        for weight in (1e-3, 1e3)
    )

    assert even == pytest.approx(3.0, rel=0.1)
    assert odd < 1


def test_what_weighs_more_stands_more_often_among_the_held_out_answers():
    fitted, labels = drawn(surer=1.0, count=400)
    probs = np.exp(fitted.inner.log_probs)
    is_right = probs.argmax(axis=1) == labels
    weights = np.where(is_right, 1.0, 3.0)

    held_out = calibrate(fitted, labels, weights=weights).held_out

    share = np.mean([right for _, right in held_out])
    assert share == pytest.approx(np.average(is_right, weights=weights), abs=0.01)


def test_the_held_out_answers_are_those_of_the_inner_predictions():
    fitted, labels = drawn(surer=1.0, count=60)
    held_out = calibrate(fitted, labels).held_out
    probs = np.exp(fitted.inner.log_probs)

    assert [sure for sure, _ in held_out] == sorted(np.round(probs.max(axis=1), 4))
    assert sum(right for _, right in held_out) == (probs.argmax(axis=1) == labels).sum()


def test_many_held_out_answers_are_thinned():
    fitted, labels = drawn(surer=1.0)

    assert len(calibrate(fitted, labels).held_out) == MAX_HELD_OUT


def test_without_inner_predictions_nothing_changes():
    found = calibrate(Trained(None), np.array([], int))

    assert (found.temperature, found.held_out) == (1.0, ())


def test_a_held_out_answer_is_as_sure_as_the_temperature_of_other_folds_makes_it():
    fitted, labels = drawn(surer=3.0, count=400)
    inner = fitted.inner

    held_out = calibrate(fitted, labels).held_out

    sureness = []
    for fold in range(1, 6):
        own = inner.folds == fold
        temperature = fit_temperature(
            log_probs=inner.log_probs[~own], labels=labels[~own]
        )
        logits = inner.log_probs[own] / temperature
        sureness.extend(np.exp(log_softmax(logits, axis=1)).max(axis=1))
    assert [sure for sure, _ in held_out] == pytest.approx(sorted(sureness), abs=1e-4)


def test_pictures_without_weight_or_without_prediction_are_not_held_out():
    fitted, labels = drawn(surer=1.0, count=400)
    folds = fitted.inner.folds * (np.arange(400) % 4 > 0)
    weights = (np.arange(400) % 3 > 0).astype(float)
    inner = InnerPredictions(fitted.inner.log_probs, folds)

    held_out = calibrate(Trained(inner), labels, weights=weights).held_out

    counts = (folds > 0) & (weights > 0)
    probs = np.exp(inner.log_probs[counts])
    assert len(held_out) == counts.sum() == 200
    assert (
        sum(right for _, right in held_out)
        == (probs.argmax(axis=1) == labels[counts]).sum()
    )


def test_the_layer_that_is_saved_divides_by_the_temperature_that_was_found():
    found = calibrate(*drawn(surer=3.0))

    layer = found.output(("negative", "positive"))

    assert layer.class_names == ("negative", "positive")
    assert layer.temperature == pytest.approx(3.0, rel=0.1)
    assert layer.held_out == found.held_out
    probs = np.asarray(layer(np.array([[0.0, np.log(9)]])))[0, 1]
    assert probs == pytest.approx(found.probs(np.array([0]))[0, 1], abs=1e-6)


def test_whether_a_temperature_helps_is_told_by_pictures_as_they_weigh():
    fitted, labels = drawn(surer=3.0)
    is_many = np.arange(len(labels)) // 5 % 10 > 0  # nine of ten
    labels[is_many] = fitted.inner.log_probs[is_many].argmax(axis=1)  # always right
    weights = np.where(is_many, 1e-4, 1.0)

    found = calibrate(fitted, labels, weights=weights)

    # of what counts it is three times too sure; the many lose by the temperature
    assert found.temperature == pytest.approx(3.0, rel=0.2)
