"""Numbers of ratings against scipy, closed forms and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pixsent_tf.evaluation import ratings
from pixsent_tf.evaluation.intervals import resample_counts

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


def compared(*answers):
    return ratings.compare(
        names="abc"[: len(answers)],
        targets=["valence"],
        ratings=TRUTH[:, None],
        answers=np.stack(answers)[:, :, None],
    )


def test_differences_are_the_first_models_less_the_seconds():
    other = TRUTH + np.random.default_rng(5).normal(0, 2, 200)

    (pair,) = compared(ANSWERS, other)

    r = [stats.pearsonr(TRUTH, each)[0] for each in (ANSWERS, other)]
    rmse = [((each - TRUTH) ** 2).mean() ** 0.5 for each in (ANSWERS, other)]
    assert pair["pearson_r_difference"] == pytest.approx(r[0] - r[1])
    assert pair["rmse_difference"] == pytest.approx(rmse[0] - rmse[1])
    drawn = np.concatenate(list(resample_counts(200))) / 200
    off = [np.sqrt(drawn @ (each - TRUTH) ** 2) for each in (ANSWERS, other)]
    assert pair["rmse_difference_interval"] == pytest.approx(
        np.quantile(off[0] - off[1], [0.025, 0.975]).tolist()
    )


def test_the_values_of_all_pairs_are_corrected_together():
    others = TRUTH + np.random.default_rng(5).normal(0, 1, (2, 200)) * [[1.1], [1.3]]

    pairs = compared(ANSWERS, *others)

    alone = np.sort([pair["williams_p"] for pair in pairs])
    by_hand = np.maximum.accumulate(alone * [3, 2, 1]).clip(max=1)
    together = sorted(pair["williams_p_holm"] for pair in pairs)
    assert together == pytest.approx(by_hand)
    assert together[0] == pytest.approx(3 * alone[0])


def test_williams_test_of_few_examples_has_three_degrees_less():
    truth = np.array([1.0, 2, 3, 4, 5, 6])
    first, second = np.array([1.0, 3, 2, 5, 4, 6]), np.array([2.0, 1, 4, 6, 3, 5])
    a, b, c = (
        stats.pearsonr(*pair)[0]
        for pair in ((truth, first), (truth, second), (first, second))
    )
    determinant = 1 - a**2 - b**2 - c**2 + 2 * a * b * c
    below = 2 * 5 / 3 * determinant + ((a + b) / 2) ** 2 * (1 - c) ** 3
    statistic = (a - b) * (5 * (1 + c) / below) ** 0.5

    found = ratings.williams(truth, first, second)

    assert found == pytest.approx(2 * stats.t.sf(abs(statistic), 3))


def test_the_band_of_chance_by_hand():
    assert ratings.null_band(5) == pytest.approx((-0.979982, 0.979982))


def test_the_spread_of_the_ratings_is_that_of_the_examples_at_hand():
    found = ratings.summarize(
        target="valence",
        ratings=np.array([1.0, 2.0, 3.0]),
        answers=np.array([1.0, 2.5, 3.0]),
    )

    assert found["rating_sd"] == pytest.approx((2 / 3) ** 0.5)


def test_as_many_groups_are_drawn_as_there_are():
    alone, fivefold = (
        ratings.summarize(
            target="valence",
            ratings=TRUTH[:40].repeat(times),
            answers=ANSWERS[:40].repeat(times),
            groups=np.arange(40).repeat(times),
        )["bootstrap_intervals"]
        for times in (1, 5)
    )

    assert fivefold["rmse"] == pytest.approx(alone["rmse"])
    assert fivefold["spearman"] == pytest.approx(alone["spearman"])


def test_four_examples_are_tested_and_three_are_not():
    truth, first, second = (
        np.array(x) for x in ([1.0, 2, 3, 5], [1.0, 3, 2, 6], [4.0, 1, 2, 3])
    )

    assert ratings.williams(truth, first, second) < 1
    assert ratings.williams(truth[:3], first[:3], second[:3]) == 1


def test_two_examples_correlate_anyhow():
    assert ratings.null_band(2) == (-1, 1)
    assert ratings.null_band(1) == (-1, 1)


def test_each_fold_has_the_root_of_its_own_mean_squared_error():
    folds = np.repeat([2, 1], [50, 150])

    found = ratings.summarize(
        target="valence", ratings=TRUTH, answers=ANSWERS, folds=folds
    )

    squares = (TRUTH - ANSWERS) ** 2
    assert found["per_fold_rmse"] == pytest.approx(
        [squares[50:].mean() ** 0.5, squares[:50].mean() ** 0.5]
    )


def test_intervals_of_concordance_and_error_are_those_of_a_plain_bootstrap():
    drawn = np.concatenate(list(resample_counts(200))).astype(int)
    samples = [np.repeat(np.arange(200), counts) for counts in drawn[:1000]]
    found = ratings.summarize(target="valence", ratings=TRUTH, answers=ANSWERS)

    def concordance(told, said):
        below = told.var() + said.var() + (told.mean() - said.mean()) ** 2
        return 2 * np.cov(told, said, ddof=0)[0, 1] / below

    def error(told, said):
        return ((told - said) ** 2).mean() ** 0.5

    for name, measure in (("ccc", concordance), ("rmse", error)):
        expected = np.quantile(
            [measure(TRUTH[one], ANSWERS[one]) for one in samples], [0.025, 0.975]
        )
        assert found["bootstrap_intervals"][name] == pytest.approx(expected, abs=0.01)


def test_a_summary_tells_each_measure_under_its_own_name():
    shifted = 2 * TRUTH + 1  # correlates fully, and is far off
    found = ratings.summarize(target="arousal", ratings=TRUTH, answers=shifted)

    off, spread = TRUTH + 1, TRUTH.var()
    concordance = 4 * spread / (5 * spread + off.mean() ** 2)
    assert found["target"] == "arousal"
    assert found["pearson_r"] == pytest.approx(1)
    assert found["spearman"] == pytest.approx(1)
    assert found["ccc"] == pytest.approx(concordance)
    assert found["mae"] == pytest.approx(off.mean())
    assert found["rmse"] == pytest.approx(np.sqrt((off**2).mean()))


def test_every_pair_is_compared_on_every_target_by_its_own_answers():
    truth = np.stack([TRUTH, -TRUTH, TRUTH[::-1]], axis=1)  # three targets
    errors = np.random.default_rng(3).normal(size=(3, 200, 3))
    size = np.arange(1.0, 10.0).reshape(3, 1, 3)  # no two errors are alike
    answers = truth + errors * size

    pairs = ratings.compare(
        names=["a", "b", "c"],
        targets=["valence", "arousal", "dominance"],
        ratings=truth,
        answers=answers,
    )

    rmse = np.sqrt(((answers - truth) ** 2).mean(axis=1))  # [models, targets]
    assert [(pair["first"], pair["second"], pair["target"]) for pair in pairs] == [
        (a, b, target)
        for a, b in ("ab", "ac", "bc")
        for target in ("valence", "arousal", "dominance")
    ]
    for pair in pairs:
        k = ["valence", "arousal", "dominance"].index(pair["target"])
        models = ["abc".index(pair[side]) for side in ("first", "second")]
        assert pair["rmse"] == pytest.approx(rmse[models, k])
        assert pair["pearson_r"] == pytest.approx(
            [stats.pearsonr(truth[:, k], answers[m, :, k])[0] for m in models]
        )
