"""What did the trials find? A table, a picture, and TensorBoard's HParams.

RUN/trials.csv     one row per trial: its search, its score, its settings
RUN/trials.svg     the course of each search, and each setting against the loss
RUN/tensorboard/   `tensorboard --logdir RUN/tensorboard`, tab HPARAMS
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import tensorflow as tf

from pixsent_tf.runs import Run, write_text
from pixsent_tf.studies.search import figures
from pixsent_tf.studies.search.tuner import Trial

SCORES = ("loss", "accuracy", "pearson_r")


class JudgedTrial(Trial):
    """A trial beside the others of its search.

    Attributes:
        is_winner: Whether it was chosen.
    """

    is_winner: bool


class WrittenTrial(JudgedTrial):
    """A trial of one of several searches.

    Attributes:
        fold: That the search never saw.
    """

    fold: int


def write_trials(run: Run, searches: Mapping[int, Sequence[JudgedTrial]]) -> None:
    """Write the trials of all searches of a run.

    Args:
        run: Where to.
        searches: Their trials, in order, by the fold that each never saw.
    """
    rows: list[WrittenTrial] = [
        {**row, "fold": fold} for fold, trials in searches.items() for row in trials
    ]
    names = settings_of(rows)
    scores = [name for name in SCORES if any(name in row for row in rows)]
    measured = ["status", *scores, "seconds", "share", "is_winner"]
    run.write_table(
        "trials.csv",
        ["fold", "trial", *measured, *names],
        [
            [
                row["fold"],
                row["trial"],
                *(row.get(name, "") for name in measured),
                *(row["settings"].get(name, "") for name in names),
            ]
            for row in rows
        ],
    )
    done = [row for row in rows if row["status"] == "completed"]
    write_text(run.path / "trials.svg", figures.search(done) + "\n")
    _write_hparams(run.path / "tensorboard", done)


def settings_of(rows: Sequence[Trial]) -> list[str]:
    """Name the settings that trials changed.

    Args:
        rows: Trials.

    Returns:
        Names in the order in which they were first set.
    """
    return list(dict.fromkeys(name for row in rows for name in row["settings"]))


def _write_hparams(folder: Path, rows: Sequence[WrittenTrial]) -> None:
    from tensorboard.plugins.hparams import api

    shutil.rmtree(folder, ignore_errors=True)  # a later start writes them all again
    for row in rows:
        path = folder / f"fold-{row['fold']}" / f"trial-{row['trial']}"
        writer = tf.summary.create_file_writer(str(path))
        with writer.as_default():
            api.hparams(dict(row["settings"]), trial_id=f"{row['fold']}-{row['trial']}")
            for name, value in dict(row).items():
                if name in SCORES:
                    tf.summary.scalar(f"inner_{name}", value, step=0)
        writer.close()
