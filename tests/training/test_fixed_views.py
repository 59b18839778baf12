"""Training past the frozen part gives what training the whole network gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.augment import Augmentation
from pixsent_tf.data.canvases import Canvases, Examples
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.training import kept
from pixsent_tf.training.finetune import FineTuneLearner, build_network
from pixsent_tf.training.rates import build_optimizer, choose_layers
from pixsent_tf.training.views import WholeViews, augmentation_of
from tests.heard import Heard

TRAIN, TEST = np.arange(16), np.arange(16, 24)
LOSS_OFF = 2.0**-9  # rounding to half precision is 2**-11 of each activation


@pytest.fixture
def learner_of(recipe_of, pictures):
    def build(progress=None, **settings):
        settings = {"epochs": 5, "num_views": 2, "calibration_folds": 0, **settings}
        settings = {"trained_fraction": 0.6, **settings}
        told = {"progress": progress} if progress else {}
        learner = FineTuneLearner(recipe_of("last-blocks", **settings), 2, **told)
        learner.read(pictures)
        return learner

    return build


def train_whole_network(recipe, pictures, targets):
    """Train by Keras alone: every layer sees the crops, two views by turns."""
    canvases = Canvases.read(pictures, Preprocessor(PreprocessConfig(16, 12)))
    network, training = build_network(recipe, 2), recipe.training
    choose_layers(network, training)
    optimizer = build_optimizer(training, network, steps=10, steps_per_epoch=2)
    optimizer.build(network.trainable_variables)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    network.compile(optimizer, loss, jit_compile=False)
    augmentation = replace(augmentation_of(training, canvases), num_views=0)
    losses = []
    for epoch in range(training.epochs):
        order = np.random.default_rng((recipe.seed, epoch)).permutation(TRAIN)
        draws = augmentation.draw(order, canvas_size=16, seed=0, epoch=epoch % 2)
        seen = tf.gather(canvases.stored, order)
        crops = np.asarray(augmentation.batch(seen, draws))
        told = network.fit(
            crops, targets[order], batch_size=8, shuffle=False, verbose=0
        )
        losses += told.history["loss"]
    return network, losses


def test_kept_activations_train_the_network_that_pixels_train(
    learner_of, pictures, targets
):
    learner = learner_of()
    fitted = learner.fit(TRAIN, targets)

    network, losses = train_whole_network(learner.recipe, pictures, targets)

    found = [row["loss"] for row in fitted.history]
    np.testing.assert_allclose(found, losses, atol=LOSS_OFF)
    moved = 10 * learner.recipe.training.learning_rate * 10  # the head, in ten steps
    for weight, one in zip(network.weights, fitted.weights, strict=True):
        np.testing.assert_allclose(one, weight.numpy(), atol=0.02 * moved)


def too_little(monkeypatch):
    monkeypatch.setenv("PIXSENT_FEATURES_GB", "0")


def full(monkeypatch):
    monkeypatch.setattr(kept.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))


def no_folder(monkeypatch):
    monkeypatch.setattr(kept, "cache_folder", lambda _: Path("/dev/null/activations"))


@pytest.mark.parametrize("happens", [too_little, full, no_folder])
def test_what_does_not_fit_is_computed_again_and_is_the_same(
    learner_of, targets, monkeypatch, happens
):
    settings = {"patience": 3, "mixup": 0.3, "dropout": 0.5}
    expected = learner_of(**settings).fit(TRAIN, targets)
    happens(monkeypatch)

    fitted = learner_of(**settings).fit(TRAIN, targets)

    assert fitted.history == expected.history
    for one, other in zip(fitted.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture
def passed(monkeypatch):
    """Count the crops that pass a frozen part."""
    counts = []
    forward = kept.engine.forward

    def counted(network, num_examples):
        look = forward(network, num_examples)

        def count(crops):
            counts.append(len(crops))
            return look(crops)

        return count

    monkeypatch.setattr(kept.engine, "forward", counted)
    return counts


def test_a_view_of_a_picture_passes_the_frozen_part_once(learner_of, targets, passed):
    learner = learner_of(num_views=3, epochs=7)

    learner.fit(TRAIN, targets)
    assert sum(passed) == 3 * len(TRAIN)
    learner.fit(np.arange(8, 24), targets)  # a fold that shares half of them
    assert sum(passed) == 3 * (len(TRAIN) + 8)


def test_views_that_no_epoch_shows_are_not_computed(learner_of, targets, passed):
    learner_of(num_views=4, epochs=2).fit(TRAIN, targets)

    assert sum(passed) == 2 * len(TRAIN)


def test_learners_of_the_same_pictures_share_what_is_kept(
    learner_of, recipe_of, targets, passed
):
    first = learner_of()
    first.fit(TRAIN, targets)
    settings = {"trained_fraction": 0.6, "num_views": 2, "calibration_folds": 0}
    other = FineTuneLearner(recipe_of("last-blocks", **settings), 2)
    other.read_with(first)

    other.fit(TRAIN, targets)

    assert sum(passed) == 2 * len(TRAIN)


def test_another_frozen_part_does_not_get_what_is_kept(
    learner_of, recipe_of, targets, passed
):
    first = learner_of()
    first.fit(TRAIN, targets)
    other = FineTuneLearner(
        recipe_of(
            "last-blocks", trained_fraction=0.01, num_views=2, calibration_folds=0
        ),
        2,
    )
    other.read_with(first)

    other.fit(TRAIN, targets)

    assert sum(passed) == 4 * len(TRAIN)


def test_new_views_in_each_epoch_differ_from_views_by_turns(learner_of, targets):
    by_turns = learner_of(num_views=1).fit(TRAIN, targets).history
    new = learner_of(num_views=0).fit(TRAIN, targets).history

    assert by_turns[0]["loss"] == pytest.approx(new[0]["loss"], abs=5e-3)
    assert by_turns[1] != new[1]


def test_pictures_are_mixed_where_the_frozen_part_ends(recipe_of, pictures, targets):
    recipe = recipe_of(
        "last-blocks", trained_fraction=0.01, mixup=0.5, num_views=1, batch_size=16
    )
    learner = FineTuneLearner(recipe, 2)
    learner.read(pictures)
    choose_layers(learner.network, recipe.training)
    views = learner._views()
    examples = Examples(TRAIN, targets)

    ((mixed, mixed_targets, _),) = views.of_epochs(
        examples, batch_size=16, seed=0, epochs=1
    )

    order = np.random.default_rng((0, 0)).permutation(TRAIN)
    (rows,) = views.activations.rows(order, 0)
    # The share that each keeps is told by what became of its target.
    neighbors = np.roll(order, 1)
    differ = targets[order, 0] != targets[neighbors, 0]
    share = np.abs(mixed_targets.numpy() - targets[neighbors])[differ, 0]
    rows = rows.astype("float32")
    expected = rows * share_of(share, differ, rows) + np.roll(rows, 1, axis=0) * (
        1 - share_of(share, differ, rows)
    )
    np.testing.assert_allclose(mixed.numpy()[differ], expected[differ], atol=1e-4)
    assert (share >= 0.5).all()
    assert share.min() < 0.95


def share_of(share, differ, rows):
    full = np.ones(len(rows), dtype="float32")
    full[differ] = share
    return full.reshape(-1, *[1] * (rows.ndim - 1))


def test_keeping_is_told(learner_of, targets):
    heard = Heard()

    learner_of(progress=heard).fit(TRAIN, targets)

    assert (2 * len(TRAIN), "keeping") in heard.steps


def test_the_weights_before_the_cut_stay_what_they_were(learner_of, targets):
    learner = learner_of()
    before = learner.network.get_weights()
    fitted = learner.fit(TRAIN, targets)

    same = [np.array_equal(a, b) for a, b in zip(before, fitted.weights, strict=True)]
    frozen = [not w.trainable for w in learner.network.weights]
    assert same == frozen


def canvases_of(pictures):
    return Canvases.read(pictures, Preprocessor(PreprocessConfig(16, 12)))


def test_pictures_are_varied_as_the_recipe_says(recipe_of, pictures):
    settings = {
        "crop": False,
        "flip": False,
        "min_area_fraction": 0.5,
        "jitter": 0.2,
        "mixup": 0.3,
        "num_views": 4,
    }
    canvases = canvases_of(pictures)

    some, every = (
        augmentation_of(recipe_of(strategy, **settings).training, canvases)
        for strategy in ("last-blocks", "all")
    )

    assert some == Augmentation(12, **settings)
    assert every == Augmentation(12, **(settings | {"num_views": 0}))


def test_what_validates_are_the_centers_whatever_trains(recipe_of, pictures):
    canvases = canvases_of(pictures)
    varied = Augmentation(12, min_area_fraction=0.3, jitter=0.4, mixup=0.5)
    targets = np.eye(24, dtype="float32")  # tells which picture it is
    weights = np.arange(24, dtype="float32")
    views = WholeViews.of(build_network(recipe_of("all"), 2), canvases, varied)

    batches = list(views.of_centers(Examples(TEST, targets, weights), batch_size=5))

    crops, labels, counts = (
        np.concatenate([np.asarray(batch[i]) for batch in batches]) for i in range(3)
    )
    positions = labels.argmax(axis=1)
    assert sorted(positions) == TEST.tolist()
    expected = canvases.stored.numpy()[positions, 2:14, 2:14]
    np.testing.assert_array_equal(crops, expected)
    assert counts.tolist() == positions.tolist()
