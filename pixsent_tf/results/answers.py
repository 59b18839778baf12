"""What do `predict`, `score` and `compare` tell?"""

from __future__ import annotations

from typing import TypedDict

from pixsent_tf.results.intervals import Interval


class Answered(TypedDict):
    """What a model says of one file."""

    path: str  # the file
    answer: str | None  # the most probable class, or "unsure"; null if unreadable
    prob_positive: float | None  # probability of the class positive, if there is one
    probs: dict[str, float] | None  # probability by class; null if unreadable
    status: str  # "ok", "ok (repaired)", or why the file could not be read, in a word


class PredictRow(Answered, total=False):
    """What `predict` tells of one file: a line; by `--keep-columns` with more keys."""

    message: str  # why it could not be read, for people; not there if it could
    ratings: dict[str, float] | None  # with `--ratings`, by target; null if unreadable
    low: dict[str, float] | None  # likewise, ends of intervals that hold nine of ten
    high: dict[str, float] | None  # likewise


class ScoreResults(TypedDict):
    """What `score` tells."""

    num_examples: int  # files in the table
    statuses: dict[str, int]  # files by status, "ok" among them
    resumed: int  # files whose rows an earlier job had left
    seconds: float  # how long it took
    out: str  # the table


class AnswersCompared(TypedDict):
    """How often two models are right; differences are first less second."""

    num_examples: int  # pictures that both answered
    accuracies: list[float]  # of the first and of the second
    accuracy_difference: float  # first less second
    accuracy_difference_interval: Interval  # by a paired bootstrap
    only_first_right: int  # pictures
    only_second_right: int  # pictures
    mcnemar_p: float  # of McNemar's exact test


class AucsCompared(TypedDict):
    """How well two models rank; differences are first less second."""

    aucs: list[float] | None  # null without probabilities of two classes
    auc_difference: float | None  # first less second
    auc_difference_interval: Interval | None  # DeLong's
    delong_p: float | None  # of DeLong's test


class Pair(AnswersCompared, AucsCompared):
    """Two models on the same pictures."""

    first: str  # name of a model
    second: str  # name of another
    mcnemar_p_holm: float  # corrected for the number of pairs
    delong_p_holm: float | None  # corrected for the number of pairs


class Difference(TypedDict):
    """A picture on which models do not agree."""

    id: str  # its name
    label: str  # what annotators said
    answers: list[str]  # what each model said


class CompareResults(TypedDict):
    """What `compare` tells."""

    names: list[str]  # of the models
    num_examples: int  # pictures that all of them answered
    accuracies: list[float]  # of each model
    pairs: list[Pair]  # every two models
    differing: list[Difference]  # pictures on which not all agree
    notes: list[str]  # what does not fit together
    out: str | None  # the folder of the page, if one was asked
