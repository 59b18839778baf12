"""Distances of distributions against their closed forms, and simulated raters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance
from sklearn.metrics import f1_score

from pixsent_tf.evaluation import distributions

GENERATOR = np.random.default_rng(0)
VOTES = GENERATOR.multinomial(9, GENERATOR.dirichlet(np.ones(5), 60))
SHARES = VOTES / 9
PROBS = GENERATOR.dirichlet(np.ones(5), 60)


def test_a_picture_by_hand():
    found = distributions.measure(
        shares=np.array([[0.5, 0.5, 0.0]]), probs=np.array([[0.2, 0.6, 0.2]])
    )

    assert found["kl"] == pytest.approx(0.5 * np.log(2.5) + 0.5 * np.log(5 / 6))
    assert found["chebyshev"] == pytest.approx(0.3)
    assert found["clark"] == pytest.approx(np.sqrt((3 / 7) ** 2 + (1 / 11) ** 2 + 1))
    assert found["canberra"] == pytest.approx(3 / 7 + 1 / 11 + 1)
    assert found["cosine"] == pytest.approx(0.4 / np.sqrt(0.5 * 0.44))
    assert found["intersection"] == pytest.approx(0.7)
    assert found["top1"] == 1  # the first two classes have as many votes


def test_distances_are_those_of_scipy():
    found = distributions.measure(shares=SHARES, probs=PROBS)
    pairs = list(zip(SHARES, PROBS, strict=True))

    assert found["kl"] == pytest.approx(np.mean([stats.entropy(*p) for p in pairs]))
    for name in ("chebyshev", "canberra"):
        by_hand = np.mean([getattr(distance, name)(*p) for p in pairs])
        assert found[name] == pytest.approx(by_hand)
    by_hand = np.mean([1 - distance.cosine(*p) for p in pairs])
    assert found["cosine"] == pytest.approx(by_hand)


def test_macro_f1_is_that_of_scikit_learn():
    labels = np.arange(60) % 5
    found = distributions.measure(shares=np.eye(5)[labels], probs=PROBS)

    by_hand = f1_score(labels, PROBS.argmax(axis=1), average="macro")
    assert found["macro_f1"] == pytest.approx(by_hand)


def test_the_same_shares_are_no_distance_apart():
    found = distributions.measure(shares=SHARES, probs=SHARES)

    assert found["kl"] == pytest.approx(0)
    assert found["clark"] == found["canberra"] == found["chebyshev"] == 0
    assert found["intersection"] == pytest.approx(1)
    assert found["top1"] == found["macro_f1"] == 1


def test_a_share_that_is_answered_by_nothing_has_no_divergence():
    found = distributions.measure(
        shares=np.array([[0.5, 0.5]]), probs=np.array([[1.0, 0.0]])
    )

    assert found["kl"] is None


def test_baselines_know_the_other_folds_only():
    folds = np.repeat([1, 2], 30)
    found = distributions.summarize(votes=VOTES, probs=PROBS, folds=folds)

    others = np.stack([SHARES[folds != k].mean(axis=0) for k in folds])
    assert found["mean_baseline"] == distributions.measure(shares=SHARES, probs=others)
    assert found["majority_baseline"]["kl"] is None


@pytest.mark.parametrize("raters", [3, 20])
def test_the_ceiling_is_what_the_true_shares_reach(raters):
    generator = np.random.default_rng(1)
    true = generator.dirichlet(np.array([2.0, 1.0, 1.0, 0.5]), 2000)
    shares = generator.multinomial(raters, true) / raters

    found = distributions.ceiling(shares * raters)
    expected = distributions.measure(shares=shares, probs=true)
    for name in distributions.NAMES:
        assert found[name] == pytest.approx(expected[name], abs=0.02), name


def test_intervals_hold_the_number_and_groups_are_drawn_whole():
    repeated = np.repeat(np.arange(15), 4)
    each = distributions.summarize(votes=VOTES[repeated], probs=PROBS[repeated])
    whole = distributions.summarize(
        votes=VOTES[repeated], probs=PROBS[repeated], groups=repeated
    )

    for name in distributions.NAMES:
        low, high = each["bootstrap_intervals"][name]
        wide_low, wide_high = whole["bootstrap_intervals"][name]
        assert low <= each[name] <= high
        assert wide_high - wide_low > 1.5 * (high - low)


def test_the_majority_of_a_fold_is_counted_in_the_others():
    votes = np.array([[3, 0], [3, 0], [0, 3], [0, 3], [0, 3]])
    folds = np.array([1, 1, 2, 2, 2])

    found = distributions.summarize(
        votes=votes, probs=np.full((5, 2), 0.5), folds=folds
    )

    assert found["majority_baseline"]["top1"] == 0  # each fold's is the others'


def test_intervals_hold_95_of_100_samples():
    generator = np.random.default_rng(0)
    votes = generator.multinomial(6, [0.5, 0.3, 0.2], 1000)
    probs = np.tile([0.5, 0.3, 0.2], (1000, 1))

    found = distributions.summarize(votes=votes, probs=probs)

    distances = np.abs(votes / 6 - probs).max(axis=1)
    margin = 1.959964 * distances.std() / 1000**0.5
    bounds = found["bootstrap_intervals"]["chebyshev"]
    middle = distances.mean()
    assert bounds == pytest.approx([middle - margin, middle + margin], rel=0.01)


def test_a_class_that_nobody_gives_and_nothing_answers_has_no_f1():
    shares, probs = np.eye(4)[[0, 1, 1, 0]], np.eye(4)[[0, 1, 0, 0]]

    found = distributions.measure(shares=shares, probs=probs)

    # of the first class 2 of 3 + 2 twice, of the second 1 of 1 + 2 twice
    assert found["macro_f1"] == pytest.approx((4 / 5 + 2 / 3) / 2)


def test_shares_of_unknown_numbers_have_the_same_distances_and_no_ceiling():
    shares = (VOTES / VOTES.sum(axis=1, keepdims=True)).astype("float32")
    counted = distributions.summarize(votes=VOTES, probs=PROBS)

    found = distributions.summarize(votes=shares, probs=PROBS)

    assert found["ceiling"] is None
    assert found["mean_votes"] is None
    for name in distributions.NAMES:
        assert found[name] == pytest.approx(counted[name], rel=1e-5), name
