"""Samples: by hand, and by drawing often."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.evaluation.sampling import (
    draw,
    draw_diverse,
    inclusion_probabilities,
    uncertainty,
)


def test_uncertain_pictures_are_asked_for_more_and_sure_ones_not_never():
    sizes = uncertainty(np.array([[0.5, 0.5], [0.9, 0.1], [1.0, 0.0]]))

    # by hand: 1 - p² - q² is .5, .18 and 0; their mean .68 / 3
    assert sizes == pytest.approx(0.5 + 0.5 * np.array([0.5, 0.18, 0]) * 3 / 0.68)
    assert uncertainty(np.array([[1.0, 0.0]])).tolist() == [1]


def test_what_would_exceed_one_is_certain_and_the_rest_share_what_is_left():
    found = inclusion_probabilities(np.array([1.0, 1, 2, 8, 8]), 3)

    assert found.tolist() == [0.25, 0.25, 0.5, 1, 1]
    assert inclusion_probabilities(np.ones(3), 3).tolist() == [1, 1, 1]


def test_each_picture_is_drawn_as_often_as_its_probability_says():
    sizes = np.array([0.6, 0.8, 1.0, 1.2, 3.0, 20.0])
    wanted = inclusion_probabilities(sizes, 3)
    rng = np.random.default_rng(0)
    draws = [draw(wanted, rng) for _ in range(20_000)]

    assert {len(set(one.tolist())) for one in draws} == {3}
    rates = np.bincount(np.concatenate(draws), minlength=6) / len(draws)
    assert np.abs(rates - wanted).max() < 4 * np.sqrt(0.25 / len(draws))
    firsts = np.bincount([one[0] for one in draws], minlength=6) / len(draws)
    assert np.abs(firsts - wanted / 3).max() < 4 * np.sqrt(0.25 / len(draws))


def test_all_alike_is_simple_random_sampling():
    rng = np.random.default_rng(1)
    probabilities = inclusion_probabilities(np.ones(5), 2)
    pairs = [frozenset(draw(probabilities, rng).tolist()) for _ in range(10_000)]

    rates = [pairs.count(pair) / len(pairs) for pair in set(pairs)]
    assert len(rates) == 10
    assert np.abs(np.array(rates) - 0.1).max() < 0.012


def test_a_diverse_sample_takes_one_of_each_cluster_with_its_probability():
    rng = np.random.default_rng(2)
    features = np.repeat(np.eye(3) * 9, [6, 3, 1], axis=0) + rng.normal(size=(10, 3))

    indices, probabilities = draw_diverse(features, 3, rng)

    cluster = np.repeat([0, 1, 2], [6, 3, 1])[indices]
    assert sorted(cluster.tolist()) == [0, 1, 2]
    assert probabilities == pytest.approx(np.array([1 / 6, 1 / 3, 1])[cluster])


def test_pictures_that_do_not_differ_are_not_asked_for_twice():
    features = np.repeat(np.eye(2), 4, axis=0)

    indices, probabilities = draw_diverse(features, 5, np.random.default_rng(3))

    assert (len(indices), probabilities.tolist()) == (2, [0.25, 0.25])


def test_a_large_cluster_comes_first_no_more_often_than_a_small_one():
    features = np.repeat(np.eye(2) * 9, [11, 1], axis=0)
    rng = np.random.default_rng(4)

    firsts = [draw_diverse(features, 2, rng)[0][0] for _ in range(60)]

    # half of 60; four standard deviations are 16
    assert 14 <= sum(first == 11 for first in firsts) <= 46


def test_a_diverse_sample_is_drawn_by_its_generator_alone():
    features = np.random.default_rng(5).normal(size=(40, 2))  # no clear clusters

    def drawn(seed: int) -> list[int]:
        indices, _ = draw_diverse(features, 6, np.random.default_rng(seed))
        return indices.tolist()

    def clusters(seed: int) -> list[float]:
        _, chances = draw_diverse(features, 6, np.random.default_rng(seed))
        return sorted(chances.tolist())

    assert drawn(0) == drawn(0)
    assert len({tuple(clusters(seed)) for seed in range(6)}) > 1
