"""The table, the picture and TensorBoard's files of a search."""

from __future__ import annotations

import pytest
import tensorflow as tf

from pixsent_tf.runs import Run
from pixsent_tf.studies.search.trials import settings_of, write_trials

ROWS = [
    {
        **{"trial": "0", "status": "completed", "loss": 0.5},
        **{"accuracy": 0.75, "seconds": 1.5, "share": 1.0, "is_winner": True},
        "settings": {"training.inverse_penalty": 3.0, "model.texture": True},
    },
    {
        **{"trial": "0", "status": "failed", "share": 1.0},
        "is_winner": False,
        "settings": {"training.inverse_penalty": 5.0, "model.dropout": 0.2},
    },
]


SEARCHES = {number: [row] for number, row in enumerate(ROWS, start=1)}


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path)
    write_trials(run, SEARCHES)
    return run


def test_the_table_has_a_row_for_each_trial_and_a_column_for_each_setting(run):
    first, second = run.read_table("trials.csv")

    measured = ["status", "loss", "accuracy", "seconds", "share", "is_winner"]
    assert list(first)[:8] == ["fold", "trial", *measured]  # no score of other kinds
    assert (first["fold"], second["fold"]) == ("1", "2")
    assert (first["loss"], first["training.inverse_penalty"]) == ("0.5", "3.0")
    assert first["model.dropout"] == second["model.texture"] == ""
    assert (second["status"], second["loss"]) == ("failed", "")


def test_settings_are_named_in_the_order_they_appear():
    assert settings_of(ROWS) == [
        "training.inverse_penalty",
        "model.texture",
        "model.dropout",
    ]


def test_the_picture_is_there(run):
    assert (run.path / "trials.svg").read_text().startswith("<svg")


def test_tensorboard_reads_settings_and_scores_of_completed_trials(run):
    from tensorboard.backend.event_processing.event_accumulator import (
        EventAccumulator,
    )
    from tensorboard.plugins.hparams import metadata

    (folder,) = (run.path / "tensorboard").glob("*/*")
    events = EventAccumulator(str(folder)).Reload()

    (score,) = events.Tensors("inner_loss")
    assert tf.make_ndarray(score.tensor_proto) == 0.5
    content = events.SummaryMetadata(metadata.SESSION_START_INFO_TAG)
    started = metadata.parse_session_start_info_plugin_data(content.plugin_data.content)
    assert started.hparams["training.inverse_penalty"].number_value == 3.0
    assert started.hparams["model.texture"].bool_value is True


def test_a_second_writing_replaces_the_first(run):
    write_trials(run, SEARCHES)

    (folder,) = (run.path / "tensorboard").glob("*/*")
    assert len(list(folder.iterdir())) == 1
