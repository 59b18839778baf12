"""Intervals against worked examples, and against a thousand simulated sets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from pixsent_tf.evaluation import intervals
from pixsent_tf.evaluation.intervals import (
    auc_interval,
    bootstrap_interval,
    bootstrap_means,
    delong,
    grouped_auc_interval,
    percentile_interval,
    resample_counts,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("successes", "trials", "expected"),
    [  # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0000, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_wilson_interval_as_published(successes, trials, expected):
    assert wilson_interval(successes, trials) == pytest.approx(expected, abs=5e-5)


def test_more_successes_than_trials_are_refused():
    with pytest.raises(ValueError, match="3 successes in 2 trials are impossible"):
        wilson_interval(3, 2)


def test_each_resample_has_as_many_examples_as_the_set():
    blocks = list(resample_counts(1_000_003, num_resamples=9))

    assert len(blocks) > 1  # bounded memory
    assert np.concatenate([block.sum(axis=1) for block in blocks]).tolist() == (
        [1_000_003] * 9
    )


def test_bootstrap_of_a_share_is_the_binomial_distribution():
    values = np.repeat([1.0, 0.0], [850, 150])

    interval = bootstrap_interval(values, num_resamples=20_000)

    expected = binom.ppf([0.025, 0.975], 1000, 0.85) / 1000
    assert interval == pytest.approx(tuple(expected), abs=0.0015)


def test_bootstrap_covers_the_truth_in_95_of_100_simulated_sets():
    generator = np.random.default_rng(0)
    covered = 0
    for seed in range(1000):
        losses = generator.exponential(size=400)  # skewed, like a log loss
        low, high = bootstrap_interval(losses, num_resamples=400, seed=seed)
        covered += low <= 1.0 <= high

    assert 930 <= covered <= 970


def test_bootstrap_of_accuracy_covers_the_truth_in_95_of_100_simulated_sets():
    generator = np.random.default_rng(1)
    covered = 0
    for seed in range(1000):
        correct = generator.random(500) < 0.83
        low, high = bootstrap_interval(correct, num_resamples=400, seed=seed)
        covered += low <= 0.83 <= high

    assert 930 <= covered <= 970


def test_undefined_samples_are_passed_over():
    samples = np.array([np.nan, *np.linspace(0, 1, 1001)])

    assert percentile_interval(samples) == pytest.approx((0.025, 0.975))


# Positives .9 .6 .4, negatives .5 .3. By hand: shares of negatives under each positive
# 1, 1, 1/2; shares of positives over each negative 2/3, 1. Area 5/6; variance
# (1/12)/3 + (1/18)/2 = 1/18.
LABELS = np.array([1, 1, 1, 0, 0])
SCORES = np.array([0.9, 0.6, 0.4, 0.5, 0.3])


def test_delong_by_hand():
    areas, covariance = delong(labels=LABELS, scores=SCORES[None])

    assert areas[0] == pytest.approx(5 / 6)
    assert covariance[0, 0] == pytest.approx(1 / 18)


def test_delong_of_two_models_by_brute_force_over_pairs():
    generator = np.random.default_rng(3)
    labels = np.repeat([1, 0], [30, 20])
    scores = np.round(generator.normal(size=(2, 50)) + labels, 1)  # with ties

    areas, covariance = delong(labels=labels, scores=scores)

    wins = [
        (s[:30, None] > s[None, 30:]) + 0.5 * (s[:30, None] == s[None, 30:])
        for s in scores
    ]
    by_positive = np.stack([win.mean(axis=1) for win in wins])
    by_negative = np.stack([win.mean(axis=0) for win in wins])
    expected = np.cov(by_positive) / 30 + np.cov(by_negative) / 20
    assert areas == pytest.approx([win.mean() for win in wins])
    assert covariance == pytest.approx(expected)


def test_auc_interval_by_hand_is_cut_at_one():
    low, high = auc_interval(labels=LABELS, scores=SCORES)

    assert low == pytest.approx(5 / 6 - 1.959964 * np.sqrt(1 / 18))
    assert high == 1.0


def test_a_perfect_ranking_of_few_pictures_is_no_certainty():
    labels = np.repeat([1, 0], 10)

    low, high = auc_interval(labels=labels, scores=labels.astype(float))

    assert (low, high) == pytest.approx((0.7225, 1.0), abs=1e-4)  # Wilson, 10 of 10


def test_auc_interval_covers_the_truth_in_95_of_100_simulated_sets():
    generator = np.random.default_rng(2)
    labels = np.repeat([1, 0], [150, 100])
    truth = 0.9213503964748574  # normal distribution of 2 / sqrt(2)
    covered = 0
    for _ in range(1000):
        scores = generator.normal(size=250) + 2 * labels
        low, high = auc_interval(labels=labels, scores=scores)
        covered += low <= truth <= high

    assert 930 <= covered <= 970


def test_means_over_groups_weigh_each_group_by_its_examples():
    values = np.array([[1.0], [1.0], [0.0], [1.0], [0.0]])
    groups = np.array([7, 7, 7, 2, 4])  # sums 2, 1, 0 of 3, 1, 1 examples; by number:
    sums, sizes = np.array([1, 0, 2]), np.array([1, 1, 3])
    counts = np.concatenate(list(resample_counts(3, num_resamples=50)))

    means = bootstrap_means(values, groups=groups, num_resamples=50)

    np.testing.assert_allclose(means[:, 0], counts @ sums / (counts @ sizes))


def test_area_over_groups_is_that_of_the_drawn_examples():
    generator = np.random.default_rng(0)
    labels, groups = np.tile([0, 1, 1], 20), np.repeat(np.arange(12), 5)
    scores = (labels + generator.normal(size=60)).round(1)  # some are tied
    above, below = scores[labels == 1][:, None], scores[labels == 0]
    wins = (above > below) + (above == below) / 2  # [positive, negative]
    drawn = np.concatenate(list(resample_counts(12)))[:, groups].astype("float64")
    up, down = drawn[:, labels == 1], drawn[:, labels == 0]
    areas = ((up @ wins) * down).sum(1) / (up.sum(1) * down.sum(1))

    found = grouped_auc_interval(labels=labels, scores=scores, groups=groups)

    np.testing.assert_allclose(found, np.quantile(areas, [0.025, 0.975]), rtol=1e-9)


@pytest.mark.parametrize("turned", [False, True])
def test_a_perfect_ranking_is_bounded_by_the_rarer_class(turned):
    labels = np.repeat([1, 0], [40, 10])
    scores = -labels if turned else labels

    interval = auc_interval(labels=labels, scores=scores.astype(float))

    expected = (0.0, 0.2775) if turned else (0.7225, 1.0)  # Wilson, of 10
    assert interval == pytest.approx(expected, abs=1e-4)


def test_bootstrap_intervals_cover_what_they_are_asked_to():
    values = np.repeat([1.0, 0.0], [850, 150])

    interval = bootstrap_interval(values, num_resamples=20_000, confidence=0.8)

    expected = binom.ppf([0.1, 0.9], 1000, 0.85) / 1000
    assert interval == pytest.approx(tuple(expected), abs=0.0015)


def test_the_interval_of_a_grouped_area_covers_what_it_is_asked_to():
    labels, groups = np.tile([0, 1], 100), np.arange(200)
    scores = labels + np.random.default_rng(0).normal(size=200)

    def bounds(confidence):
        return grouped_auc_interval(
            labels=labels, scores=scores, groups=groups, confidence=confidence
        )

    # as many pictures as groups: what DeLong's interval says of the same ranking
    for confidence in (0.8, 0.95):
        expected = auc_interval(labels=labels, scores=scores, confidence=confidence)
        assert bounds(confidence) == pytest.approx(expected, abs=0.01)


def test_another_seed_draws_other_samples():
    one, same, other = (
        next(resample_counts(50, num_resamples=3, seed=seed)) for seed in (0, 0, 1)
    )

    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_columns_are_drawn_together_and_stay_apart():
    values = np.array([[1.0, 10.0], [0.0, 30.0], [1.0, 20.0]])
    groups = np.array([5, 5, 9])

    both = bootstrap_means(values, groups=groups, num_resamples=50)

    for column in (0, 1):
        alone = bootstrap_means(values[:, [column]], groups=groups, num_resamples=50)
        np.testing.assert_allclose(both[:, [column]], alone)


def test_no_block_of_samples_repeats_another(monkeypatch):
    monkeypatch.setattr(intervals, "MAX_CELLS", 50)

    blocks = list(resample_counts(50, num_resamples=40))

    assert len(blocks) == 40
    assert len({block.tobytes() for block in blocks}) == 40


def test_every_interval_is_drawn_by_the_seed_that_it_is_given():
    values = np.random.default_rng(0).normal(size=30)
    labels, groups = np.arange(30) % 2, np.arange(30) // 2

    for draw in (
        lambda seed: bootstrap_interval(values, seed=seed),
        lambda seed: bootstrap_interval(values, groups=groups, seed=seed),
        lambda seed: grouped_auc_interval(
            labels=labels, scores=values, groups=groups, seed=seed
        ),
    ):
        assert draw(0) == draw(0)
        assert draw(0) != draw(1)


def test_a_share_is_bounded_by_the_confidence_that_is_asked_for():
    z, share, trials = 1.6448536, 0.3, 10  # of 90 %
    middle = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    reach = z * math.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    reach /= 1 + z**2 / trials

    found = wilson_interval(3, 10, confidence=0.9)

    assert found == pytest.approx((middle - reach, middle + reach), abs=1e-6)
