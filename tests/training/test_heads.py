"""A head on features: which penalty, which seed, whose features?"""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.data.lists.rated import Ratings
from pixsent_tf.errors import ImageError, TrainingError
from pixsent_tf.training.heads import HeadLearner
from pixsent_tf.training.logistic import fit_head
from pixsent_tf.training.ridge import fit_ridge
from tests.float32 import assert_close_float32
from tests.tiny_network import OPERATIONS

TRAIN = np.arange(16)


@pytest.fixture
def learner(recipe_of, pictures):
    learner = HeadLearner(recipe_of("head"))
    learner.read(pictures)
    return learner


def test_probabilities_are_the_softmax_of_the_head_on_the_features(learner, targets):
    fitted = learner.fit(TRAIN, targets)
    logits = learner.values[16:] @ fitted.head.kernel + fitted.head.bias

    expected = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
    found = fitted.probs(np.arange(16, 24))[:, 1]
    assert_close_float32(found, expected, operations=OPERATIONS)


def test_a_fixed_penalty_is_not_searched(learner, targets):
    learner.inverse_penalty = 7.0

    fitted = learner.fit(TRAIN, targets)

    assert fitted.head.inverse_penalty == 7.0
    assert [row["inverse_penalty"] for row in fitted.history] == [7.0]


def test_another_seed_deals_other_inner_folds_of_the_same_features(learner, targets):
    other = learner.with_seed(5)
    other.read_with(learner)

    ours, theirs = learner.fit(TRAIN, targets).inner, other.fit(TRAIN, targets).inner

    assert other.values is learner.values
    assert ours.folds.tolist() != theirs.folds.tolist()
    assert learner.seed == 0


def test_pictures_anywhere_in_the_set_train_with_targets_and_units_of_their_own(
    learner, targets
):
    later = np.array([23, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22])
    units = np.arange(24) // 2  # a dark and a bright one
    lied = targets.copy()
    lied[:8] = 1 - lied[:8]  # pictures that do not train

    fitted = learner.fit(later, lied, units=units)

    expected = fit_head(
        learner.values[later], targets[later], units=later // 2, seed=learner.seed
    )
    np.testing.assert_array_equal(fitted.head.kernel, expected.kernel)
    folds = dict(zip(later.tolist(), fitted.inner.folds.tolist(), strict=True))
    assert all(folds[i] == folds[i + 1] for i in range(8, 24, 2))
    assert len(set(folds.values())) == 5


def test_features_that_are_not_finite_are_named_by_their_place_in_the_set(
    learner, targets
):
    learner.values = learner.values.copy()
    learner.values[[9, 13], 2] = np.inf, np.nan

    with pytest.raises(TrainingError, match="2 of 16 pictures features") as told:
        learner.fit(np.arange(8, 24), targets)

    assert told.value.positions == (9, 13)


def rated(learner):
    """Ratings of all pictures; nobody knows those of the first eight."""
    values = np.random.default_rng(0).normal(4, 1, (24, 2))
    values[:, 0] = 4 + (np.arange(24) % 2 - 0.5) + values[:, 0] / 10
    spreads, counts = np.full((24, 2), 0.1), np.full((24, 2), 9.0)
    spreads[1::2] = 5.0
    known = Ratings(("valence", "arousal"), values, (1, 7), spreads, counts)
    return known.only(np.arange(8, 24))


def test_a_head_of_ratings_learns_from_its_own_pictures_and_their_raters(learner):
    ratings, later, units = rated(learner), np.arange(8, 24), np.arange(24) // 2

    fitted = learner.fit_ratings(later, ratings, units=units)

    expected = fit_ridge(
        learner.values[later],
        ratings.values[later],
        noise=ratings.spreads[later] ** 2 / ratings.counts[later],
        units=units[later],
        seed=learner.seed,
    )
    found = fitted.fitted.head
    np.testing.assert_array_equal(found.kernel, expected.kernel)
    np.testing.assert_array_equal(found.inner, expected.inner)
    said = learner.values @ expected.kernel + expected.bias
    assert_close_float32(
        fitted.probs(np.array([20, 1])),
        said[[20, 1]].clip(1, 7),
        operations=OPERATIONS,
        scale=7,
    )


def test_another_seed_deals_other_inner_folds_of_ratings(learner):
    ratings, later = rated(learner), np.arange(8, 24)

    one, other = (
        each.fit_ratings(later, ratings).fitted.head.inner
        for each in (learner, learner.with_seed(5))
    )

    assert np.abs(one - other).max() > 1e-4


def test_another_learner_takes_features_and_failures_over(learner, recipe_of):
    learner.failures = {3: ImageError("3.png is empty.", "empty")}
    other = HeadLearner(recipe_of("head"))

    other.read_with(learner)

    assert other.values is learner.values
    assert other.failures == learner.failures


def test_a_fixed_penalty_of_ratings_is_not_searched_and_errors_have_names(learner):
    learner.inverse_penalty = 0.5

    fitted = learner.fit_ratings(np.arange(8, 24), rated(learner))

    head = fitted.fitted.head
    assert head.inverse_penalties == (0.5, 0.5)
    (row,) = fitted.fitted.history
    off = head.inner - rated(learner).values[8:]  # all weigh nearly the same
    assert list(row) == ["inverse_penalty", "inner_rmse_valence", "inner_rmse_arousal"]
    assert row["inverse_penalty"] == 0.5
    assert row["inner_rmse_valence"] < row["inner_rmse_arousal"]
    assert np.sqrt((off**2).mean(axis=0)).argmax() == 1


def test_ratings_are_not_learnt_from_features_that_are_not_finite(learner):
    learner.values = learner.values.copy()
    learner.values[[2, 9, 13], 2] = np.nan, np.inf, np.nan  # 2 does not train

    with pytest.raises(TrainingError, match="2 of 16 pictures features") as told:
        learner.fit_ratings(np.arange(8, 24), rated(learner))

    assert told.value.positions == (9, 13)
