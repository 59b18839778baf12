"""The ceiling is what simulated second panels reach."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.evaluation.raters import another_panel, largest_differences, noise

COUNT, RATERS, SPREAD = 4000, 5, 1.2


def test_the_ceiling_is_what_a_second_panel_reaches():
    generator = np.random.default_rng(0)
    truth = generator.normal(4, 1, COUNT)
    panels = truth[:, None, None] + generator.normal(0, SPREAD, (COUNT, 2, RATERS))
    first, second = panels.mean(axis=2).T

    found = another_panel(
        first, panels[:, 0].std(axis=1, ddof=1), np.full(COUNT, RATERS)
    )

    assert found["pearson_r"] == pytest.approx(
        np.corrcoef(first, second)[0, 1], abs=0.04
    )
    off = first - second
    assert found["rmse"] == pytest.approx(np.sqrt((off**2).mean()), abs=0.04)
    # standard deviations of five are too small in the mean by a few percent
    assert found["mae"] == pytest.approx(np.abs(off).mean(), rel=0.1)


def test_a_mean_of_more_raters_is_surer():
    assert noise(np.array([2.0, 2.0]), np.array([4, 16])).tolist() == [1.0, 0.25]


def test_raters_who_only_guess_have_a_ceiling_of_nothing():
    found = another_panel(np.array([3.9, 4.0, 4.1]), np.full(3, 2.0), np.full(3, 4))

    assert found["pearson_r"] == 0


def test_equal_ratings_have_no_ceiling():
    assert another_panel(np.full(5, 3.0), np.ones(5), np.full(5, 9)) is None


def test_the_largest_differences_come_first_with_their_intervals():
    found = largest_differences(
        np.array([1.0, 2.0, 3.0]),
        np.array([1.5, 5.0, 2.0]),
        np.array([0.04, 0.25, np.nan]),
        count=2,
    )

    assert [position for position, _, _ in found] == [1, 2]
    assert found[0][2] == pytest.approx([-3 - 1.96 * 0.5, -3 + 1.96 * 0.5], abs=1e-3)
    assert found[1][2] is None


def test_the_noise_is_a_part_of_the_unbiased_variance_of_few_ratings():
    found = another_panel(np.array([1.0, 2.0, 3.0]), np.ones(3), np.full(3, 4))

    # the ratings vary by 2 / (3 - 1) = 1, of which 1 / 4 is noise
    assert found["pearson_r"] == pytest.approx(0.75)
    assert found["rmse"] == pytest.approx(0.5**0.5)


def test_two_ratings_have_a_ceiling_and_one_has_none():
    assert another_panel(np.array([1.0, 3.0]), np.ones(2), np.full(2, 4))
    assert another_panel(np.array([1.0]), np.ones(1), np.full(1, 4)) is None


def test_panels_of_unlike_sizes_are_off_by_the_mean_of_what_each_is_off():
    # variances of the means: 4 / 1, 4 / 4, 1 / 25; so two such panels are off by
    # 2 / sqrt(pi) times 2, 1 and .2 in the mean
    found = another_panel(
        np.array([1.0, 5.0, 9.0]), np.array([2.0, 2.0, 1.0]), np.array([1, 4, 25])
    )

    assert found["mae"] == pytest.approx(2 / np.sqrt(np.pi) * 3.2 / 3)
    assert found["rmse"] == pytest.approx(np.sqrt(2 * 5.04 / 3))
    # the ratings vary by 16
    assert found["ccc"] == pytest.approx(1 - 5.04 / 3 / 16)
