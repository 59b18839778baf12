"""A fine-tuned network is calibrated by networks that did not see the pictures."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.training.calibrated import calibrate
from pixsent_tf.training.finetune import FineTuneLearner
from pixsent_tf.training.inner import predict_inner_folds, rate_inner_folds
from tests.heard import Heard

TARGETS = np.eye(2)[np.arange(20) % 2]


def said(trains, others):
    """The share of the ranks that trained, so that the answer tells who trained."""
    return np.full((len(others), 2), trains.sum() / 1000)


def test_each_fold_is_predicted_by_all_others():
    found = predict_inner_folds(said, TARGETS, count=5)

    for fold in range(1, 6):
        others = np.flatnonzero(found.folds != fold)
        expected = np.log(others.sum() / 1000)
        np.testing.assert_allclose(found.log_probs[found.folds == fold], expected)
    assert sorted(np.bincount(found.folds)) == [0, 4, 4, 4, 4, 4]


def test_folds_that_are_not_asked_for_stay_unpredicted():
    found = predict_inner_folds(said, TARGETS, count=2)

    assert np.bincount(found.folds).tolist() == [12, 4, 4]
    assert (found.log_probs[found.folds == 0] == 0).all()


def test_a_single_fold_is_judged_in_parts():
    found = predict_inner_folds(said, TARGETS, count=1)

    assert np.bincount(found.folds).tolist() == [16, 1, 1, 1, 1]


def test_pictures_that_belong_together_share_a_fold():
    units = np.arange(20) // 2 * 2  # a bright and a dark one
    found = predict_inner_folds(said, TARGETS, units=units, count=5)

    assert (found.folds[::2] == found.folds[1::2]).all()


@pytest.mark.parametrize(
    ("targets", "count"), [(TARGETS, 0), (np.eye(2)[[0, 0, 0, 1]], 5)]
)
def test_nothing_is_said_where_nothing_can_be(targets, count):
    assert predict_inner_folds(said, targets, count=count) is None


def test_folds_are_told():
    heard = Heard()

    predict_inner_folds(said, TARGETS, count=3, progress=heard)

    assert heard.steps == [(3, "calibrating")]


@pytest.mark.parametrize("count", [2, 5, 9])
def test_ratings_of_each_fold_are_said_by_a_training_on_all_others(count):
    values, calls, heard = np.arange(40.0).reshape(20, 2), [], Heard()

    def rate(trains, others):
        calls.append((trains, others))
        return np.full((len(others), 2), trains.sum())

    found = rate_inner_folds(rate, values, count=count, progress=heard)

    assert len(calls) == len(heard.counts) == min(count, 5)
    for trains, others in calls:
        assert len(others) == 4
        assert sorted([*trains, *others]) == list(range(20))
        assert (found[others] == trains.sum()).all()
    rated = np.concatenate([others for _, others in calls])
    assert len(set(rated)) == len(rated)
    assert np.isnan(np.delete(found, rated, axis=0)).all()


@pytest.fixture
def learner_of(recipe_of, pictures):
    def build(**settings):
        learner = FineTuneLearner(recipe_of("last-blocks", **settings), 2)
        learner.read(pictures)
        return learner

    return build


@pytest.mark.parametrize("patience", [0, 1])
def test_a_network_of_the_others_says_what_calibrates(learner_of, targets, patience):
    indices = np.arange(20)
    learner = learner_of(calibration_folds=5, patience=patience)
    found = learner.fit(indices, targets).inner
    is_out = found.folds == 3

    alone = learner_of(calibration_folds=0, patience=patience)
    expected = alone.fit(indices[~is_out], targets).probs(indices[is_out])

    np.testing.assert_allclose(
        np.exp(found.log_probs[is_out]), expected, rtol=1e-5, atol=1e-7
    )


def test_the_network_that_is_kept_is_trained_by_all(learner_of, targets):
    with_inner, without = (
        learner_of(calibration_folds=count).fit(np.arange(20), targets)
        for count in (2, 0)
    )

    assert without.inner is None
    for one, other in zip(with_inner.weights, without.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(
        with_inner.probs(np.arange(4)), without.probs(np.arange(4))
    )


def test_only_predicted_pictures_calibrate(learner_of, targets):
    indices = np.arange(20)
    fitted = learner_of(calibration_folds=2).fit(indices, targets)

    found = calibrate(fitted, targets[indices].argmax(axis=1))

    assert len(found.held_out) == np.count_nonzero(fitted.inner.folds)


VALUES = np.stack([np.arange(20.0), 20.0 - np.arange(20)], axis=1)


def test_ratings_of_each_fold_are_given_by_a_training_on_all_others():
    found = rate_inner_folds(said, VALUES, count=5)

    # a fold of five holds four of 20, whose ranks sum to 190 with those of the others
    told = np.round(found[:, 0] * 1000).astype(int)
    own = {value: np.flatnonzero(told == value) for value in np.unique(told)}
    assert len(own) == 5
    for total, ranks in own.items():
        assert total == 190 - ranks.sum()
    assert (found[:, 0] == found[:, 1]).all()


def test_ratings_of_folds_that_are_not_asked_for_are_unknown():
    found = rate_inner_folds(said, VALUES, count=2)

    assert np.isnan(found).all(axis=1).sum() == 12


def test_rated_pictures_that_belong_together_share_a_fold():
    units = np.arange(20) // 2
    shown = []

    def noted(trains, others):
        shown.append((set(units[trains]), set(units[others])))
        return said(trains, others)

    rate_inner_folds(noted, VALUES, units=units, count=5)

    assert len(shown) == 5
    assert all(not trained & told for trained, told in shown)


def test_inner_networks_predict_the_pictures_that_they_are_asked_for(
    learner_of, targets
):
    indices = np.arange(4, 24)  # ranks are no positions
    found = learner_of(calibration_folds=2).fit(indices, targets).inner
    is_out = found.folds == 1

    alone = learner_of(calibration_folds=0)
    expected = alone.fit(indices[~is_out], targets).probs(indices[is_out])

    np.testing.assert_allclose(
        np.exp(found.log_probs[is_out]), expected, rtol=1e-5, atol=1e-7
    )


def test_no_more_folds_are_told_than_there_are():
    heard = Heard()
    few = np.eye(2)[[0, 0, 0, 1, 1, 1, 1]]  # three of a class: three folds

    found = predict_inner_folds(said, few, count=5, progress=heard)

    assert heard.steps == [(3, "calibrating")]
    assert heard.counts == [1, 1, 1]
    assert sorted(set(found.folds.tolist())) == [1, 2, 3]
