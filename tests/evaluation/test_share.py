"""Prediction-powered shares: by closed forms, by hand and by simulation."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats

from pixsent_tf.evaluation import share


def drawn(rng, true_share, *, count=2000, strength=1.0):
    """Labels of pictures, and probabilities that are wrong in their level."""
    truth = (rng.random(count) < true_share).astype(float)
    logits = strength * (2 * truth - 1) + rng.normal(size=count) + 0.8
    return truth, 1 / (1 + np.exp(-2 * logits))


def answers_of(scores):
    return share.Answers(len(scores), scores.sum(), (scores**2).sum())


def labels_of(truth, scores, weights=None, units=None):
    return share.Labels(
        truth,
        scores,
        np.ones(len(truth)) if weights is None else weights,
        np.arange(len(truth)) if units is None else units,
    )


def test_it_is_ppi_plus_plus_with_the_labelled_taken_out_of_the_unlabelled():
    rng = np.random.default_rng(1)
    truth, scores = drawn(rng, 0.3)
    n, rest = 100, 1900

    found = share.estimate(
        answers_of(scores), labels_of(truth[:n], scores[:n]), num_units=n
    )

    y, f, unlabelled = truth[:n], scores[:n], scores[n:]
    best = np.cov(y, f)[0, 1] / f.var(ddof=1) / (1 + n / rest)
    value = best * unlabelled.mean() + (y - best * f).mean()
    error = y - f * best * (n + rest) / rest
    variance = error.var() / (n - 2)
    variance += (best * (n + rest) / rest) ** 2 * scores.var() / (n + rest)
    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.variance == pytest.approx(variance, rel=1e-9)


def test_the_variance_is_that_of_two_samples_up_to_the_degrees_of_freedom():
    rng = np.random.default_rng(2)
    truth, scores = drawn(rng, 0.4)
    n, rest = 200, 1800

    found = share.estimate(
        answers_of(scores), labels_of(truth[:n], scores[:n]), num_units=n
    )

    y, f, unlabelled = truth[:n], scores[:n], scores[n:]
    best = np.cov(y, f)[0, 1] / f.var(ddof=1) / (1 + n / rest)
    two_samples = best**2 * unlabelled.var() / rest + (y - best * f).var() / n
    assert found.variance == pytest.approx(two_samples, rel=0.02)


def test_useless_answers_leave_the_mean_of_the_labels():
    truth = np.array([1.0, 0, 0, 1, 0, 0, 0, 1, 0, 0])

    found = share.estimate(
        share.Answers(500, 0.0, 0.0), labels_of(truth, np.zeros(10)), num_units=10
    )

    assert found.value == pytest.approx(0.3)
    assert found.variance == pytest.approx(0.3 * 0.7 / 8)


def test_an_interval_is_wilson_s_for_the_labels_that_the_variance_is_worth():
    found = share.Estimate(0.1, np.zeros(1), 0.1 * 0.9 / 80, 10**7)

    wilson = stats.binomtest(8, 80).proportion_ci(method="wilson")
    assert found.interval == pytest.approx((wilson.low, wilson.high), abs=1e-5)


def test_labels_without_any_error_do_not_make_an_interval_of_no_width():
    truth = np.repeat([0.0, 1.0], 50)
    scores = np.repeat([0.0, 1.0], 50_000)

    found = share.estimate(answers_of(scores), labels_of(truth, truth), num_units=100)

    low, high = found.interval
    assert high - low > 0.03


def test_two_labels_give_no_interval():
    found = share.estimate(
        share.Answers(9, 4.0, 4.0), labels_of(np.ones(2), np.ones(2)), num_units=2
    )

    assert found.interval is None
    assert found.p is None


def test_groups_of_one_are_no_groups():
    rng = np.random.default_rng(3)
    truth, scores = drawn(rng, 0.3, count=1000)
    units = rng.choice(1000, 100, replace=False)
    alone = labels_of(truth[units], scores[units])
    grouped = labels_of(truth[units], scores[units], units=units)
    in_groups = share.Answers(
        1000, scores.sum(), (scores**2).sum(), np.ones(1000), scores
    )

    plain = share.estimate(answers_of(scores), alone, num_units=100)
    clustered = share.estimate(in_groups, grouped, num_units=1000)

    assert clustered.value == pytest.approx(plain.value)
    assert clustered.variance == pytest.approx(plain.variance, rel=0.02)


def test_pictures_repeated_in_a_group_count_once():
    rng = np.random.default_rng(4)
    truth, scores = drawn(rng, 0.5, count=400)
    once = labels_of(truth[:40], scores[:40])
    thrice = labels_of(
        truth[:40].repeat(3), scores[:40].repeat(3), units=np.arange(40).repeat(3)
    )
    table = share.Answers(
        1200,
        3 * scores.sum(),
        3 * (scores**2).sum(),
        np.full(400, 3.0),
        3 * scores,
    )
    single = share.Answers(400, scores.sum(), (scores**2).sum(), np.ones(400), scores)

    first = share.estimate(single, once, num_units=400)
    second = share.estimate(table, thrice, num_units=400)

    # but for the slope, which seems to come from three times as many pictures
    spent = (39 / 38) / (119 / 118)
    assert second.variance == pytest.approx(first.variance / spent, rel=0.002)
    assert second.value == pytest.approx(first.value)


@pytest.mark.parametrize("true_share", [0.1, 0.5, 0.9])
def test_intervals_cover_the_truth_and_are_narrower_than_of_labels_alone(true_share):
    rng = np.random.default_rng(5)
    covered, widths, alone = [], [], []
    for _ in range(400):
        truth, scores = drawn(rng, true_share, strength=1.5)
        y, f = truth[:100], scores[:100]
        found = share.estimate(answers_of(scores), labels_of(y, f), num_units=100)
        low, high = found.interval
        covered.append(low <= true_share <= high)
        widths.append(high - low)
        nothing = share.Answers(2000, 0.0, 0.0)
        low, high = share.estimate(
            nothing, labels_of(y, np.zeros(100)), num_units=100
        ).interval
        alone.append(high - low)

    assert 0.92 <= np.mean(covered) <= 0.98
    assert np.mean(widths) < 0.9 * np.mean(alone)


def test_weights_put_a_sample_of_uncertain_pictures_right():
    rng = np.random.default_rng(6)
    with_weights, without = [], []
    for _ in range(400):
        truth, scores = drawn(rng, 0.3)
        uncertain = 0.02 + scores * (1 - scores)
        chances = 150 * uncertain / uncertain.sum()
        taken = rng.random(len(truth)) < chances
        y, f, n = truth[taken], scores[taken], int(taken.sum())
        for weights, covered in ((1 / chances[taken], with_weights), (None, without)):
            labels = labels_of(y, f, weights)
            low, high = share.estimate(answers_of(scores), labels, num_units=n).interval
            covered.append(low <= 0.3 <= high)

    assert 0.92 <= np.mean(with_weights) <= 0.98
    assert np.mean(without) < 0.9


def test_clustered_intervals_cover_where_others_do_not():
    rng = np.random.default_rng(7)
    clustered, independent = [], []
    for _ in range(400):
        chances = rng.beta(0.8, 0.8, 300).repeat(8)
        truth = (rng.random(2400) < chances).astype(float)
        scores = np.clip(0.3 + 0.4 * truth + 0.15 * rng.normal(size=2400), 0, 1)
        users = np.arange(300).repeat(8)
        labelled = np.isin(users, rng.choice(300, 40, replace=False))
        y, f = truth[labelled], scores[labelled]
        table = share.Answers(
            2400,
            scores.sum(),
            (scores**2).sum(),
            np.full(300, 8.0),
            np.bincount(users, scores),
        )
        labels = labels_of(y, f, units=users[labelled])
        for found, covered in (
            (share.estimate(table, labels, num_units=300), clustered),
            (
                share.estimate(answers_of(scores), labels_of(y, f), num_units=320),
                independent,
            ),
        ):
            low, high = found.interval
            covered.append(low <= 0.5 <= high)

    assert 0.92 <= np.mean(clustered) <= 0.98
    assert np.mean(independent) < np.mean(clustered) - 0.05


def test_differences_of_cells_cover():
    rng = np.random.default_rng(8)
    covered = []
    for _ in range(400):
        parts = []
        for cell, true_share in enumerate((0.3, 0.5)):
            truth, scores = drawn(rng, true_share)
            units = np.arange(60) + 60 * cell
            labels = labels_of(truth[:60], scores[:60], units=units)
            parts.append(share.estimate(answers_of(scores), labels, num_units=120))
        low, high = share.combine(parts, [1, -1]).interval
        covered.append(low <= -0.2 <= high)

    assert 0.92 <= np.mean(covered) <= 0.98


def test_a_difference_from_itself_is_nothing():
    rng = np.random.default_rng(9)
    truth, scores = drawn(rng, 0.3)
    one = share.estimate(
        answers_of(scores), labels_of(truth[:50], scores[:50]), num_units=50
    )
    nothing = share.combine([one, one], [1, -1])

    assert nothing.value == 0
    assert not nothing.influence.any()


def test_a_trend_is_the_slope_of_a_line():
    values = [0.1, 0.25, 0.2, 0.5]
    cells = [share.Estimate(value, np.zeros(1), 0.01, 9) for value in values]

    found = share.trend(cells)

    slope = stats.linregress(range(4), values).slope
    assert found.value == pytest.approx(slope)
    assert found.variance == pytest.approx(0.01 / 5)  # sum of squared steps


def test_a_cell_whose_errors_differ_may_not_borrow():
    rng = np.random.default_rng(10)
    truth, scores = drawn(rng, 0.5)
    others = labels_of(truth[:100], scores[:100])
    alike = labels_of(truth[100:110], scores[100:110])
    apart = labels_of(np.zeros(10), np.full(10, 0.98))

    assert share.may_borrow(alike, others)
    assert not share.may_borrow(apart, others)
    assert share.may_borrow(alike.take(np.arange(1)), others)
    assert not share.may_borrow(alike, others.take(np.arange(2)))


def test_labels_for_a_width_are_those_of_the_textbook():
    assert [share.labels_for(half) for half in (0.1, 0.05)] == [97, 385]


def test_unequal_weights_leave_fewer_degrees_of_freedom():
    weights = np.array([1.0, 1, 1, 1, 4, 4])
    table = share.Answers(60, 0.0, 0.0)
    truth = np.array([0.0, 1, 0, 1, 0, 1])

    found = share.estimate(table, labels_of(truth, np.zeros(6), weights), num_units=6)
    equal = share.estimate(table, labels_of(truth, np.zeros(6)), num_units=6)

    assert found.degrees == int(12**2 / 36) - 2
    assert equal.degrees == 4


def test_an_interval_holds_what_the_estimate_does_not_refute():
    curve = (0.05, 0.3, -0.2)  # a variance of .05 at 0, .15 at 1
    found = share.Estimate(0.1, np.zeros(1), 0.002, 10**7, curve)

    low, high = found.interval

    grid = np.linspace(0, 1, 200_001)
    scale = 0.002 / (0.05 + 0.03 - 0.002)
    variance = scale * (0.05 + 0.3 * grid - 0.2 * grid**2)
    held = grid[(0.1 - grid) ** 2 <= stats.norm.ppf(0.975) ** 2 * variance]
    assert (low, high) == pytest.approx((held.min(), held.max()), abs=1e-5)


def test_the_variance_at_another_share_is_that_of_the_mixed_classes():
    rng = np.random.default_rng(11)
    truth, scores = drawn(rng, 0.3, count=20_000)
    labels = labels_of(truth, scores)

    a, b, c = share.estimate(answers_of(scores), labels, num_units=20_000).curve

    error = truth - labels.slope * scores
    for other in (0.1, 0.5, 0.8):
        weights = np.where(truth == 1, other / 0.3, (1 - other) / 0.7)
        mean = np.average(error, weights=weights)
        mixed = np.average((error - mean) ** 2, weights=weights)
        assert a + b * other + c * other**2 == pytest.approx(mixed, rel=0.03)


def test_a_variance_that_few_errors_decide_has_fewer_degrees_of_freedom():
    rng = np.random.default_rng(12)
    n = 200
    truth = np.repeat([0.0, 1.0], n // 2)
    flipped = np.concatenate([rng.permutation(n // 2) + start for start in (0, 100)])
    scores = truth.copy()
    wrong = [*flipped[:6], *flipped[-6:]]  # as many either way: nothing to lean on
    scores[wrong] = 1 - scores[wrong]

    found = share.estimate(answers_of(scores), labels_of(truth, scores), num_units=n)

    # by the moments of errors that are ±.94 on 12 of 200 and near 0 elsewhere
    assert 20 < found.degrees < 40


def test_few_clusters_leave_few_degrees_of_freedom():
    rng = np.random.default_rng(13)
    truth, scores = drawn(rng, 0.5, count=400)
    users = np.arange(400) // 4
    table = share.Answers(
        400,
        scores.sum(),
        (scores**2).sum(),
        np.full(100, 4.0),
        np.bincount(users, scores),
    )
    labels = labels_of(truth[:40], scores[:40], units=users[:40])

    assert share.estimate(table, labels, num_units=100).degrees <= 9


def test_useless_answers_make_no_interval_wider():
    rng = np.random.default_rng(14)
    widths = []
    for _ in range(200):
        truth = (rng.random(1000) < 0.2).astype(float)
        useless = rng.random(1000)
        for scores in (useless, np.zeros(1000)):
            labels = labels_of(truth[:60], scores[:60])
            found = share.estimate(answers_of(scores), labels, num_units=60)
            widths.append(found.interval[1] - found.interval[0])

    assert np.mean(widths[::2]) < 1.02 * np.mean(widths[1::2])


@pytest.fixture(scope="module")
def ppi_py():
    """The package of those who invented it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it imports
        return pytest.importorskip("ppi_py", exc_type=ImportError)


def test_ppi_python_gives_the_same_share(ppi_py):
    rng = np.random.default_rng(15)
    truth, scores = drawn(rng, 0.3)
    n, rest = 150, 1850
    labels = labels_of(truth[:n], scores[:n])

    found = share.estimate(answers_of(scores), labels, num_units=n)

    # theirs takes the labelled pictures out of the unlabelled ones
    lam = labels.slope * rest / (n + rest)
    theirs = ppi_py.ppi_mean_pointestimate(truth[:n], scores[:n], scores[n:], lam=lam)
    assert found.value == pytest.approx(theirs.item(), abs=1e-12)


def test_ppi_python_gives_the_same_share_of_a_weighted_sample(ppi_py):
    rng = np.random.default_rng(16)
    truth, scores = drawn(rng, 0.3)
    chances = 0.02 + 0.2 * scores * (1 - scores)
    taken = rng.random(len(truth)) < chances
    weights = 1 / chances[taken]
    labels = labels_of(truth[taken], scores[taken], weights)

    found = share.estimate(answers_of(scores), labels, num_units=int(taken.sum()))

    theirs = ppi_py.ppi_mean_pointestimate(
        truth[taken], scores[taken], scores, lam=labels.slope, w=weights
    )
    assert found.value == pytest.approx(theirs.item(), abs=1e-12)


@pytest.mark.parametrize("true_share", [0.2, 0.5])
def test_ppi_python_gives_the_same_interval_where_labels_are_many(ppi_py, true_share):
    rng = np.random.default_rng(17)
    truth, scores = drawn(rng, true_share, count=40_000)
    n = 4000
    found = share.estimate(
        answers_of(scores), labels_of(truth[:n], scores[:n]), num_units=n
    )

    theirs = ppi_py.ppi_mean_ci(truth[:n], scores[:n], scores[n:], alpha=0.05)

    width = theirs[1].item() - theirs[0].item()
    assert np.abs(np.subtract(found.interval, np.ravel(theirs))).max() < 0.02 * width


def flat(*truth):
    """Labels of pictures whose scores say nothing."""
    return labels_of(np.array(truth, dtype=float), np.zeros(len(truth)))


def test_a_cell_is_refused_where_one_of_twenty_alike_would_be():
    others = flat(0.1, 0.2, 0.3, 0.4, 0.5)
    own = flat(0.3, 0.5, 0.7)
    p = stats.ttest_ind(own.truth, others.truth, equal_var=False).pvalue
    assert 0.05 < p < 0.3

    moved = own.truth + np.arange(0, 0.6, 0.001)[:, None]  # ever further apart
    pvalues = stats.ttest_ind(moved, others.truth[None], equal_var=False, axis=1).pvalue
    nearest = [np.flatnonzero(pvalues >= 0.05)[-1], np.flatnonzero(pvalues < 0.05)[0]]
    borrows = [share.may_borrow(flat(*moved[i]), others) for i in nearest]

    assert borrows == [True, False]


def test_equal_labels_are_as_uncertain_as_those_of_the_others():
    others = flat(0, 0.1, 0.2)  # variance .01, so that t is off / sqrt(.01 * 5 / 6)

    # t of two degrees of freedom is 4.303 at 5 %: off .393
    assert share.may_borrow(flat(0.1 + 0.39, 0.1 + 0.39), others)
    assert not share.may_borrow(flat(0.1 + 0.40, 0.1 + 0.40), others)


def test_a_combination_is_as_sure_as_its_least_sure_part():
    parts = [share.Estimate(0.5, np.zeros(1), 0.01, degrees) for degrees in (9, 3, 5)]

    assert share.combine(parts, [1, -1, 1]).degrees == 3


def test_a_difference_is_tested_on_both_sides():
    found = share.Estimate(-0.2, np.zeros(1), 0.01, 10)

    assert found.p == pytest.approx(stats.t.cdf(-2, 10) + stats.t.sf(2, 10))


def test_two_labels_have_no_slope():
    assert labels_of(np.array([0.0, 1.0]), np.array([0.2, 0.9])).slope == 0
    assert labels_of(np.array([0.0, 1.0, 1.0]), np.array([0.2, 0.9, 0.9])).slope > 1


@pytest.mark.parametrize(("outside", "end"), [(-0.05, 0.0), (1.05, 1.0)])
def test_a_share_outside_is_as_uncertain_as_the_end_that_it_passes(outside, end):
    beyond, at_end = (
        share.Estimate(value, np.zeros(1), 0.01, 10).interval
        for value in (outside, end)
    )

    assert beyond == pytest.approx(at_end)
    assert 0 <= beyond[0] < beyond[1] <= 1


def test_the_slope_counts_each_label_by_the_square_of_its_weight():
    # an unlike weight for each; by hand, with w² as the weights of a regression of
    # what is left after the weighted means
    truth = np.array([0.0, 1.0, 0.0, 1.0, 1.0])
    scores = np.array([0.1, 0.7, 0.6, 0.4, 0.9])
    weights = np.array([1.0, 2.0, 3.0, 4.0, 0.5])
    centered = [
        values - np.average(values, weights=weights) for values in (truth, scores)
    ]
    root = weights[:, None]
    by_hand = np.linalg.lstsq(
        root * centered[1][:, None], weights * centered[0], rcond=None
    )[0]

    assert labels_of(truth, scores, weights).slope == pytest.approx(by_hand[0])


def test_units_without_a_label_leave_the_degrees_of_freedom_alone():
    rng = np.random.default_rng(8)
    truth, scores = drawn(rng, 0.1, count=500)
    few = labels_of(truth[:30], scores[:30], units=np.arange(0, 60, 2))

    plain, among_others = (
        share.estimate(answers_of(scores), few, num_units=count) for count in (60, 500)
    )

    assert among_others.degrees == pytest.approx(plain.degrees)
    alone = share.estimate(
        answers_of(scores), labels_of(truth[:30], scores[:30]), num_units=30
    )
    assert among_others.degrees == pytest.approx(alone.degrees)
    assert among_others.degrees < 28  # few errors decide the variance
