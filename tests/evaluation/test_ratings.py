"""Numbers of ratings against scipy, closed forms and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pixsent_tf.evaluation import ratings

GENERATOR = np.random.default_rng(0)
TRUTH = GENERATOR.normal(4, 1, 200).round(1)  # with ties
ANSWERS = (0.6 * TRUTH + GENERATOR.normal(0, 0.8, 200) + 1).round(1)


def test_the_measures_are_those_of_their_definitions():
    found = ratings.measure(ratings=TRUTH, answers=ANSWERS)

    assert found["pearson_r"] == pytest.approx(stats.pearsonr(TRUTH, ANSWERS)[0])
    assert found["spearman"] == pytest.approx(stats.spearmanr(TRUTH, ANSWERS)[0])
    assert found["rmse"] == pytest.approx(np.sqrt(((TRUTH - ANSWERS) ** 2).mean()))
    assert found["mae"] == pytest.approx(np.abs(TRUTH - ANSWERS).mean())


def test_concordance_is_lins():
    # Lin: twice the covariance over both variances and the squared shift
    covariance = np.cov(TRUTH, ANSWERS, ddof=0)
    below = covariance[0, 0] + covariance[1, 1] + (TRUTH.mean() - ANSWERS.mean()) ** 2

    found = ratings.measure(ratings=TRUTH, answers=ANSWERS)["ccc"]

    assert found == pytest.approx(2 * covariance[0, 1] / below)


def test_a_shift_costs_concordance_and_no_correlation():
    found = ratings.measure(ratings=TRUTH, answers=TRUTH + 1)

    assert found["pearson_r"] == pytest.approx(1)
    assert found["ccc"] < 0.8


def test_equal_answers_have_no_correlation_and_no_concordance():
    found = ratings.summarize(
        target="valence", ratings=TRUTH, answers=np.full(200, 4.2)
    )

    assert found["pearson_r"] is None
    assert found["spearman"] is None
    assert found["bootstrap_intervals"]["pearson_r"] is None
    assert found["ccc"] == pytest.approx(0)


def test_intervals_are_those_of_a_plain_bootstrap():
    generator = np.random.default_rng(7)
    samples = generator.integers(0, 200, (1000, 200))
    by_hand = {
        "pearson_r": lambda t, a: stats.pearsonr(t, a)[0],
        "spearman": lambda t, a: stats.spearmanr(t, a)[0],
        "mae": lambda t, a: np.abs(t - a).mean(),
    }
    found = ratings.summarize(target="valence", ratings=TRUTH, answers=ANSWERS)

    for name, measure in by_hand.items():
        drawn = [measure(TRUTH[one], ANSWERS[one]) for one in samples]
        expected = np.quantile(drawn, [0.025, 0.975])
        assert found["bootstrap_intervals"][name] == pytest.approx(expected, abs=0.02)


def test_groups_are_drawn_whole():
    repeated = np.repeat(np.arange(20), 10)
    few = ratings.summarize(
        target="v", ratings=TRUTH[repeated], answers=ANSWERS[repeated], groups=repeated
    )
    many = ratings.summarize(
        target="v", ratings=TRUTH[repeated], answers=ANSWERS[repeated]
    )

    def width(found):
        low, high = found["bootstrap_intervals"]["pearson_r"]
        return high - low

    assert width(few) > 2 * width(many)  # twenty pictures are not two hundred


def test_shuffled_ratings_stay_within_the_null_band():
    generator = np.random.default_rng(0)
    low, high = ratings.null_band(200)
    drawn = [
        np.corrcoef(generator.permutation(TRUTH), ANSWERS)[0, 1] for _ in range(2000)
    ]

    inside = np.mean([low <= r <= high for r in drawn])

    assert inside == pytest.approx(0.95, abs=0.015)


def test_folds_have_numbers_of_their_own():
    folds = np.repeat([1, 2], 100)
    found = ratings.summarize(
        target="valence", ratings=TRUTH, answers=ANSWERS, folds=folds
    )

    assert found["per_fold_r"] == pytest.approx(
        [stats.pearsonr(TRUTH[p], ANSWERS[p])[0] for p in (folds == 1, folds == 2)]
    )


def test_williams_test_is_that_of_the_published_example():
    # Steiger 1980: r of .4 and .5 with one variable, .1 between them, 103 examples
    wanted = np.array([[1, 0.4, 0.5], [0.4, 1, 0.1], [0.5, 0.1, 1]])
    generator = np.random.default_rng(0)
    raw = generator.normal(size=(103, 3))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw.T)).T)
    truth, first, second = (white @ np.linalg.cholesky(wanted).T).T

    p = ratings.williams(truth, first, second)

    assert stats.t.isf(p / 2, 100) == pytest.approx(0.89, abs=0.01)


def test_p_values_of_equal_models_are_spread_evenly():
    generator = np.random.default_rng(0)
    found = []
    for _ in range(400):
        truth = generator.normal(size=80)
        answers = truth + generator.normal(0, 1, (2, 80))
        found.append(ratings.williams(truth, *answers))

    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.03)


def test_the_closer_model_has_the_smaller_error_and_the_larger_correlation():
    close = TRUTH + GENERATOR.normal(0, 0.1, 200)
    (pair,) = ratings.compare(
        names=["close", "far"],
        targets=["valence"],
        ratings=TRUTH[:, None],
        answers=np.stack([close, ANSWERS])[:, :, None],
    )

    assert pair["pearson_r_difference_interval"][0] > 0
    assert pair["rmse_difference_interval"][1] < 0
    assert pair["williams_p_holm"] < 1e-6


def test_a_model_does_not_differ_from_itself():
    (pair,) = ratings.compare(
        names=["a", "b"],
        targets=["valence"],
        ratings=TRUTH[:, None],
        answers=np.stack([ANSWERS, ANSWERS])[:, :, None],
    )

    assert pair["williams_p"] == 1
    assert pair["rmse_difference_interval"] == [0, 0]
