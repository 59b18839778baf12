"""A head that learnt deviations gives ratings; sure pictures count more."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.data.lists.rated import Ratings
from pixsent_tf.training.aims import RatingAim

# Means 4 and 2, deviations 2 and 1 of the two that train; the others are not looked at.
VALUES = np.array([[2.0, 1.0], [6.0, 3.0], [4.0, 2.0], [7.0, 7.0]])
TRAINS = np.array([0, 1])


@pytest.fixture
def ratings():
    spreads = np.array([[0.1, 0.1], [2.0, 2.0], [1.0, 1.0], [1.0, 1.0]])
    return Ratings(
        ("valence", "arousal"), VALUES, (1, 7), spreads, np.full((4, 2), 10.0)
    )


def test_a_head_of_deviations_becomes_one_of_ratings(ratings):
    aim = RatingAim.of(ratings, TRAINS, None)
    generator = np.random.default_rng(0)
    features = generator.normal(size=(5, 3))
    kernel, bias = generator.normal(size=(3, 2)), generator.normal(size=2)

    found_kernel, found_bias = aim.brought_back(kernel, bias)

    deviations = features @ kernel + bias
    expected = np.column_stack([4 + 2 * deviations[:, 0], 2 + deviations[:, 1]])
    np.testing.assert_allclose(features @ found_kernel + found_bias, expected)


def test_what_descends_is_the_deviation_and_the_sure_weigh_more(ratings):
    examples = RatingAim.of(ratings, TRAINS, None).examples(2)

    np.testing.assert_allclose(examples.targets[TRAINS], [[-1, -1], [1, 1]])
    assert examples.weights[0] > examples.weights[1]
    assert examples.weights[TRAINS].mean() == pytest.approx(1)


def test_pictures_that_do_not_train_change_nothing(ratings):
    others = ratings.values.copy()
    others[2:] = 1.5
    changed = Ratings(
        ratings.targets, others, ratings.scale, ratings.spreads, ratings.counts
    )

    aims = [RatingAim.of(each, TRAINS, None) for each in (ratings, changed)]

    assert aims[0].mean.tolist() == aims[1].mean.tolist() == [4, 2]
    assert aims[0].deviation.tolist() == aims[1].deviation.tolist() == [2, 1]
