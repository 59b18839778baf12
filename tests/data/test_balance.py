"""Do kinds of picture weigh the same, whatever their numbers?"""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.data.balance import balanced

# Source 0: three negative, one positive; source 1: one of each.
LABELS = np.array([0, 0, 0, 1, 0, 1])
SOURCES = np.array([0, 0, 0, 0, 1, 1])
TARGETS = np.eye(2)[LABELS]


def weights(by, targets=TARGETS, **options):
    return balanced(targets, by=by, sources=SOURCES, **options).sum(axis=1)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("none", [1, 1, 1, 1, 1, 1]),
        ("classes", [0.75, 0.75, 0.75, 1.5, 0.75, 1.5]),  # 3 over four, 3 over two
        ("sources", [0.75, 0.75, 0.75, 0.75, 1.5, 1.5]),
        ("both", [0.5, 0.5, 0.5, 1.5, 1.5, 1.5]),  # four cells of 1.5
    ],
)
def test_each_kind_has_the_same_total_and_all_sum_to_their_number(by, expected):
    np.testing.assert_allclose(weights(by), expected, atol=1e-6)


def test_within_a_kind_the_weights_keep_their_ratios():
    lead = np.array([1.0, 0.6, 0.2, 1.0, 1.0, 1.0])

    found = weights("both", TARGETS * lead[:, None])

    np.testing.assert_allclose(found[:3] / found[0], [1, 0.6, 0.2], atol=1e-6)
    assert found[:3].sum() == pytest.approx(1.5)


def test_only_pictures_that_train_are_counted():
    trains = np.array([0, 1, 3, 5])  # two negative and one positive of 0, one of 1

    found = weights("both", among=trains)

    np.testing.assert_allclose(found[trains], [2 / 3, 2 / 3, 4 / 3, 4 / 3], atol=1e-6)


def test_a_share_of_the_votes_counts_for_each_class_by_its_part():
    targets = np.array([[0.6, 0.4], [0.6, 0.4], [0.0, 1.0]])

    found = balanced(targets, by="classes")

    np.testing.assert_allclose(found.sum(axis=0), [1.5, 1.5], atol=1e-6)
    np.testing.assert_allclose(found[0], [0.75, 0.4 * 1.5 / 1.8], atol=1e-6)


def test_a_single_source_is_balanced_by_its_classes():
    np.testing.assert_array_equal(
        balanced(TARGETS, by="both"), balanced(TARGETS, by="classes")
    )


def test_where_nothing_trains_nothing_weighs_and_nothing_is_divided_by_it():
    found = weights("both", among=np.array([], dtype=int))

    assert found.tolist() == [0] * 6
