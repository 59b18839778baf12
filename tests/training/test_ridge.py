"""Ridge heads against closed forms, and what weighs how much."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from pixsent_tf.errors import DataError
from pixsent_tf.training.ridge import INVERSE_PENALTIES, fit_ridge


def drawn(num_examples=80, num_features=12, noise=0.5, seed=0):
    """Features, and two ratings that are linear in them."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(num_examples, num_features))
    kernel = generator.normal(size=(num_features, 2))
    ratings = 4 + features @ kernel / 4
    return features, ratings + generator.normal(0, noise, ratings.shape), kernel


@pytest.mark.parametrize("shape", [(80, 12), (40, 90)])
def test_the_solution_is_that_of_scikit_learn(shape):
    features, ratings, _ = drawn(*shape)
    head = fit_ridge(features, ratings, inverse_penalties=[0.5])

    centered = features - features.mean(axis=0)
    scale = np.sqrt((centered**2).sum(axis=1).mean())  # mean squared norm one
    by_hand = Ridge(alpha=1 / 0.5).fit(centered / scale, ratings)
    np.testing.assert_allclose(
        head.ratings(features), by_hand.predict(centered / scale), atol=1e-4
    )


def test_pictures_weigh_by_what_their_rating_is_worth():
    features, ratings, kernel = drawn(noise=0.1)
    generator = np.random.default_rng(1)
    noise = np.where(np.arange(80) % 2, 4.0, 1e-4)[:, None] * np.ones((1, 2))
    heard = ratings + generator.normal(size=ratings.shape) * np.sqrt(noise)

    def off(head):
        return float(((head.kernel - kernel / 4) ** 2).sum())

    plain = fit_ridge(features, heard)
    weighed = fit_ridge(features, heard, noise=noise)
    assert off(weighed) < off(plain) / 2


def test_equal_noise_changes_nothing():
    features, ratings, _ = drawn()
    first = fit_ridge(features, ratings)
    second = fit_ridge(features, ratings, noise=np.full(ratings.shape, 0.2))

    np.testing.assert_allclose(first.kernel, second.kernel, atol=1e-6)


def test_each_target_has_the_penalty_that_is_best_for_it():
    features, ratings, _ = drawn(120)
    generator = np.random.default_rng(2)
    ratings[:, 1] = generator.normal(4, 1, 120)  # nothing to learn
    head = fit_ridge(features, ratings)

    rows = np.array(head.history)
    for k in (0, 1):
        assert head.inverse_penalties[k] == rows[rows[:, 1 + k].argmin(), 0]
    assert head.inverse_penalties[1] < head.inverse_penalties[0]


def test_inner_answers_come_from_heads_that_had_not_seen_the_picture():
    generator = np.random.default_rng(0)
    features = generator.normal(size=(60, 200))  # enough to learn anything by heart
    ratings = generator.normal(4, 1, (60, 1))
    head = fit_ridge(features, ratings, inverse_penalties=[1e6])

    assert np.corrcoef(head.ratings(features)[:, 0], ratings[:, 0])[0, 1] > 0.99
    assert abs(np.corrcoef(head.inner[:, 0], ratings[:, 0])[0, 1]) < 0.4


def test_units_share_an_inner_fold():
    generator = np.random.default_rng(0)
    units = np.repeat(np.arange(20), 4)
    features = np.eye(20)[units] + generator.normal(0, 0.01, (80, 20))
    ratings = generator.normal(4, 1, 20)[units][:, None]  # of the unit, nothing else

    apart = fit_ridge(features, ratings, units=units).inner
    torn = fit_ridge(features, ratings).inner
    assert np.corrcoef(torn[:, 0], ratings[:, 0])[0, 1] > 0.8
    assert np.corrcoef(apart[:, 0], ratings[:, 0])[0, 1] < 0.3


def test_too_few_pictures_are_refused():
    features, ratings, _ = drawn(9)
    with pytest.raises(DataError, match="Ratings need 10 readable training pictures"):
        fit_ridge(features, ratings)


def test_ratings_that_nobody_can_trust_move_nothing_and_judge_nothing():
    features, ratings, _ = drawn(num_examples=120)
    noise = np.full(ratings.shape, 1e-3)
    garbage = np.arange(120) % 2 == 1
    generator = np.random.default_rng(3)
    heard = ratings.copy()
    heard[garbage] = generator.normal(60, 30, (60, 2))
    noise[garbage] = 1e8

    head = fit_ridge(features, heard, noise=noise)
    alone = fit_ridge(features[~garbage], ratings[~garbage])

    off = head.ratings(features[~garbage]) - alone.ratings(features[~garbage])
    assert np.abs(off).max() < 0.3
    best = np.array(head.history)[:, 1:].min(axis=0)
    assert best == pytest.approx(np.array(alone.history)[:, 1:].min(axis=0), rel=0.2)


def test_where_raters_are_unknown_their_noise_is_the_mean_of_the_others():
    features, ratings, _ = drawn()
    known = np.linspace(0.1, 0.9, 160).reshape(80, 2)
    some = known.copy()
    some[::3] = np.nan
    filled = np.where(np.isnan(some), np.nanmean(some, axis=0), some)

    first, second = (fit_ridge(features, ratings, noise=n) for n in (some, filled))

    np.testing.assert_allclose(first.kernel, second.kernel, atol=1e-6)


def test_what_raters_leave_open_is_not_charged_to_the_model_too():
    features, _, kernel = drawn(num_examples=400, noise=0.0)
    features[1::2] += 2  # the noisy ones lie elsewhere
    ratings = 4 + features @ kernel / 4
    generator = np.random.default_rng(4)
    noise = np.where(np.arange(400) % 2, 4.0, 1e-4)[:, None] * np.ones((1, 2))
    heard = ratings + generator.normal(size=ratings.shape) * np.sqrt(noise)

    found = fit_ridge(features, heard, noise=noise, inverse_penalties=[1e4])

    # a model that errs by a tenth of what is left: weights of 1 / .2 and 1 / 4.2
    weights = 1 / (0.1 * 2 + noise[:, 0])
    centered = features - np.average(features, axis=0, weights=weights)
    expected = np.linalg.lstsq(
        centered * np.sqrt(weights)[:, None],
        (heard - np.average(heard, axis=0, weights=weights))
        * np.sqrt(weights)[:, None],
        rcond=None,
    )[0]
    np.testing.assert_allclose(found.kernel, expected, atol=0.02)
    assert np.abs(found.kernel - kernel / 4).max() < 0.1


def test_answers_for_inner_folds_are_those_of_the_penalty_that_was_chosen():
    features, ratings, _ = drawn()
    head = fit_ridge(features, ratings)

    for k in (0, 1):
        errors = {row[0]: row[1 + k] for row in head.history}
        rmse = ((head.inner[:, k] - ratings[:, k]) ** 2).mean() ** 0.5
        assert rmse == pytest.approx(errors[head.inverse_penalties[k]])


def test_penalties_go_from_a_thousandth_to_a_thousand_by_half_powers_of_ten():
    np.testing.assert_allclose(INVERSE_PENALTIES, np.geomspace(1e-3, 1e3, 13))
