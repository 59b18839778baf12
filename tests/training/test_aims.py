"""A head that learnt deviations gives ratings; sure pictures count more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.data.lists.rated import Ratings
from pixsent_tf.training.aims import ClassAim, RatingAim
from pixsent_tf.training.logistic import fit_head
from pixsent_tf.training.ridge import fit_ridge

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


def test_weights_are_the_inverse_of_what_raters_leave_open_on_the_learnt_scale(ratings):
    weights = RatingAim.of(ratings, TRAINS, None).examples(2).weights

    # noise .001 and .4 over variances of 4 and 1, beside a half; the mean over targets
    by_hand = np.array(
        [
            (1 / (0.5 + 0.001 / 4) + 1 / (0.5 + 0.001)) / 2,
            (1 / (0.5 + 0.4 / 4) + 1 / (0.5 + 0.4)) / 2,
        ]
    )
    np.testing.assert_allclose(weights[TRAINS], by_hand / by_hand.mean(), rtol=1e-5)


@pytest.fixture
def many():
    """Thirty pictures with features; the last twenty train."""
    generator = np.random.default_rng(0)
    features = generator.normal(size=(30, 4))
    values = 4 + features[:, :2] / 2 + generator.normal(0, 0.3, (30, 2))
    spreads = np.where(np.arange(30) % 2, 3.0, 0.1)[:, None] * np.ones((1, 2))
    return features, Ratings(
        ("valence", "arousal"), values, (1, 7), spreads, np.full((30, 2), 9.0)
    )


def test_the_first_head_is_the_same_on_whatever_scale_raters_answer(many):
    features, ratings = many
    wide = replace(ratings, values=10 * ratings.values, spreads=10 * ratings.spreads)
    units = np.arange(30) // 2

    heads = [
        RatingAim.of(each, np.arange(10, 30), units).fit_head(features, (), 0)
        for each in (ratings, wide)
    ]

    np.testing.assert_allclose(heads[0].kernel, heads[1].kernel, rtol=1e-4)
    assert heads[0].inverse_penalties == heads[1].inverse_penalties


def test_the_first_head_is_that_of_the_pictures_that_train(many):
    features, ratings = many
    chosen, units = np.arange(10, 30), np.arange(30) // 2
    aim = RatingAim.of(ratings, chosen, units)

    kernel, bias = aim.brought_back(*vars_of(aim.fit_head(features, (), 0)))
    own = fit_ridge(
        features[chosen],
        ratings.values[chosen],
        noise=ratings.noise[chosen],
        units=units[chosen],
    )

    np.testing.assert_allclose(
        features @ kernel + bias, own.ratings(features), rtol=1e-3
    )


def vars_of(head):
    return head.kernel, head.bias


def test_classes_are_the_first_units_of_a_wider_network():
    targets = np.array([[0.5, 1.5], [1.0, 0.0], [0.0, 3.0]])
    aim = ClassAim(np.array([2, 0]), targets, None)

    examples = aim.examples(4)

    np.testing.assert_allclose(
        examples.targets, [[0.25, 0.75, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0]]
    )
    np.testing.assert_allclose(examples.weights, [2, 1, 3])


def test_the_first_head_of_classes_is_that_of_the_pictures_that_train():
    generator = np.random.default_rng(0)
    labels = np.arange(40) % 2
    features = generator.normal(size=(40, 3)) + labels[:, None]
    chosen, units = np.arange(20, 40), np.arange(40) // 2
    lied = np.eye(2)[np.where(np.arange(40) < 20, 1 - labels, labels)]

    found = ClassAim(chosen, lied, units).fit_head(features, (), 3)

    expected = fit_head(
        features[chosen], np.eye(2)[labels[chosen]], units=units[chosen], seed=3
    )
    np.testing.assert_array_equal(found.kernel, expected.kernel)
