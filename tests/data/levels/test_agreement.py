"""Is the expected agreement of one more annotator right?"""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.data.levels.agreement import expected_agreement, fit_beta
from pixsent_tf.data.levels.layout import open_deepsent


def simulate(a: float, b: float, num_pictures: int, num_votes: int = 6):
    """Draw votes of pictures whose shares follow a known beta distribution."""
    rng = np.random.default_rng(0)
    shares = rng.beta(a, b, num_pictures)
    return rng.random((num_pictures, num_votes)) < shares[:, None]


def test_parameters_of_simulated_votes_are_recovered():
    in_favor = simulate(0.8, 0.5, 20_000, 5).sum(axis=1)

    beta = fit_beta(np.stack([5 - in_favor, in_favor], axis=1))

    assert beta == pytest.approx((0.8, 0.5), rel=0.05)


def test_expectation_is_what_a_sixth_simulated_annotator_does():
    ballots = simulate(0.8, 0.5, 50_000)
    in_favor = ballots[:, :5].sum(axis=1)
    votes = np.stack([5 - in_favor, in_favor], axis=1)
    labels = (in_favor > 2).astype(int)

    expected = expected_agreement(votes=votes, labels=labels, beta=fit_beta(votes))

    assert expected == pytest.approx((ballots[:, 5] == labels).mean(), abs=0.005)


def test_by_hand_with_a_uniform_prior():
    # Beta(1, 1) and 4 of 5 votes: (1 + 4) / (2 + 5); with 5 of 5 against: (1 + 5) / 7.
    agreement = expected_agreement(
        votes=np.array([[1, 4], [5, 0]]), labels=np.array([1, 0]), beta=(1, 1)
    )

    assert agreement == pytest.approx((5 / 7 + 6 / 7) / 2)


def test_votes_without_disagreement_tell_nothing():
    assert fit_beta(np.array([[0, 5], [5, 0]])) is None


@pytest.mark.data
@pytest.mark.parametrize(
    ("level", "published"),
    [("five_agrees", 0.962), ("four_agrees", 0.922), ("three_agrees", 0.883)],
)
def test_ceiling_of_the_real_set(level, published, shared_data):
    part = open_deepsent(shared_data / "deepsent", level)
    beta = fit_beta(part.whole.votes)

    value = expected_agreement(votes=part.votes, labels=part.labels, beta=beta)

    assert value == pytest.approx(published, abs=0.001)
