"""Fine-tuning learns what it should, leaves the rest, and repeats itself exactly."""

from __future__ import annotations

import random
from dataclasses import replace

import keras
import numpy as np
import pytest
from PIL import Image

from pixsent_tf.data.balance import balanced
from pixsent_tf.errors import DataError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.training.finetune import FineTuneLearner, build_network
from tests.float32 import assert_close_float32
from tests.heard import Heard
from tests.tiny_network import OPERATIONS

TRAIN = np.arange(16)
TEST = np.arange(16, 24)


@pytest.fixture
def learner_of(recipe_of, pictures):
    def build(*names, recipe=None, **settings):
        own = {
            name: settings.pop(name)
            for name in ("progress", "on_device")
            if name in settings
        }
        learner = FineTuneLearner(recipe or recipe_of(*names, **settings), 2, **own)
        learner.read(pictures)
        return learner

    return build


def weights_by_path(fitted):
    network = fitted.classifier()
    return {weight.path: weight.numpy() for weight in network.weights}


def changed_layers(learner, fitted):
    before = {variable.path: value for variable, value in learner._initial}
    after = weights_by_path(fitted)
    return {
        path.split("/")[-2]
        for path, value in after.items()
        if not np.array_equal(value, before[path])
    }


def test_all_learns_to_tell_dark_from_bright(learner_of, targets):
    fitted = learner_of("all", epochs=8).fit(TRAIN, targets)

    probs = fitted.probs(TEST)

    assert (probs.argmax(axis=1) == targets[TEST].argmax(axis=1)).all()
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-6)


def test_two_runs_with_one_seed_are_bit_identical(learner_of, targets):
    settings = {"dropout": 0.5, "jitter": 0.2, "min_area_fraction": 0.5, "mixup": 0.3}
    first, second = (learner_of("all", **settings).fit(TRAIN, targets) for _ in "12")

    assert first.history == second.history
    np.testing.assert_array_equal(first.probs(TEST), second.probs(TEST))


def test_a_training_leaves_the_generators_of_the_process_alone(learner_of, targets):
    learner = learner_of("all", dropout=0.5)
    random.seed(5)
    np.random.seed(5)
    before = random.getstate(), np.random.get_state()[1].tolist()

    learner.fit(TRAIN, targets)

    assert (random.getstate(), np.random.get_state()[1].tolist()) == before


def test_a_second_fold_does_not_know_the_first(learner_of, targets):
    learner = learner_of("all", dropout=0.5)
    alone = learner.fit(TRAIN, targets).probs(TEST)

    learner.fit(TEST, targets)
    again = learner.fit(TRAIN, targets)

    np.testing.assert_array_equal(again.probs(TEST), alone)


def test_another_seed_gives_another_network(learner_of, targets):
    first, second = (
        learner_of("all", seed=seed).fit(TRAIN, targets).probs(TEST) for seed in (0, 1)
    )

    assert np.abs(first - second).max() > 1e-4


def test_cutting_on_the_device_trains_the_same_network(learner_of, targets):
    settings = {"jitter": 0.2, "min_area_fraction": 0.5, "mixup": 0.3}
    in_pipeline, on_device = (
        learner_of("all", on_device=place, **settings).fit(TRAIN, targets)
        for place in (False, True)
    )

    assert in_pipeline.history == on_device.history
    np.testing.assert_array_equal(in_pipeline.probs(TEST), on_device.probs(TEST))


def test_normalization_is_left_alone_unless_asked(learner_of, targets):
    frozen = learner_of("all")
    free = learner_of("all", freeze_normalization=False)

    assert changed_layers(frozen, frozen.fit(TRAIN, targets)) == {
        *("conv1", "conv2", "logits")
    }
    assert "conv1_bn" in changed_layers(free, free.fit(TRAIN, targets))


@pytest.mark.parametrize(
    ("share", "expected"), [(0.01, {"logits"}), (0.6, {"conv2", "logits"})]
)
def test_last_blocks_train_from_the_head_back(learner_of, targets, share, expected):
    learner = learner_of("last-blocks", trained_fraction=share)

    assert changed_layers(learner, learner.fit(TRAIN, targets)) == expected


def test_lp_ft_starts_from_the_head_of_the_frozen_features(learner_of, targets):
    learner = learner_of("lp-ft", learning_rate=0.0, epochs=1)

    fitted = learner.fit(TRAIN, targets)

    assert changed_layers(learner, fitted) == {"logits"}
    assert (fitted.probs(TEST).argmax(axis=1) == targets[TEST].argmax(axis=1)).all()


def test_last_blocks_may_start_from_the_head_of_the_frozen_features(
    learner_of, targets
):
    still = {"learning_rate": 0.0, "epochs": 1}
    first = learner_of("lp-ft", **still).fit(TRAIN, targets)

    fitted = learner_of("last-blocks", head_first=True, **still).fit(TRAIN, targets)

    for one, other in zip(fitted.weights, first.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_history_has_a_row_per_epoch(learner_of, targets):
    heard = Heard()
    fitted = learner_of("all", epochs=3, progress=heard).fit(TRAIN, targets)

    assert [row["epoch"] for row in fitted.history] == [1, 2, 3]
    assert set(fitted.history[0]) == {"epoch", "loss", "accuracy"}
    assert heard.lines[1].startswith("epoch 2/3: ")


def test_max_steps_stops_in_the_middle_of_an_epoch(learner_of, targets):
    learner = learner_of("all", epochs=5, max_steps=3)

    fitted = learner.fit(TRAIN, targets)

    assert int(learner.network.optimizer.iterations) == 3
    assert [row["epoch"] for row in fitted.history] == [1, 2]


def test_patience_stops_and_goes_back_to_the_best_epoch(learner_of, targets):
    learner = learner_of("all", epochs=40, learning_rate=0.5, patience=2)

    fitted = learner.fit(TRAIN, targets)

    losses = [row["val_loss"] for row in fitted.history]
    assert len(losses) < 40
    assert len(losses) - 1 - int(np.argmin(losses)) == 2


def test_early_stopping_looks_at_no_test_picture(learner_of, targets):
    corrupted = targets.copy()
    corrupted[TEST] = 1 - corrupted[TEST]
    learner = learner_of("all", epochs=4, patience=2)

    first, second = (learner.fit(TRAIN, labels) for labels in (targets, corrupted))

    assert first.history == second.history


def test_averaged_weights_are_the_ones_that_are_kept(learner_of, targets):
    steps = {"epochs": 1, "max_steps": 1, "freeze_normalization": True}
    plain = weights_by_path(learner_of("all", **steps).fit(TRAIN, targets))
    halfway = weights_by_path(
        learner_of("all", ema=0.5, epochs=1, max_steps=2).fit(TRAIN, targets)
    )
    last = weights_by_path(learner_of("all", epochs=1, max_steps=2).fit(TRAIN, targets))

    # The schedules of one and of two steps differ after the first step only.
    for path in plain:
        mean = (plain[path] + last[path]) / 2
        scale = max(1.0, np.abs(mean).max())
        assert_close_float32(halfway[path], mean, operations=4, scale=scale)


def test_balanced_weights_count_for_what_is_rare(learner_of, targets):
    few = np.concatenate([np.arange(0, 16, 2), [1, 3]])  # eight dark, two bright
    bright = [
        learner_of("all", epochs=3)
        .fit(few, balanced(targets, by=by, among=few))
        .probs(TEST)[:, 1]
        .mean()
        for by in ("none", "classes")
    ]

    assert bright[1] > bright[0]


def test_vote_shares_are_learnt_as_shares(learner_of, targets):
    shares = np.full_like(targets, 0.5)
    shares[:, 0], shares[:, 1] = 0.7, 0.3

    probs = learner_of("all", epochs=30).fit(TRAIN, shares).probs(TEST)

    np.testing.assert_allclose(probs[:, 0], 0.7, atol=0.1)


@pytest.mark.parametrize(
    ("optimizer", "schedule"),
    [("adamw", "cosine"), ("caffe_sgd", "step"), ("caffe_sgd", "constant")],
)
def test_every_optimizer_follows_every_schedule(
    learner_of, targets, optimizer, schedule
):
    settings = {"optimizer": optimizer, "schedule": schedule, "learning_rate": 0.001}
    fitted = learner_of("all", epochs=3, **settings).fit(TRAIN, targets)

    assert np.isfinite([row["loss"] for row in fitted.history]).all()


def test_oversampling_averages_the_ten_crops(learner_of, recipe_of, pictures, targets):
    fitted = learner_of(recipe=recipe_of("all", ten_crop=True)).fit(TRAIN, targets)

    # By hand: cut with NumPy, score each crop by the classifier.
    canvas = np.asarray(Image.open(pictures[20]))
    offsets = [(0, 0), (0, 4), (4, 0), (4, 4), (2, 2)]
    crops = [canvas[y : y + 12, x : x + 12] for y, x in offsets]
    crops += [crop[:, ::-1] for crop in crops]
    logits = fitted.classifier()(np.stack(crops), training=False)
    expected = keras.ops.softmax(logits).numpy().mean(axis=0)
    found = fitted.probs(np.array([20]))[0]
    assert_close_float32(found, expected, operations=OPERATIONS)


def test_a_classifier_is_not_touched_by_later_training(learner_of, targets):
    learner = learner_of("all")
    classifier = learner.fit(TRAIN, targets).classifier()
    before = [weight.copy() for weight in classifier.get_weights()]

    learner.fit(TEST, targets)

    for old, new in zip(before, classifier.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_the_saved_model_holds_nothing_of_the_training(learner_of, targets, tmp_path):
    learner = learner_of("all", dropout=0.5, on_device=True)
    fitted = learner.fit(TRAIN, targets)
    SentimentModel.build(
        fitted.classifier(), learner.preprocess, ["dark", "bright"]
    ).save(tmp_path / "model.keras")

    model = keras.models.load_model(tmp_path / "model.keras")

    kinds = {
        type(layer).__name__
        for layer in model._flatten_layers(include_self=False)
        if not isinstance(layer, keras.Model)
    }
    assert kinds == {
        *("InputLayer", "ToCrop", "Rescaling", "Conv2D", "BatchNormalization"),
        *("ReLU", "GlobalAveragePooling2D", "Dense", "SentimentOutput"),
    }


def test_the_saved_model_gives_the_same_probabilities_however_it_is_called(
    learner_of, pictures, targets, tmp_path
):
    learner = learner_of("all")
    fitted = learner.fit(TRAIN, targets)
    SentimentModel.build(
        fitted.classifier(), learner.preprocess, ["dark", "bright"]
    ).save(tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")
    images = np.stack([np.asarray(Image.open(pictures[i])) for i in TEST])

    expected = fitted.probs(TEST)
    for training in (None, False, True):
        found = model(images, training=training)
        assert_close_float32(found, expected, operations=OPERATIONS)


class Killed(Exception):
    """Stands for the power going out."""


@pytest.mark.parametrize("settings", [{}, {"patience": 3, "ema": 0.9}])
def test_a_killed_training_goes_on_as_if_nothing_had_happened(
    learner_of, targets, tmp_path, settings
):
    def die(line):
        if line.startswith("epoch 3/"):
            raise Killed

    settings = {"epochs": 5, "dropout": 0.5, **settings}
    whole = learner_of("all", **settings).fit(TRAIN, targets)
    killed = learner_of("all", progress=Heard(die), **settings)
    with pytest.raises(Killed):
        killed.fit(TRAIN, targets, checkpoints=tmp_path)
    heard = Heard()

    resumed = learner_of("all", progress=heard, **settings).fit(
        TRAIN, targets, checkpoints=tmp_path
    )

    assert heard.lines[0].startswith("epoch 3/5")
    assert resumed.history == whole.history
    np.testing.assert_array_equal(resumed.probs(TEST), whole.probs(TEST))


@pytest.mark.parametrize(
    ("strategy", "settings"),
    [
        ("all", {"patience": 1, "ema": 0.9}),
        ("last-blocks", {}),
        ("lp-ft", {"ema": 0.9}),
    ],
)
def test_a_finished_training_is_not_done_again(
    learner_of, targets, tmp_path, strategy, settings
):
    settings = {"epochs": 3, **settings}
    first = learner_of(strategy, **settings).fit(TRAIN, targets, checkpoints=tmp_path)
    heard = Heard()
    again = learner_of(strategy, progress=heard, **settings).fit(
        TRAIN, targets, checkpoints=tmp_path
    )

    assert heard.lines == []
    assert again.history == first.history
    for before, after in zip(first.weights, again.weights, strict=True):
        np.testing.assert_array_equal(before, after)


def test_another_fold_does_not_go_on_from_this_one(learner_of, targets, tmp_path):
    def die(line):
        raise Killed

    with pytest.raises(Killed):
        learner_of("all", progress=Heard(die)).fit(TRAIN, targets, checkpoints=tmp_path)
    with pytest.raises(Killed):
        learner_of("all", progress=Heard(die)).fit(
            TRAIN[2:], targets, checkpoints=tmp_path
        )
    heard = Heard()

    learner_of("all", progress=heard).fit(TRAIN[4:], targets, checkpoints=tmp_path)

    assert heard.lines[0].startswith("epoch 1/2")


def test_unreadable_pictures_are_named(recipe_of, pictures, tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    learner = FineTuneLearner(recipe_of("all"), 2)

    learner.read([*pictures[:2], str(tmp_path / "empty.jpg")])

    assert {i: error.reason for i, error in learner.failures.items()} == {2: "empty"}


def test_fit_before_read_is_refused(recipe_of, targets):
    with pytest.raises(DataError, match="call read"):
        FineTuneLearner(recipe_of("all"), 2).fit(TRAIN, targets)


def test_mixed_precision_ends_in_a_model_of_single_precision(recipe_of):
    from pixsent_tf.training.finetune import FittedNetwork

    recipe = recipe_of("all")
    learner = FineTuneLearner(recipe, 2)
    mixed = build_network(recipe, 2, precision="mixed_float16")

    classifier = FittedNetwork(learner, mixed.get_weights(), []).classifier()

    assert mixed.get_layer("conv1").compute_dtype == "float16"
    assert {layer.compute_dtype for layer in classifier.layers} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"


def test_the_recipe_of_a_fit_is_not_changed(learner_of, recipe_of, targets):
    recipe = recipe_of("all")
    learner_of(recipe=recipe).fit(TRAIN, targets)

    assert recipe == replace(recipe_of("all"))


def test_a_picture_in_the_middle_that_cannot_be_read_shifts_no_feature(
    recipe_of, pictures, targets, tmp_path
):
    (tmp_path / "empty.jpg").write_bytes(b"")
    paths = [*pictures[:5], str(tmp_path / "empty.jpg"), *pictures[5:]]
    recipe = recipe_of("lp-ft", learning_rate=0.0, epochs=1)
    plain, broken = (FineTuneLearner(recipe, 2) for _ in "12")
    plain.read(pictures)
    broken.read(paths)

    expected = plain.fit(TRAIN, targets).probs(TEST)
    fitted = broken.fit(
        np.setdiff1d(np.arange(17), [5]), np.insert(targets, 5, [1, 0], axis=0)
    )

    np.testing.assert_allclose(fitted.probs(TEST + 1), expected, atol=1e-6)


def test_a_network_starts_with_the_dropout_and_the_spread_of_its_recipe(recipe_of):
    recipe = recipe_of("all", dropout=0.25)
    wide, narrow = (
        build_network(
            replace(recipe, model=replace(recipe.model, initializer_stddev=stddev)), 2
        )
        for stddev in (0.4, 0.1)
    )

    rates = [
        layer.rate for layer in wide.layers if isinstance(layer, keras.layers.Dropout)
    ]
    assert rates == [0.25]
    kernels = [each.get_layer("logits").kernel.numpy() for each in (wide, narrow)]
    np.testing.assert_allclose(kernels[0], 4 * kernels[1], rtol=1e-5)


def test_nothing_is_dropped_where_a_network_past_its_frozen_part_answers(
    learner_of, pictures, targets
):
    learner = learner_of("last-blocks", trained_fraction=0.6, dropout=0.5)
    fitted = learner.fit(TRAIN, targets)
    crops = np.stack([np.asarray(Image.open(pictures[i])) for i in TEST])

    logits = fitted.classifier()(crops[:, 2:14, 2:14], training=False)

    expected = keras.ops.softmax(logits).numpy()
    assert_close_float32(fitted.probs(TEST), expected, operations=OPERATIONS)
