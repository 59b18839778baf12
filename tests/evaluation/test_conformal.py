"""Intervals hold what they promise, whatever the errors."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.evaluation.conformal import covered, half_width


@pytest.mark.parametrize("draw", ["normal", "exponential", "standard_cauchy"])
def test_intervals_hold_what_they_promise_of_new_errors(draw):
    generator = np.random.default_rng(0)
    held = []
    for _ in range(300):
        errors = np.abs(getattr(generator, draw)(size=101))
        held.append(errors[0] <= half_width(errors[1:], coverage=0.9))

    assert np.mean(held) == pytest.approx(0.9, abs=0.05)


def test_few_errors_give_the_largest():
    assert half_width(np.array([0.3, 2.0, 1.0])) == 2.0


def test_ends_belong_to_the_interval():
    found = covered(
        ratings=np.array([1.0, 2.0, 3.0, 4.0]),
        low=np.array([1.0, 1.0, 3.1, 3.0]),
        high=np.array([2.0, 2.0, 4.0, 5.0]),
    )

    assert found["observed"] == 0.75
    assert found["mean_width"] == pytest.approx((1 + 1 + 0.9 + 2) / 4)


def test_no_errors_give_no_interval():
    with pytest.raises(ValueError, match="there are none"):
        half_width(np.array([]))


def test_nine_of_ten_errors_lie_within_unless_it_is_said_otherwise():
    assert half_width(np.arange(1.0, 100.0)) == 90  # of 100 with the next one
    assert covered(ratings=np.zeros(1), low=np.zeros(1), high=np.ones(1))[
        "nominal"
    ] == pytest.approx(0.9)
