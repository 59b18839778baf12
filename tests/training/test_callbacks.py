"""What is kept between epochs, and when it is enough."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pixsent_tf.errors import TrainingError
from pixsent_tf.progress import NO_PROGRESS
from pixsent_tf.training.callbacks import (
    Checkpoint,
    KeepBest,
    Report,
    StopAfter,
    StopWhereNotFinite,
)
from pixsent_tf.training.checkpoints import Chain
from tests.heard import Heard


@pytest.fixture
def model():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def validated(callback, model, losses):
    """Play epochs with these losses; weights are the epoch's number."""
    callback.set_model(model)
    model.stop_training = False
    for epoch, loss in enumerate(losses):
        model.set_weights([np.full((1, 1), epoch), np.zeros(1)])
        callback.on_test_end({"loss": loss})
        callback.on_epoch_end(epoch)
        if model.stop_training:
            break
    callback.on_train_end()
    return epoch


def test_waiting_ends_after_as_many_epochs_as_patience_says(model):
    assert validated(KeepBest(2), model, [3, 2, 2.5, 2.1, 1]) == 3


def test_the_best_weights_come_back(model):
    validated(KeepBest(2), model, [3, 2, 2.5, 2.1])

    assert model.get_weights()[0] == 1


def test_a_report_is_a_row_and_a_line():
    heard = Heard()
    report = Report(7, heard)

    report.on_epoch_end(1, {"loss": 0.25})

    assert report.rows == [{"epoch": 2, "loss": 0.25}]
    assert heard.lines == ["epoch 2/7: loss 0.2500"]


@pytest.fixture
def finite(model):
    """Refuses what is not finite; step k of epoch e has the pictures 10 e + k."""
    callback = StopWhereNotFinite(0.01, lambda e, k: np.array([10 * e + k]))
    callback.set_model(model)
    callback.on_epoch_begin(3)
    return callback


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_names_where_it_was(finite, loss):
    finite.on_train_batch_end(0, {"loss": 1.0})
    with pytest.raises(
        TrainingError, match=rf"The loss is {loss} in epoch 4, step 6, .*_rate=0\.001 "
    ) as told:
        finite.on_train_batch_end(5, {"loss": loss})

    error = told.value
    assert (error.epoch, error.step, error.positions) == (4, 6, (35,))


def test_weights_and_validation_losses_are_looked_at_too(finite, model):
    finite.on_epoch_end(3, {"loss": 1.0, "val_loss": 2.0})
    with pytest.raises(TrainingError, match="val_loss is not finite after epoch 4"):
        finite.on_epoch_end(3, {"loss": 1.0, "val_loss": float("nan")})
    model.set_weights([np.full((1, 1), np.nan), np.zeros(1)])
    with pytest.raises(TrainingError, match="kernel is not finite after epoch 4"):
        finite.on_epoch_end(3, {"loss": 1.0})


def test_steps_are_counted_over_epochs(model):
    pixels = np.zeros((8, 1))

    model.fit(
        *(pixels, pixels),
        batch_size=2,
        epochs=9,
        verbose=0,
        callbacks=[StopAfter(6)],
    )

    assert int(model.optimizer.iterations) == 6


def test_a_checkpoint_brings_everything_back(model, tmp_path):
    report, best = Report(5, NO_PROGRESS), KeepBest(3)
    best.set_model(model)
    best.on_test_end({"loss": 0.5})
    best.on_test_end({"loss": 0.6})
    report.on_epoch_end(1, {"loss": 0.1})
    checkpoint = Checkpoint(Chain(tmp_path / "fit"), report, best)
    checkpoint.set_model(model)
    model.optimizer.iterations.assign(12)
    before = model.get_weights()
    checkpoint.on_epoch_end(1)
    model.set_weights([weight + 1 for weight in before])
    model.optimizer.iterations.assign(0)
    report, best = Report(5, NO_PROGRESS), KeepBest(3)

    epoch = Checkpoint(Chain(tmp_path / "fit"), report, best).restore(model)

    assert epoch == 2
    assert int(model.optimizer.iterations) == 12
    assert report.rows == [{"epoch": 2, "loss": 0.1}]
    assert (best.best_loss, best.waited) == (0.5, 1)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_nothing_to_go_on_from_starts_at_the_beginning(model, tmp_path):
    checkpoint = Checkpoint(Chain(tmp_path / "none"), Report(5, NO_PROGRESS), None)

    assert checkpoint.restore(model) == 0


def test_what_is_only_as_good_is_no_better(model):
    assert validated(KeepBest(2), model, [2, 2, 2, 1]) == 2
    assert model.get_weights()[0] == 0


def test_a_checkpoint_brings_the_best_weights_back(model, tmp_path):
    best = KeepBest(3)
    best.set_model(model)
    model.set_weights([np.full((1, 1), 5.0), np.full(1, 6.0)])
    best.on_test_end({"loss": 0.5})
    model.set_weights([np.full((1, 1), 7.0), np.full(1, 8.0)])
    checkpoint = Checkpoint(Chain(tmp_path / "fit"), Report(5, NO_PROGRESS), best)
    checkpoint.set_model(model)
    checkpoint.on_epoch_end(0)

    again = KeepBest(3)
    Checkpoint(Chain(tmp_path / "fit"), Report(5, NO_PROGRESS), again).restore(model)

    assert [weight.item() for weight in again.best_weights] == [5, 6]
    assert [weight.item() for weight in model.get_weights()] == [7, 8]


def test_a_checkpoint_brings_the_velocities_of_the_optimizer_back(model, tmp_path):
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    pixels, answers = np.ones((4, 1)), np.full((4, 1), 5.0)
    checkpoint = Checkpoint(Chain(tmp_path / "fit"), Report(2, NO_PROGRESS), None)
    model.fit(pixels, answers, epochs=1, verbose=0, callbacks=[checkpoint])
    kept = [variable.numpy() for variable in model.optimizer.variables]
    model.fit(pixels, answers, epochs=1, verbose=0)
    after_two = model.get_weights()

    model.fit(pixels, answers, epochs=3, verbose=0)  # what shall be forgotten
    Checkpoint(Chain(tmp_path / "fit"), Report(2, NO_PROGRESS), None).restore(model)

    for variable, value in zip(model.optimizer.variables, kept, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    model.fit(pixels, answers, epochs=1, verbose=0)
    for one, other in zip(model.get_weights(), after_two, strict=True):
        np.testing.assert_array_equal(one, other)
