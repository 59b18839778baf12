"""What counts in the loss, and what decides when to stop."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from pixsent_tf.config import DataConfig, PreprocessConfig
from pixsent_tf.data.canvases import Canvases, Examples
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import TrainingError
from pixsent_tf.training import descent
from pixsent_tf.training.descent import descend
from pixsent_tf.training.finetune import build_network
from pixsent_tf.training.rates import choose_layers
from pixsent_tf.training.views import WholeViews, augmentation_of
from tests.heard import Heard

ALL = np.arange(24)


@pytest.fixture(scope="module")
def canvases(pictures):
    return Canvases.read(pictures, Preprocessor(PreprocessConfig(16, 12)))


def views_of(canvases, recipe, network=None):
    network = network or build_network(recipe, 2)
    choose_layers(network, recipe.training)
    augmentation = augmentation_of(recipe.training, canvases)
    return WholeViews.of(network, canvases, augmentation)


def losses(canvases, recipe, examples):
    rows = descend(views_of(canvases, recipe), examples, recipe)
    return [row["loss"] for row in rows]


@pytest.fixture
def still(recipe_of):
    """A recipe that looks at everything and changes nothing."""
    return recipe_of(
        epochs=1, learning_rate=0.0, weight_decay=0.0, crop=False, flip=False
    )


def log_losses(canvases, recipe, targets):
    """Cross-entropy of each picture at the starting weights, by NumPy."""
    crops = canvases.stored.numpy()[:, 2:14, 2:14]
    logits = build_network(recipe, 2)(crops, training=False).numpy()
    log_probs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return -(targets * log_probs).sum(axis=1)


def test_the_loss_is_the_cross_entropy_with_the_targets(canvases, still, targets):
    shares = 0.8 * targets + 0.1
    expected = log_losses(canvases, still, shares).mean()

    (loss,) = losses(canvases, still, Examples(ALL, shares))

    assert loss == pytest.approx(expected, rel=1e-4)


def test_rows_that_sum_to_a_weight_count_by_it(canvases, still, targets):
    weights = np.linspace(0.1, 2, 24)[:, None]
    expected = (log_losses(canvases, still, targets) * weights[:, 0]).mean()

    (loss,) = losses(canvases, still, Examples.of_weighted(ALL, targets * weights))

    assert loss == pytest.approx(expected, rel=1e-4)


def test_inner_pictures_do_not_train(canvases, recipe_of, targets):
    heard = Heard()
    recipe = recipe_of(epochs=1, patience=1, batch_size=1)
    network = build_network(recipe, 2)

    views = views_of(canvases, recipe, network)
    descend(views, Examples(ALL, targets), recipe, progress=heard)

    # A fifth of 24, by class, is 4 or 5 of them; steps are what is left.
    assert int(network.optimizer.iterations) in (19, 20)
    assert "val_loss" in heard.lines[0]


@pytest.mark.parametrize(
    ("settings", "steps", "epochs"),
    [
        ({"epochs": 2}, 6, 2),  # three batches of eight are an epoch
        ({"epochs": 9, "max_steps": 4}, 4, 2),
        ({"epochs": 2, "max_steps": 40}, 6, 2),
    ],
)
def test_a_training_ends_after_its_epochs_or_its_steps(
    settings, steps, epochs, canvases, recipe_of, targets
):
    recipe = recipe_of("all", batch_size=8, **settings)
    network, heard = build_network(recipe, 2), Heard()

    views = views_of(canvases, recipe, network)
    rows = descend(views, Examples(ALL, targets), recipe, progress=heard)

    assert int(network.optimizer.iterations) == steps
    assert len(rows) == epochs
    assert heard.lines[-1].startswith(f"epoch {epochs}/{epochs}")


def test_a_rate_that_is_too_high_ends_at_once_and_names_the_pictures(
    canvases, targets, recipe_of, tmp_path
):
    recipe = recipe_of("all", epochs=9, learning_rate=1e30, optimizer="caffe_sgd")
    heard = Heard()
    with pytest.raises(TrainingError, match=r"training\.learning_rate=1e\+29 ") as told:
        descend(
            *(views_of(canvases, recipe), Examples(ALL, targets), recipe),
            progress=heard,
            checkpoints=tmp_path,
        )

    error = told.value
    assert error.epoch == 1
    shuffled = np.random.default_rng((0, 0)).permutation(ALL)
    first = 8 * (error.step - 1)
    assert list(error.positions) == shuffled[first : first + 8].tolist()
    assert not list(tmp_path.rglob("*.npz"))  # nothing good was there to keep


@pytest.mark.parametrize(
    "error", [MemoryError(), tf.errors.ResourceExhaustedError(None, None, "OOM")]
)
def test_too_little_memory_names_the_batch(
    canvases, targets, recipe_of, monkeypatch, error
):
    def exhausted(*_, **__):
        raise error

    recipe = recipe_of("all", batch_size=24)
    monkeypatch.setattr(keras.Model, "fit", exhausted)
    with pytest.raises(
        TrainingError, match="steps of 24 pictures; try --batch-size 12 with another"
    ) as told:
        descend(views_of(canvases, recipe), Examples(ALL, targets), recipe)

    assert told.value.batch_size == 24


def test_the_last_pictures_of_an_epoch_are_a_step_though_they_fill_no_batch(
    canvases, recipe_of, targets
):
    recipe = recipe_of(epochs=2)
    network = build_network(recipe, 2)

    descend(views_of(canvases, recipe, network), Examples(ALL[:20], targets), recipe)

    assert int(network.optimizer.iterations) == 2 * 3


def test_smoothed_labels_are_what_is_aimed_at(canvases, still, targets):
    recipe = replace(still, training=replace(still.training, label_smoothing=0.2))
    expected = log_losses(canvases, still, 0.8 * targets + 0.1).mean()

    (loss,) = losses(canvases, recipe, Examples(ALL, targets))

    assert loss == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("kind", ["squared", "huber"])
def test_ratings_are_aimed_at_by_the_loss_that_is_named(canvases, still, kind):
    recipe = replace(
        still,
        training=replace(still.training, rating_loss=kind, calibration_folds=1),
        data=DataConfig("ratings.csv", target=("valence", "arousal")),
    )
    values = np.random.default_rng(0).normal(0, 3, (24, 2)).astype("float32")
    said = build_network(recipe, 2)(canvases.stored.numpy()[:, 2:14, 2:14]).numpy()
    off = np.abs(said - values)
    by_hand = off**2
    if kind == "huber":
        by_hand = np.where(off <= 1, off**2 / 2, off - 0.5)

    (loss,) = losses(canvases, recipe, Examples(ALL, values))

    assert loss == pytest.approx(by_hand.mean(), rel=1e-4)


@pytest.fixture
def parts(monkeypatch):
    """What trains and what validates, by the name of the method that was asked."""
    seen = {}

    def note(name):
        original = getattr(WholeViews, name)

        def noted(self, examples, **settings):
            seen[name] = examples.indices
            return original(self, examples, **settings)

        monkeypatch.setattr(WholeViews, name, noted)

    note("of_epochs")
    note("of_centers")
    return seen


def test_pictures_that_belong_together_do_not_train_and_validate(
    canvases, recipe_of, targets, parts
):
    units = np.arange(24) // 2  # a dark and a bright one
    recipe = recipe_of(epochs=1, patience=1)

    descend(views_of(canvases, recipe), Examples(ALL, targets, None, units), recipe)

    train, inner = parts["of_epochs"], parts["of_centers"]
    assert sorted([*train, *inner]) == ALL.tolist()
    assert not set(units[train]) & set(units[inner])
    assert len(inner) in (4, 6)


def test_averaged_weights_are_kept_as_they_were_validated(
    canvases, recipe_of, targets, parts
):
    recipe = recipe_of(epochs=4, patience=4, ema=0.7, learning_rate=0.05)
    shares = 0.8 * targets + 0.1
    network = build_network(recipe, 2)

    rows = descend(views_of(canvases, recipe, network), Examples(ALL, shares), recipe)

    inner = parts["of_centers"]
    logits = network(canvases.stored.numpy()[inner, 2:14, 2:14]).numpy()
    log_probs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    loss = -(shares[inner] * log_probs).sum(axis=1).mean()
    assert loss == pytest.approx(min(row["val_loss"] for row in rows), rel=1e-4)
    assert loss > 0.3
    plain = recipe_of(epochs=4, patience=4, learning_rate=0.05)
    row, *_ = descend(views_of(canvases, plain), Examples(ALL, shares), plain)
    assert row["loss"] == pytest.approx(rows[0]["loss"], rel=1e-4)
    assert abs(row["val_loss"] - rows[0]["val_loss"]) > 0.01  # of the last weights


def test_a_training_is_known_by_everything_that_decides_it(
    canvases, recipe_of, targets
):
    recipe, weights, units = recipe_of(), np.ones(24), np.arange(24)
    paths = (*canvases.paths[1:], canvases.paths[0])
    settings = [
        (recipe, canvases, Examples(ALL, targets, weights, units)),
        (recipe_of(epochs=3), canvases, Examples(ALL, targets, weights, units)),
        (recipe_of(seed=1), canvases, Examples(ALL, targets, weights, units)),
        (
            recipe,
            replace(canvases, paths=paths),
            Examples(ALL, targets, weights, units),
        ),
        (recipe, canvases, Examples(ALL[1:], targets, weights, units)),
        (recipe, canvases, Examples(ALL, 1 - targets, weights, units)),
        (recipe, canvases, Examples(ALL, targets, 2 * weights, units)),
        (recipe, canvases, Examples(ALL, targets, weights, units // 2)),
    ]

    names = [descent._fingerprint(*each) for each in settings]

    assert len(set(names)) == len(settings)
    assert descent._fingerprint(*settings[0]) == names[0]
