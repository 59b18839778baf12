"""Temperatures that are known beforehand are found; abstention by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import softmax

from pixsent_tf.errors import ConfigError
from pixsent_tf.evaluation.calibration import (
    abstain,
    abstention_across_folds,
    abstention_for_precision,
    apply_temperature,
    check_precision,
    fit_temperature,
    isotonic_across_folds,
    temperature_across_folds,
)
from pixsent_tf.evaluation.reliability import null_band, reliability


def _draw(num_examples: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits of a calibrated model and labels drawn from them."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(num_examples, 2)) * 2
    labels = (generator.random(num_examples) < softmax(logits, axis=1)[:, 1]).astype(
        int
    )
    return logits, labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_spoiled_a_calibrated_model_is_found(temperature):
    logits, labels = _draw(20_000)

    found = fit_temperature(log_probs=logits * temperature, labels=labels)

    assert found == pytest.approx(temperature, rel=0.05)


def test_two_right_answers_do_not_make_the_model_infinitely_sure():
    log_probs = np.array([[0.0, -5.0], [-5.0, 0.0]])

    found = fit_temperature(log_probs=log_probs, labels=np.array([0, 1]))

    assert 0.8 < found < 1.0


def test_no_predictions_are_refused():
    with pytest.raises(ValueError, match="0 predictions do not fit 2 labels"):
        fit_temperature(log_probs=np.zeros((0, 2)), labels=np.array([0, 1]))


def test_temperature_of_probabilities_equals_temperature_of_logits():
    logits = np.array([[2.0, -1.0], [0.5, 0.25]])

    scaled = apply_temperature(softmax(logits, axis=1), 2.5)

    assert scaled == pytest.approx(softmax(logits / 2.5, axis=1))


def test_a_probability_of_zero_stays_a_probability():
    scaled = apply_temperature(np.array([[1.0, 0.0]], dtype="float32"), 2.0)

    assert np.isfinite(scaled).all()
    assert scaled.sum() == pytest.approx(1.0)


def test_folds_calibrate_each_other_into_the_null_band():
    logits, labels = _draw(2000)
    spoiled = softmax(logits * 3, axis=1)
    folds = np.arange(2000) % 5

    calibrated = temperature_across_folds(probs=spoiled, labels=labels, folds=folds)

    def error(probs):
        return reliability(probs[:, 1], labels == 1).error

    high = null_band(calibrated[:, 1])[1]
    assert error(spoiled) > 2 * high
    assert error(calibrated) < high


def test_no_fold_sees_its_own_labels():
    logits, labels = _draw(200)
    probs, folds = softmax(logits, axis=1), np.arange(200) % 2
    lied = np.where(folds == 0, 1 - labels, labels)

    honest = temperature_across_folds(probs=probs, labels=labels, folds=folds)
    other = temperature_across_folds(probs=probs, labels=lied, folds=folds)

    assert np.array_equal(honest[folds == 0], other[folds == 0])


def test_isotonic_repairs_what_is_monotone():
    logits, labels = _draw(4000)
    truth = softmax(logits, axis=1)[:, 1]

    repaired = isotonic_across_folds(
        predicted=truth**3, happened=labels == 1, folds=np.arange(4000) % 4
    )

    assert np.abs(repaired - truth).mean() < 0.03


# sureness .99 .9 .9 .8 .7 .6; right yes, yes, no, yes, yes, no
PROBS = np.array(
    [[0.01, 0.99], [0.9, 0.1], [0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]]
)
LABELS = np.array([1, 0, 1, 1, 0, 0])


def test_the_threshold_answers_as_many_as_it_may():
    chosen = abstention_for_precision(probs=PROBS, labels=LABELS, precision=0.8)

    assert (chosen.threshold, chosen.precision) == (0.7, 4 / 5)
    assert (chosen.coverage, chosen.num_answered) == (5 / 6, 5)


def test_equal_probabilities_are_never_parted():
    chosen = abstention_for_precision(probs=PROBS, labels=LABELS, precision=0.9)

    assert chosen.threshold == 0.99  # at .9 two answers come in, one of them wrong


def test_a_precision_out_of_reach_answers_nothing():
    chosen = abstention_for_precision(
        probs=PROBS[2:3], labels=LABELS[2:3], precision=0.5
    )

    assert chosen.coverage == 0
    assert (
        abstain(probs=PROBS, labels=LABELS, threshold=chosen.threshold).num_answered
        == 0
    )


@pytest.mark.parametrize("precision", [0, 1.01, -0.5, True, "0.9", None, float("nan")])
def test_what_is_no_precision_is_refused(precision):
    with pytest.raises(ConfigError, match="must be a number above 0 and at most 1"):
        check_precision(precision)


def test_an_impossible_precision_is_refused():
    with pytest.raises(
        ConfigError, match=r"precision=95 must be a number above 0 and at most 1"
    ):
        abstention_for_precision(probs=PROBS, labels=LABELS, precision=95)


def test_abstention_keeps_its_promise_on_folds_that_did_not_choose_it():
    logits, labels = _draw(5000)

    found = abstention_across_folds(
        probs=softmax(logits, axis=1),
        labels=labels,
        folds=np.arange(5000) % 5,
        precision=0.95,
    )

    assert found["precision"] == pytest.approx(0.95, abs=0.01)
    assert 0.3 < found["coverage"] < 0.9


def test_a_picture_that_counts_thrice_is_worth_three_pictures():
    logits, labels = _draw(2000)
    times = np.where(labels == 1, 3, 1)  # the classes are tempered unequally
    logits = logits * np.where(labels == 1, 3, 1)[:, None]

    found = fit_temperature(log_probs=logits, labels=labels, weights=times)
    repeated = np.repeat(np.arange(2000), times)
    expected = fit_temperature(log_probs=logits[repeated], labels=labels[repeated])

    assert found == pytest.approx(expected, rel=2e-3)
    assert found != pytest.approx(
        fit_temperature(log_probs=logits, labels=labels), rel=1e-2
    )


def test_the_prior_of_the_temperature_weighs_as_much_as_one_picture():
    log_probs = np.array([[0.0, -5.0], [-5.0, 0.0]])
    grid = np.linspace(-3, 3, 60_001)

    found = fit_temperature(log_probs=log_probs, labels=np.array([0, 1]))

    # two losses log(1 + exp(-5 / T)), and -log of the density of log T
    losses = 2 * np.log1p(np.exp(-5 / np.exp(grid))) + grid**2 / 2
    assert np.log(found) == pytest.approx(grid[losses.argmin()], abs=2e-3)


def test_the_temperature_of_a_fold_counts_the_weights_of_the_others():
    logits, labels = _draw(400)
    probs, folds = softmax(logits, axis=1), np.arange(400) % 2
    lied = np.arange(400) < 100
    weights = np.where(lied, 0.0, 1.0)
    labels = np.where(lied, 1 - labels, labels)

    found = temperature_across_folds(
        probs=probs, labels=labels, folds=folds, weights=weights
    )

    honest = (folds == 0) & ~lied  # what may choose for fold 1
    temperature = fit_temperature(
        log_probs=np.log(probs[honest]), labels=labels[honest]
    )
    expected = apply_temperature(probs[folds == 1], temperature)
    assert found[folds == 1] == pytest.approx(expected, abs=2e-3)


def test_isotonic_regression_never_sees_its_own_fold():
    logits, labels = _draw(200)
    predicted, folds = softmax(logits, axis=1)[:, 1], np.arange(200) % 2
    lied = np.where(folds == 0, 1 - labels, labels)

    honest, other = (
        isotonic_across_folds(predicted=predicted, happened=each == 1, folds=folds)
        for each in (labels, lied)
    )

    assert np.array_equal(honest[folds == 0], other[folds == 0])
    assert not np.array_equal(honest[folds == 1], other[folds == 1])


def test_what_is_surer_than_a_threshold_or_as_sure_is_answered():
    found = abstain(probs=PROBS, labels=LABELS, threshold=0.9)

    assert (found.num_answered, found.precision) == (3, 2 / 3)


def test_the_threshold_of_a_fold_is_chosen_by_the_others_alone():
    # fold 1: .9 right, .8 wrong, .7 right, so that .9 is always right;
    # fold 2: .95 wrong, .85 right, .6 right, so that no threshold is
    sureness = np.array([0.9, 0.8, 0.7, 0.95, 0.85, 0.6])
    labels = np.array([1, 0, 1, 0, 1, 1])

    found = abstention_across_folds(
        probs=np.stack([1 - sureness, sureness], axis=1),
        labels=labels,
        folds=np.array([1, 1, 1, 2, 2, 2]),
        precision=1,
    )

    # fold 2 gives fold 1 no threshold; .9 of fold 1 answers .95 of fold 2, wrongly
    assert found == {"precision": 0.0, "coverage": 1 / 6, "num_answered": 1}


def test_right_answers_are_counted_whole():
    labels = np.r_[1, np.zeros(48, int)]  # of 49; 1 / 49 * 49 is below 1

    found = abstention_across_folds(
        probs=np.tile([0.1, 0.9], (98, 1)),
        labels=np.tile(labels, 2),
        folds=np.repeat([1, 2], 49),
        precision=0.01,
    )

    assert found["precision"] == 2 / 98


def test_weights_count_by_their_proportions():
    log_probs, labels = np.array([[0.0, -5.0], [-5.0, 0.0]]), np.array([0, 1])

    one, ten = (
        fit_temperature(log_probs=log_probs, labels=labels, weights=np.full(2, each))
        for each in (1.0, 10.0)
    )

    assert one == ten


def test_a_single_prediction_has_a_temperature():
    found = fit_temperature(log_probs=np.array([[0.0, -5.0]]), labels=np.array([0]))

    assert 0.5 < found < 1


def test_where_no_threshold_will_do_not_even_a_certain_answer_is_given():
    certain = np.array([[0.0, 1.0]], dtype="float32")

    chosen = abstention_for_precision(
        probs=certain, labels=np.array([0]), precision=0.9
    )

    assert chosen.threshold > 1
    found = abstain(probs=certain, labels=np.array([1]), threshold=chosen.threshold)
    assert found.num_answered == 0


def test_of_three_classes_the_likeliest_is_the_answer():
    probs = np.array([[0.1, 0.2, 0.7], [0.8, 0.1, 0.1], [0.3, 0.6, 0.1]])

    chosen = abstention_for_precision(
        probs=probs, labels=np.array([2, 0, 0]), precision=1
    )

    assert (chosen.threshold, chosen.num_answered) == (0.7, 2)


@pytest.mark.parametrize(
    ("prob", "share_right"),
    [(0.6, 0.95), (0.999, 0.6)],  # divisors of 0.138 and 17: both far from 1
)
def test_temperatures_far_from_one_are_found(prob, share_right):
    labels = (np.arange(2000) >= 2000 * share_right).astype(int)
    log_probs = np.log(np.tile([prob, 1 - prob], (2000, 1)))

    found = fit_temperature(log_probs=log_probs, labels=labels)

    def odds(p: float) -> float:
        return math.log(p / (1 - p))

    assert found == pytest.approx(odds(prob) / odds(share_right), rel=0.05)
