"""Networks learn ratings by descent, as heads do by ridge regression."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.config import DataConfig
from pixsent_tf.data.lists.rated import Ratings
from pixsent_tf.errors import DataError
from pixsent_tf.training import finetune
from pixsent_tf.training.aims import RatingAim
from pixsent_tf.training.finetune import FineTuneLearner
from tests.tiny_network import COUNT, pictures, recipe_of, tiny_backbone

__all__ = ["pictures", "recipe_of", "tiny_backbone"]


def rate(noise=0.0) -> Ratings:
    """Bright pictures 6 and dark ones 2, give or take; arousal the other way round."""
    generator = np.random.default_rng(0)
    valence = np.where(np.arange(COUNT) % 2, 6.0, 2.0)
    values = np.stack([valence, 8 - valence], axis=1)
    values += generator.normal(0, noise, values.shape) if noise else 0
    unknown = np.full(values.shape, np.nan)
    return Ratings(("valence", "arousal"), values, (1.0, 7.0), unknown, unknown)


@pytest.fixture
def learner_of(pictures, recipe_of):
    def build(strategy, *, rating_loss="squared", **settings):
        usual = {"epochs": 20, "learning_rate": 0.03, "calibration_folds": 1}
        plain = recipe_of(strategy, **(usual | settings))
        recipe = replace(
            plain,
            training=replace(plain.training, rating_loss=rating_loss),
            data=DataConfig("ratings.csv", target=("valence", "arousal")),
        )
        learner = FineTuneLearner(recipe, 2)
        learner.read(pictures)
        return learner

    return build


@pytest.mark.parametrize("loss", ["squared", "huber"])
@pytest.mark.parametrize("strategy", ["last-blocks", "all", "lp-ft"])
def test_a_network_learns_ratings(learner_of, strategy, loss):
    trained = learner_of(strategy, rating_loss=loss).fit_ratings(
        np.arange(COUNT), rate()
    )
    found = trained.probs(np.arange(COUNT))

    np.testing.assert_allclose(found, rate().values, atol=1.5)
    history = trained.fitted.history
    starts_there = strategy == "lp-ft"  # at what a head on frozen features says
    assert starts_there or history[-1]["rmse"] < history[0]["rmse"]


def test_the_classifier_gives_ratings(learner_of, pictures):
    learner = learner_of("all")
    trained = learner.fit_ratings(np.arange(COUNT), rate())
    network = trained.fitted.classifier()
    crops = learner.canvases.preprocessor.center_crop(
        next(learner.canvases.batches(np.arange(COUNT)))[1]
    )

    raw = network(np.asarray(crops, "float32"), training=False).numpy()
    np.testing.assert_allclose(
        raw.clip(1, 7), trained.probs(np.arange(COUNT)), atol=1e-3
    )


def test_intervals_are_as_wide_as_errors_on_inner_folds(learner_of):
    sure = learner_of("lp-ft").fit_ratings(np.arange(COUNT), rate(noise=0.1))
    unsure = learner_of("lp-ft").fit_ratings(np.arange(COUNT), rate(noise=1.0))

    assert all(a < b for a, b in zip(sure.half_widths, unsure.half_widths, strict=True))


def test_ratings_of_other_pictures_change_nothing(learner_of):
    some = np.arange(COUNT - 4)
    shown = rate()
    hidden = shown.only(some)

    first = learner_of("all", epochs=2).fit_ratings(some, shown)
    second = learner_of("all", epochs=2).fit_ratings(some, hidden)

    np.testing.assert_array_equal(
        first.probs(np.arange(COUNT)), second.probs(np.arange(COUNT))
    )


def test_a_sure_rating_weighs_more():
    ratings = rate()
    spreads = np.full(ratings.values.shape, 2.0)
    counts = np.full(ratings.values.shape, 10.0)
    counts[0] = 1000
    aim = RatingAim.of(
        replace(ratings, spreads=spreads, counts=counts), np.arange(COUNT), None
    )

    weights = aim.examples(2).weights
    assert weights[0] > weights[1]
    assert weights.mean() == pytest.approx(1)
    # noise 0.4 of a variance of 4: 1 / (.5 + .1) against 1 / (.5 + .001)
    assert weights[0] / weights[1] == pytest.approx(0.6 / 0.501, rel=1e-4)


def test_units_that_tie_everything_together_are_refused(learner_of):
    with pytest.raises(DataError):
        learner_of("all", epochs=1).fit_ratings(
            np.arange(COUNT), rate(), units=np.zeros(COUNT, int)
        )


def test_inner_ratings_are_by_networks_that_learnt_without_the_pictures(
    learner_of, monkeypatch
):
    said, indices = [], np.arange(8, COUNT)

    def one_fold(predict, values, **_):
        said.append(predict(np.arange(4, 16), np.arange(4)))
        return values

    monkeypatch.setattr(finetune, "rate_inner_folds", one_fold)
    ratings = rate(noise=0.5)
    learner_of("all", epochs=3).fit_ratings(indices, ratings)

    monkeypatch.setattr(finetune, "rate_inner_folds", lambda _, values, **__: values)
    alone = learner_of("all", epochs=3).fit_ratings(indices[4:], ratings)
    np.testing.assert_allclose(
        said[0], alone.fitted.probs(indices[:4]), rtol=1e-5, atol=1e-5
    )
