"""What do verbs tell of ratings, which are numbers and no classes?"""

from __future__ import annotations

from typing import TypedDict

from pixsent_tf.results.intervals import Interval
from pixsent_tf.results.studies import AuditSummary, Searching
from pixsent_tf.results.unreadable import Unreadable

MEASURES = (  # what they are called, in the order of reading
    ("Pearson r", "pearson_r"),
    ("Spearman", "spearman"),
    ("CCC", "ccc"),
    ("RMSE", "rmse"),
    ("MAE", "mae"),
)


class Ceiling(TypedDict):
    """What another panel of as many raters would reach."""

    pearson_r: float  # expected correlation of its means with these
    ccc: float  # the same, of the concordance
    rmse: float  # root of the expected squared difference
    mae: float  # expected absolute difference


class Covered(TypedDict):
    """What intervals around answers hold."""

    nominal: float  # share of the ratings that they are made to hold
    observed: float  # share of the tested ratings that they hold
    observed_interval: Interval  # Wilson's, 95 %
    mean_width: float  # from their low to their high ends


class TargetMetrics(TypedDict):
    """How good the answers of one target are."""

    target: str  # its name, such as "valence"
    pearson_r: float | None  # correlation; null where all answers are the same
    pearson_r_null_band: Interval  # where 95 % of the r of shuffled ratings are
    spearman: float | None  # correlation of the ranks
    ccc: float  # Lin's concordance: 1 only for equal numbers
    rmse: float  # root of the mean squared error
    mae: float  # mean absolute error
    rating_sd: float  # of the ratings: the rmse of always answering their mean
    bootstrap_intervals: dict[str, Interval | None]  # of these five, 95 %
    per_fold_r: list[float | None]  # r of each fold, in order
    per_fold_rmse: list[float]  # rmse of each fold, in order
    ceiling: Ceiling | None  # null where deviations or numbers of raters are unknown
    coverage: Covered | None  # null where there are no intervals


class GroupDifference(TypedDict):
    """A picture on which two groups of raters differ."""

    id: str  # its name
    first: str  # rating of a group, such as "valence_men"
    second: str  # the same rating of another
    raters: float  # first less second, as the groups rated
    raters_interval: Interval | None  # 95 %, of this picture alone
    answers: float  # first less second, as the model answers


class RatingMetrics(TypedDict):
    """How good answers are that are ratings."""

    targets: list[TargetMetrics]  # one entry for each target
    group_differences: list[GroupDifference]  # the largest, of any two groups of raters
    scale: Interval  # lowest and highest rating there can be
    interval_unit: str  # what intervals take for independent: "picture" or "group"
    num_examples: int  # pictures that were answered


class RatingStudyResults(RatingMetrics):
    """What `fit --target` tells."""

    unreadable: list[Unreadable]  # pictures that could not be read
    notes: list[str]  # how the source was read, and what of it was passed over
    seconds: float  # how long it took
    out: str  # the run folder


class RatingCrossvalResults(RatingStudyResults):
    """What `crossval --target` tells; the numbers are of the pooled predictions."""

    fold_source: str  # "stratified": every fold has low and high ratings
    folds_tested: list[int]  # numbers of the folds, from 1


class RatingTuneResults(RatingStudyResults, Searching):
    """What `tune --target` tells."""


class RatingEvaluation(RatingMetrics):
    """How good a model of ratings is, before a report is written."""

    coverage: float  # share of the pictures that got an answer
    unreadable: list[Unreadable]  # pictures that could not be read
    notes: list[str]  # what to know before trusting the numbers


class RatingEvaluateResults(RatingEvaluation):
    """What `evaluate` tells of a model of ratings."""

    audit: AuditSummary | None  # null with `--fast`
    report: str  # the page
    out: str  # the folder


class RatedRow(TypedDict):
    """What `predict` tells of one file, by a model of ratings."""

    path: str  # the file
    ratings: dict[str, float] | None  # by target; null if unreadable
    low: dict[str, float] | None  # ends of the intervals that hold nine of ten
    high: dict[str, float] | None  # likewise
    status: str  # "ok", or why the file could not be read, in a fixed word


class RatedRowTold(RatedRow, total=False):
    """The same, as a line; by `--keep-columns` with more keys."""

    message: str  # why it could not be read, for people; not there if it could


class RatingPair(TypedDict):
    """Two models' ratings of the same pictures; differences are first less second."""

    first: str  # name of a model
    second: str  # name of another
    target: str  # such as "valence"
    pearson_r: list[float | None]  # of the first and of the second
    pearson_r_difference: float | None  # null where one of them is null
    pearson_r_difference_interval: Interval | None  # by a paired bootstrap
    williams_p: float | None  # that both correlate alike, by Williams' test
    williams_p_holm: float | None  # corrected for the number of pairs and targets
    rmse: list[float]  # of the first and of the second
    rmse_difference: float  # below 0 where the first errs less
    rmse_difference_interval: Interval  # by a paired bootstrap


class RatingCompareResults(TypedDict):
    """What `compare` tells of models of ratings."""

    names: list[str]  # of the models
    num_examples: int  # pictures that all of them answered
    pairs: list[RatingPair]  # every two models, for each target
    notes: list[str]  # what does not fit together
    out: str | None  # null: there is no page of ratings
