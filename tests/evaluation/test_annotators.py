"""Agreement: against scikit-learn, a textbook's example, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from pixsent_tf.evaluation.annotators import ceiling, cohen_kappa, krippendorff_alpha


def test_kappa_is_scikit_learn_s():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 3, 50)
    second = np.where(rng.random(50) < 0.6, first, rng.integers(0, 3, 50))

    expected = cohen_kappa_score(first, second)
    assert cohen_kappa(first, second) == pytest.approx(expected)


def test_kappa_of_one_class_or_of_nothing_is_unknown():
    assert cohen_kappa(np.zeros(5, int), np.zeros(5, int)) is None
    assert cohen_kappa(np.zeros(0, int), np.zeros(0, int)) is None


def test_alpha_is_that_of_krippendorff_s_example():
    # "Computing Krippendorff's Alpha-Reliability" (2011), section C: nominal, .743
    table = """
        1 2 3 3 2 1 4 1 2 . . .
        1 2 3 3 2 2 4 1 2 5 . 3
        . 3 3 3 2 3 4 2 2 5 1 .
        1 2 3 3 2 4 4 1 2 5 1 ."""
    rows = [line.split() for line in table.strip().splitlines()]
    votes = np.array(
        [[column.count(c) for c in "12345"] for column in zip(*rows, strict=True)]
    )

    assert krippendorff_alpha(votes) == pytest.approx(0.743, abs=0.0005)


def test_alpha_of_labels_that_nobody_else_gave_is_unknown():
    assert krippendorff_alpha(np.array([[1, 0], [0, 1]])) is None
    assert krippendorff_alpha(np.array([[2, 0], [3, 0]])) is None


def test_the_ceiling_is_how_often_one_gives_what_the_others_say():
    # both agree; both differ; two against one: two of three meet a tie of the others
    assert ceiling(np.array([[2, 0], [0, 2]])) == 1
    assert ceiling(np.array([[1, 1]])) == 0
    assert ceiling(np.array([[2, 1]])) == pytest.approx((0.5 + 0.5 + 0) / 3)
    assert ceiling(np.array([[1, 0]])) is None


def test_kappa_knows_classes_that_one_annotator_never_gives():
    first, second = np.array([0, 0, 1, 1]), np.array([0, 2, 1, 2])

    for pair in ((first, second), (second, first)):
        assert cohen_kappa(*pair) == pytest.approx(cohen_kappa_score(*pair))
