"""Calibration error by hand, and its null band by simulation of another kind."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from pixsent_tf.evaluation import reliability as reliability_module
from pixsent_tf.evaluation.reliability import events, null_band, reliability


def test_calibration_error_by_hand():
    # bins of .25: {.1, .2} none true, {.6, .7, .7} two true, {1.} true
    predicted = np.array([0.1, 0.2, 0.6, 0.7, 0.7, 1.0])
    happened = np.array([0, 0, 1, 1, 0, 1], dtype=bool)

    found = reliability(predicted, happened, num_bins=4)

    assert found.counts.tolist() == [2, 0, 3, 1]
    assert found.predicted[[0, 2, 3]] == pytest.approx([0.15, 2 / 3, 1.0])
    assert found.observed[[0, 2, 3]] == pytest.approx([0.0, 2 / 3, 1.0])
    assert found.error == pytest.approx(0.15 * 2 / 6)


def test_null_band_of_one_bin_is_the_binomial_distribution():
    predicted = np.full(400, 0.5)

    band = null_band(predicted, num_bins=1)

    # |share - .5| of 400 fair coins: quantiles of the folded binomial
    gaps = np.abs(np.arange(401) / 400 - 0.5)
    order = np.argsort(gaps, kind="stable")
    cumulated = np.cumsum(binom.pmf(np.arange(401), 400, 0.5)[order])
    expected = gaps[order][np.searchsorted(cumulated, [0.025, 0.975])]
    assert band == pytest.approx(tuple(expected), abs=0.004)


def test_a_calibrated_model_is_in_the_null_band_19_times_of_20():
    generator = np.random.default_rng(0)
    inside = 0
    for seed in range(100):
        predicted = generator.beta(0.5, 0.5, size=300)
        happened = generator.random(300) < predicted
        low, high = null_band(predicted, seed=seed)
        inside += low <= reliability(predicted, happened).error <= high

    assert 89 <= inside <= 100


def test_an_overconfident_model_is_above_the_null_band():
    generator = np.random.default_rng(0)
    truth = generator.uniform(0.3, 0.7, size=1000)
    predicted = np.where(truth > 0.5, 0.95, 0.05)

    error = reliability(predicted, generator.random(1000) < truth).error

    assert error > 2 * null_band(predicted)[1]


def test_two_classes_are_judged_by_the_positive_probability():
    predicted, happened = events(
        labels=np.array([0, 1]), probs=np.array([[0.8, 0.2], [0.7, 0.3]])
    )

    assert predicted.tolist() == [0.2, 0.3]
    assert happened.tolist() == [False, True]


def test_many_classes_are_judged_by_the_answer():
    predicted, happened = events(
        labels=np.array([2, 1]), probs=np.array([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]])
    )

    assert predicted.tolist() == [0.7, 0.5]
    assert happened.tolist() == [True, False]


def test_fifteen_bins_part_the_probabilities():
    # .34 and .39 share a bin of width 1/15, .32 does not
    found = reliability(np.array([0.32, 0.34, 0.39]), np.array([True, False, False]))

    assert len(found.counts) == 15
    assert np.flatnonzero(found.counts).tolist() == [4, 5]
    assert found.error == pytest.approx((0.68 + 0.34 + 0.39) / 3)


@pytest.mark.parametrize("cells", [1, 2100])
def test_a_band_is_the_same_however_many_outcomes_are_drawn_at_once(cells, monkeypatch):
    predicted = np.random.default_rng(0).random(300)
    at_once = null_band(predicted)

    monkeypatch.setattr(reliability_module, "MAX_CELLS", cells)  # one, or seven

    assert null_band(predicted) == pytest.approx(at_once)
