"""What does `reproduce` tell?"""

from __future__ import annotations

from typing import TypedDict

from pixsent_tf.results.intervals import Interval


class Measured(TypedDict):
    """One row's numbers beside what was printed."""

    paper: float | None  # the published mean
    ours: float  # mean over folds and repeats
    std: float | None  # over folds; null for a single one
    difference: float | None  # ours less the paper's; null if not comparable
    interval: Interval  # of the pooled accuracy
    same_within_noise: bool | None  # whether the interval holds the paper's number
    partner: str | None  # the row of a paired test
    p: float | None  # of McNemar's exact test with it
    num_examples: int  # pictures
    folds: list[int]  # numbers of the folds that were tested
    num_repeats: int  # trainings of each fold


class PaperRow(Measured):
    """A row of a table."""

    name: str  # of the network
    view: str  # "center" or "ten_crop", or the classifier on a layer


class MissingRow(TypedDict):
    """A row that could not be run."""

    name: str  # of the row
    reason: str  # why


class PaperTable(TypedDict):
    """A table of the paper, run again."""

    title: str  # of the table
    source: str  # of the pictures
    notes: list[str]  # every shortcut
    majority: dict[str, float]  # the majority rate by agreement level
    rows: list[PaperRow]  # what was run
    missing: list[MissingRow]  # what was not
    remarks: list[str]  # what to know about the rows


class ReproduceResults(TypedDict):
    """What `reproduce` tells."""

    tables: dict[str, PaperTable]  # by the number of the table
    out: str  # the folder
