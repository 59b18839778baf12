"""Paired tests against worked examples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from pixsent_tf.evaluation.compare import (
    compare,
    compare_answers,
    compare_aucs,
    holm,
    mcnemar,
)


def test_mcnemar_by_hand():
    # 10 pictures differ, 1 : 9 -> 2 (C(10,0) + C(10,1)) / 2^10
    assert mcnemar(1, 9) == pytest.approx(2 * (1 + 10) / 1024)


def test_mcnemar_as_published():
    # Fagerland, Lydersen and Laake, BMC Medical Research Methodology 13:91 (2013),
    # table 1: airway hyper-responsiveness before and after, 1 : 7, exact p = 0.070
    assert mcnemar(1, 7) == pytest.approx(0.0703, abs=5e-5)


def test_mcnemar_of_equal_models_is_one():
    assert mcnemar(0, 0) == mcnemar(4, 4) == 1


def test_mcnemar_is_the_binomial_tail():
    assert mcnemar(30, 12) == pytest.approx(2 * binom.cdf(12, 42, 0.5))


def test_holm_by_hand():
    # 4 * .01, 3 * .02, 2 * .03, then .04 lifted to the one before
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])


def test_holm_is_never_above_one():
    assert holm([0.6, 0.9]) == [1.0, 1.0]


def test_delong_of_two_models_by_hand():
    # model 1 as in test_intervals: area 5/6, variance 1/18; model 2 is perfect, its
    # shares do not vary, so the variance of the difference is that of model 1
    labels = np.array([1, 1, 1, 0, 0])
    scores = np.array([[0.9, 0.6, 0.4, 0.5, 0.3], [0.9, 0.8, 0.7, 0.2, 0.1]])

    found = compare_aucs(labels=labels, scores=scores)

    assert found["auc_difference"] == pytest.approx(-1 / 6)
    # z = (1/6) / sqrt(1/18) = 0.7071
    assert found["delong_p"] == pytest.approx(0.4795, abs=5e-5)


def test_delong_of_equal_models_is_one():
    scores = np.tile([0.9, 0.3, 0.4, 0.1], (2, 1))

    found = compare_aucs(labels=np.array([1, 1, 0, 0]), scores=scores)

    assert found["delong_p"] == 1


def test_delong_keeps_its_level_where_there_is_no_difference():
    generator = np.random.default_rng(0)
    labels = np.repeat([1, 0], [120, 80])
    shared = generator.normal(size=(500, 1, 200)) + labels
    scores = shared + generator.normal(size=(500, 2, 200))
    rejected = sum(
        compare_aucs(labels=labels, scores=pair)["delong_p"] < 0.05 for pair in scores
    )

    assert 12 <= rejected <= 40  # 25 of 500 expected


LABELS = np.array([1, 1, 1, 0, 0, 0])
A = [0.9, 0.8, 0.7, 0.3, 0.2, 0.6]  # one mistake
B = [0.9, 0.4, 0.3, 0.2, 0.1, 0.3]  # two others


def compared(*positive, has_probs=None):
    """Compare models by the probability of "positive" that each gives."""
    probs = np.stack([1 - np.array(positive), positive], axis=2)
    return compare(
        names="abc"[: len(positive)],
        labels=LABELS,
        probs=probs,
        has_probs=has_probs or [True] * len(positive),
    )


def test_differences_by_hand():
    (pair,) = compared(A, B)

    assert pair["num_examples"] == 6
    assert pair["accuracies"] == pytest.approx([5 / 6, 4 / 6])
    assert pair["accuracy_difference"] == pytest.approx(1 / 6)
    assert (pair["only_first_right"], pair["only_second_right"]) == (2, 1)
    low, high = pair["accuracy_difference_interval"]
    assert low < 0 < 1 / 6 < high
    assert pair["mcnemar_p"] == pair["mcnemar_p_holm"] == 1  # 1 of 3 by a fair coin
    # the first ranks one negative above no positive, the second one above two
    assert pair["aucs"] == pytest.approx([1.0, 8.5 / 9])
    assert pair["auc_difference"] == pytest.approx(0.5 / 9)


def test_three_models_make_three_pairs_with_corrected_values():
    pairs = compared(A, B, A)

    assert [(p["first"], p["second"]) for p in pairs] == [
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    ]


def test_the_values_of_all_pairs_are_corrected_together():
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1], [60, 40])
    good, fair, bad = (
        labels + generator.normal(scale=scale, size=100) for scale in (0.5, 0.9, 2.0)
    )
    positive = 1 / (1 + np.exp(-4 * (np.stack([good, fair, bad]) - 0.5)))
    probs = np.stack([1 - positive, positive], axis=2)

    pairs = compare(names="abc", labels=labels, probs=probs, has_probs=[True] * 3)

    for test in ("mcnemar_p", "delong_p"):
        alone = [pair[test] for pair in pairs]
        by_hand = np.maximum.accumulate(np.sort(alone) * [3, 2, 1]).clip(max=1)
        together = sorted(pair[f"{test}_holm"] for pair in pairs)
        assert together == pytest.approx(by_hand)
        assert together[0] > min(alone)


def test_the_interval_of_a_difference_of_areas_is_its_normal_one():
    # as above: the difference is -1/6 with variance 1/18
    labels = np.array([1, 1, 1, 0, 0])
    scores = np.array([[0.9, 0.6, 0.4, 0.5, 0.3], [0.9, 0.8, 0.7, 0.2, 0.1]])

    low, high = compare_aucs(labels=labels, scores=scores)["auc_difference_interval"]

    margin = 1.959964 * (1 / 18) ** 0.5
    assert (low, high) == pytest.approx((-1 / 6 - margin, -1 / 6 + margin))


@pytest.mark.parametrize(("positives", "compares"), [(1, False), (2, True)])
def test_areas_are_compared_where_each_class_occurs_twice(positives, compares):
    labels = np.repeat([1, 0], [positives, 4])
    positive = np.linspace(0.9, 0.1, len(labels))
    probs = np.stack([1 - positive, positive], axis=1)[None].repeat(2, axis=0)

    (pair,) = compare(names="ab", labels=labels, probs=probs, has_probs=[True, True])

    assert (pair["aucs"] is not None) == compares


def test_three_classes_have_no_area():
    labels = np.array([0, 1, 2, 0, 1, 2])
    probs = np.tile(np.eye(3)[labels], (2, 1, 1))

    (pair,) = compare(names="ab", labels=labels, probs=probs, has_probs=[True, True])

    assert pair["aucs"] is None
    assert pair["accuracies"] == [1, 1]


def test_models_without_probabilities_have_no_auc():
    (pair,) = compared(A, [1, 0, 0, 0, 0, 0], has_probs=[True, False])

    assert pair["aucs"] is None
    assert pair["delong_p_holm"] is None


def answered(count, *, first, second):
    """Whether two models are right, which are never right together."""
    order = np.arange(count)
    return order < first, (order >= first) & (order < first + second)


def test_the_interval_of_a_difference_is_the_normal_one_of_many_pictures():
    found = compare_answers(*answered(1000, first=300, second=100))

    # of +1, -1 and 0 with shares .3, .1 and .6: mean .2, variance .4 - .2 ** 2
    margin = 1.959964 * (0.36 / 1000) ** 0.5
    interval = found["accuracy_difference_interval"]
    assert interval == pytest.approx([0.2 - margin, 0.2 + margin], abs=0.003)


def test_pictures_of_a_group_are_drawn_together():
    first, second = answered(40, first=12, second=4)

    alone = compare_answers(first, second)
    fivefold = compare_answers(
        first.repeat(5), second.repeat(5), groups=np.arange(40).repeat(5)
    )

    interval = "accuracy_difference_interval"
    assert fivefold[interval] == pytest.approx(alone[interval])


@pytest.mark.parametrize("label", [0, 1])
def test_pictures_of_one_class_have_no_area(label):
    probs = np.tile([0.4, 0.6], (2, 5, 1))

    (pair,) = compare(
        names="ab", labels=np.full(5, label), probs=probs, has_probs=[True, True]
    )

    assert pair["aucs"] is None


def test_a_corrected_value_stands_beside_the_pair_that_it_is_of():
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1], [60, 40])
    good, fair, bad = (
        labels + generator.normal(scale=scale, size=100) for scale in (0.5, 0.7, 2.0)
    )
    positive = 1 / (1 + np.exp(-4 * (np.stack([bad, good, fair]) - 0.5)))
    probs = np.stack([1 - positive, positive], axis=2)

    pairs = compare(names="abc", labels=labels, probs=probs, has_probs=[True] * 3)

    for test in ("mcnemar_p", "delong_p"):
        alone = [pair[test] for pair in pairs]
        together = [pair[f"{test}_holm"] for pair in pairs]
        assert alone != sorted(alone, reverse=True)
        # a correction is the same or more, and keeps the order
        assert np.argsort(together).tolist() == np.argsort(alone).tolist()
        assert all(low <= high for low, high in zip(alone, together, strict=True))
