"""The command with small networks, as a process that tests kill.

    python -m tests.faults.command NOTES fit pictures/ --backbone tiny ...

NOTES gets a line `ready` when all is imported, and one for each piece of work that
begins: an epoch, a training, a part of a table.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from pixsent_tf.cli import main
from pixsent_tf.config import PreprocessConfig
from pixsent_tf.inference import kept_rows, light
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models import zoo
from pixsent_tf.studies.search.scorer import Scorer as TrialScorer
from pixsent_tf.studies.trainer import Trainer
from tests.studies.small_rows import use_small_rows
from tests.tiny_network import build_tiny

ROWS = int(os.environ.get("PIXSENT_TEST_ROWS", "8"))  # of a part of `predict`


def note(line: str) -> None:
    """Add a line to the notes, in one piece."""
    with open(NOTES, "ab", buffering=0) as file:
        file.write(f"{line}\n".encode())


def noted(owner: Any, name: str, line: Callable[..., str]) -> None:
    """Let a function note each of its calls."""
    function = getattr(owner, name)

    def call(*arguments: Any, **options: Any) -> Any:
        note(line(*arguments))
        return function(*arguments, **options)

    setattr(owner, name, call)


class Epochs(keras.callbacks.Callback):
    """Notes each epoch that begins."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note it."""
        note("epoch")


def fit_noting_epochs(self: keras.Model, *arguments: Any, **options: Any) -> Any:
    """Train as Keras does."""
    options["callbacks"] = [Epochs(), *options["callbacks"]]
    return fit(self, *arguments, **options)


if __name__ == "__main__":
    NOTES = sys.argv.pop(1)
    zoo.BACKBONES["tiny"] = zoo.BackboneEntry(
        build_tiny, PreprocessConfig(canvas_size=16, crop_size=12)
    )
    use_small_rows()
    kept_rows.PART = ROWS
    light.MOST = 0  # a long table
    fit = keras.Model.fit
    keras.Model.fit = fit_noting_epochs
    noted(Trainer, "train", lambda *_: "training")
    noted(TrialScorer, "__call__", lambda *_: "trial")
    noted(SentimentModel, "predict", lambda *_: "part")
    if sys.argv[1] == "score":
        from pixsent_tf.serving.scorer import Scorer

        noted(Scorer, "score", lambda *_: "part")
    tf.zeros([])
    note("ready")
    sys.stdout.flush()
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    main()
