"""What does `share` tell?"""

from __future__ import annotations

from typing import TypedDict

from pixsent_tf.results.intervals import Interval


class Share(TypedDict):
    """The share of one class in one cell."""

    plain: float | None  # share of the answers, as they are; null without pictures
    corrected: float | None  # put right by the labels; null without them
    interval: Interval | None  # of the corrected share; null with too few labels
    bounds: Interval | None  # corrected, if all unreadable pictures were not / were so


class Cell(TypedDict):
    """One part of a collection."""

    by: dict[str, str]  # what its pictures have in common
    num_examples: int  # pictures that got an answer
    num_labels: int  # labelled ones among them
    num_unreadable: int  # pictures that could not be read
    borrowed: bool  # too few labels: corrected by those of all cells
    shares: dict[str, Share]  # by class


class CellDifference(TypedDict):
    """One share less another."""

    first: dict[str, str]  # `by` of a cell
    second: dict[str, str]  # `by` of the one that is taken away
    class_name: str  # whose share
    difference: float  # first less second
    interval: Interval | None  # of this difference alone
    p: float | None  # that they are equal
    p_holm: float | None  # the same, corrected for all differences of the class


class Trend(TypedDict):
    """How a share changes from one period to the next, by a straight line."""

    by: dict[str, str]  # what the cells have in common besides the period
    class_name: str  # whose share
    slope: float  # change from one period to the next
    interval: Interval | None  # of the slope alone
    p: float | None  # that there is none
    p_holm: float | None  # the same, corrected for all trends of the class


class LabelsNeeded(TypedDict):
    """How many labels give which width."""

    half_width: float  # half of the interval's width
    num_labels: int  # of a random sample, whatever the share


class ShareResults(TypedDict):
    """What `share` tells."""

    cells: list[Cell]  # in the order of their names
    differences: list[CellDifference]  # between any two of up to ten cells
    trends: list[Trend]  # with `--over`, through the periods
    labels_needed: list[LabelsNeeded]  # for one cell; a useful model needs fewer
    methods: str  # a paragraph to publish with the numbers
    notes: list[str]  # what to know before trusting the numbers
    out: str | None  # the folder, if one was asked for
