"""What happens between the epochs of a training?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from pixsent_tf.errors import TrainingError
from pixsent_tf.progress import Progress
from pixsent_tf.training.checkpoints import Chain


class Report(keras.callbacks.Callback):
    """Keep one row per epoch, and say it in a line.

    Args:
        epochs: Of the whole training.
        progress: Hears the line.
    """

    def __init__(self, epochs: int, progress: Progress) -> None:
        super().__init__()
        self.epochs = epochs
        self.progress = progress
        self.rows: list[dict[str, float]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add a row.

        Args:
            epoch: From 0.
            logs: Losses and metrics by name.
        """
        values = {name: float(value) for name, value in (logs or {}).items()}
        self.rows.append({"epoch": epoch + 1, **values})
        numbers = ", ".join(f"{name} {value:.4f}" for name, value in values.items())
        self.progress.say(f"epoch {epoch + 1}/{self.epochs}: {numbers}")


class StopWhereNotFinite(keras.callbacks.Callback):
    """Refuse to go on with numbers that are not finite.

    What is kept of the epochs before stays: name it before all that keep anything.

    Args:
        learning_rate: Of the training; a tenth of it is proposed.
        pictures_of: Gives the positions of the pictures of a step, by epoch and step
            from 0.
    """

    def __init__(
        self, learning_rate: float, pictures_of: Callable[[int, int], np.ndarray]
    ) -> None:
        super().__init__()
        self.learning_rate = learning_rate
        self.pictures_of = pictures_of
        self.epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch.

        Args:
            epoch: From 0.
            logs: Unused.
        """
        self.epoch = epoch

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Look at the loss.

        Args:
            batch: The step, from 0.
            logs: Holds the loss, a mean over the epoch so far.

        Raises:
            TrainingError: If it is not finite.
        """
        loss = float((logs or {})["loss"])
        if not np.isfinite(loss):
            raise TrainingError(
                f"The loss is {loss} in epoch {self.epoch + 1}, step {batch + 1}, and "
                f"nothing was saved; {self._advice}",
                epoch=self.epoch + 1,
                step=batch + 1,
                positions=self.pictures_of(self.epoch, batch).tolist(),
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at what the last step has led to.

        Args:
            epoch: From 0.
            logs: Losses and metrics by name.

        Raises:
            TrainingError: If a loss or a weight is not finite.
        """
        bad = [name for name, value in (logs or {}).items() if not np.isfinite(value)]
        bad += [each.path for each in self.model.variables if not _is_finite(each)]
        if bad:
            raise TrainingError(
                f"{bad[0]} is not finite after epoch {epoch + 1}, and nothing was "
                f"saved; {self._advice}",
                epoch=epoch + 1,
            )

    @property
    def _advice(self) -> str:
        rate = self.learning_rate
        return (
            f"try --set training.learning_rate={rate / 10:g} with another --out (it "
            f"was {rate:g})"
        )


class StopAfter(keras.callbacks.Callback):
    """Stop after a number of steps, in the middle of an epoch if need be.

    Args:
        steps: How many.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Count.

        Args:
            batch: Unused: it starts anew with each epoch.
            logs: Unused.
        """
        if int(self.model.optimizer.iterations.numpy()) >= self.steps:
            self.model.stop_training = True


class KeepBest(keras.callbacks.Callback):
    """Stop when the validation loss has not fallen for a while; go back to its best.

    Unlike Keras' `EarlyStopping` it keeps the weights that were validated, which are
    the averaged ones where the optimizer averages: name it before `SwapEMAWeights`.

    Args:
        patience: Epochs to wait.
    """

    def __init__(self, patience: int) -> None:
        super().__init__()
        self.patience = patience
        self.best_loss = np.inf
        self.waited = 0
        self.best_weights: list[np.ndarray] = []

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Compare.

        Args:
            logs: Holds the validation loss.
        """
        loss = float((logs or {})["loss"])
        self.waited += 1
        if loss < self.best_loss:
            self.best_loss, self.waited = loss, 0
            self.best_weights = self.model.get_weights()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Stop when it is time.

        Args:
            epoch: Unused.
            logs: Unused.
        """
        if self.waited >= self.patience:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Go back to the best weights.

        Args:
            logs: Unused.
        """
        if self.best_weights:
            self.model.set_weights(self.best_weights)


class Checkpoint(keras.callbacks.Callback):
    """Keep everything that a training needs to go on after it was killed.

    Keras' `BackupAndRestore` forgets the best weights, how long was waited for better
    ones, and the history. Name it last, so that the others have done their part.

    Args:
        chain: Keeps it.
        report: Its rows are kept.
        best: Its state is kept.
    """

    def __init__(self, chain: Chain, report: Report, best: KeepBest | None) -> None:
        super().__init__()
        self.chain = chain
        self.report = report
        self.best = best

    def restore(self, model: keras.Model) -> int:
        """Put a training back where it was.

        Args:
            model: Compiled, its optimizer built.

        Returns:
            The epoch to start with; 0 if there is nothing to go on from.
        """
        variables = _variables(model)
        found = self.chain.load([tuple(variable.shape) for variable in variables])
        if found is None:
            return 0
        arrays, state = found
        for variable, value in zip(variables, arrays, strict=False):
            variable.assign(value)
        self.report.rows = state["rows"]
        if self.best is not None:
            self.best.best_loss, self.best.waited = state["best_loss"], state["waited"]
            self.best.best_weights = arrays[len(variables) :]
        return int(state["epoch"])

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the state.

        Args:
            epoch: From 0.
            logs: Unused.
        """
        state: dict[str, Any] = {"epoch": epoch + 1, "rows": self.report.rows}
        arrays = [variable.numpy() for variable in _variables(self.model)]
        if self.best is not None:
            state |= {"best_loss": self.best.best_loss, "waited": self.best.waited}
            arrays += self.best.best_weights
        self.chain.save(epoch + 1, arrays, state)


def _is_finite(variable: keras.Variable) -> bool:
    return bool(np.isfinite(keras.ops.convert_to_numpy(variable)).all())


def _variables(model: keras.Model) -> list[keras.Variable]:
    """Weights, the state of random layers, and the optimizer's, in a fixed order."""
    metrics = {id(variable) for variable in model.metrics_variables}
    own = [variable for variable in model.variables if id(variable) not in metrics]
    return own + list(model.optimizer.variables)
