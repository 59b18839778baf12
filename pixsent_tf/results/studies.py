"""What do `fit`, `crossval`, `tune` and `evaluate` tell?"""

from __future__ import annotations

from typing import Any, TypedDict

from pixsent_tf.results.audits import Suspect
from pixsent_tf.results.distributions import DistributionMetrics
from pixsent_tf.results.intervals import Interval
from pixsent_tf.results.unreadable import Unreadable


class ClassMetrics(TypedDict):
    """How good the answers about one class are."""

    name: str  # of the class
    precision: float  # share of right answers among those that name it
    recall: float  # share of right answers among the pictures with this label
    f1: float  # harmonic mean of the two
    num_examples: int  # pictures with this label


class Metrics(TypedDict):
    """How good answers are."""

    accuracy: float  # share of right answers
    accuracy_interval: Interval  # Wilson's, or a bootstrap over groups
    interval_unit: str  # what intervals take for independent: "picture" or "group"
    majority_rate: float  # what always giving the most frequent answer reaches
    balanced_accuracy: float  # mean of the recalls
    auc: float | None  # area under the ROC curve; of several classes the mean
    auc_interval: Interval | None  # DeLong's, or over groups; null beyond two classes
    log_loss: float  # mean of minus the logarithm of the label's probability
    brier: float  # mean squared error of the probabilities
    ece: float  # expected calibration error
    ece_null_band: Interval  # what a perfectly calibrated model would show
    bootstrap_intervals: dict[str, Interval]  # of means, by their names
    per_class: list[ClassMetrics]  # one entry for each class
    confusion: list[list[int]]  # pictures by label (rows) and answer (columns)
    num_examples: int  # pictures that were answered
    per_fold: list[float]  # accuracy of each fold, in order


class Answering(TypedDict):
    """What answering only where the model is sure gives."""

    precision: float  # share of right answers that was reached
    coverage: float  # share of the pictures that get an answer
    num_answered: int  # pictures that get an answer


class SourceMetrics(TypedDict):
    """How good answers are on pictures of one source."""

    source: str  # its name
    num_examples: int  # pictures that were answered
    accuracy: float  # share of right answers
    accuracy_interval: Interval  # Wilson's, or a bootstrap over groups
    majority_rate: float  # what always giving its most frequent answer reaches
    balanced_accuracy: float  # mean of the recalls
    recalls: dict[str, float]  # share of right answers by class
    auc: float | None  # area under the ROC curve; null with one class only
    ece: float  # expected calibration error
    answering: Answering | None  # at a precision of .95; null with a single fold


class StudyResults(Metrics):
    """What every study tells that trains."""

    per_source: list[SourceMetrics]  # one entry for each source; empty for a single one
    distribution: DistributionMetrics | None  # of the votes, where these were learnt
    unreadable: list[Unreadable]  # pictures that could not be read
    notes: list[str]  # how the source was read, and what of it was passed over
    seconds: float  # how long it took
    out: str  # the run folder


class FitResults(StudyResults):
    """What `fit` tells."""

    temperature: float  # divisor of the logits; 1 where calibrating does not help
    split_source: str  # "held out" here, or "given" by the splits of the source
    copies_left_out: list[str]  # pictures that did not train: of units with a test one


class CrossvalResults(StudyResults):
    """What `crossval` tells; the numbers are of the pooled predictions."""

    fold_source: str  # "published", "stratified", or "sources" if each is left out
    folds_tested: list[int]  # numbers of the folds, from 1
    temperature: list[float]  # divisor of the logits, by fold


class Choice(TypedDict):
    """What a search chose."""

    settings: dict[str, Any]  # values by the dotted names of settings
    inner_loss: float  # on inner folds, which chose it: log loss, or RMSE of ratings
    temperature: float  # divisor of the logits; 1 of ratings


class Winner(Choice):
    """What the search of a fold chose."""

    fold: int  # the test fold that it never saw


class Searching(TypedDict):
    """What `tune` tells of the search."""

    fold_source: str  # "published" or "stratified"; "held out" if not nested
    tuner: str  # how trials are chosen
    winners: list[Winner]  # one for each test fold
    settings_tried: int  # trials in all
    copies_left_out: list[int]  # copies of test pictures, by fold; no search saw them


class TuneResults(StudyResults, Searching):
    """What `tune` tells; the numbers are of searching and training together."""


class Calibration(TypedDict):
    """What recalibration would give, each part judged by the others."""

    temperature: float  # divisor of the logits that fits all pictures best
    ece_with_temperature: float  # calibration error with a temperature
    ece_with_isotonic: float  # calibration error with isotonic regression
    log_loss_with_temperature: float  # log loss with a temperature


class Abstaining(Answering):
    """The same, for a target."""

    target: float  # share of right answers that the threshold was chosen for


class AuditSummary(TypedDict):
    """What a report tells of its pictures."""

    num_examples: int  # pictures in all
    classes: dict[str, int]  # pictures by class
    unreadable: list[Unreadable]  # pictures that could not be read
    exact_pairs: int  # pairs of byte-identical files
    near_pairs: int  # pairs of one picture, encoded again, resized or slightly cut
    crossing: int  # pairs with one picture in training and one in test
    conflicting: int  # pairs with different labels


class Evaluation(Metrics):
    """How good a model is, before a report is written."""

    confidence: float  # of every interval
    ten_crop: Metrics | None  # the same of the mean over ten crops, if asked
    calibration: Calibration | None  # null without pictures enough to choose and judge
    abstention: list[Abstaining]  # likewise; one entry for each target
    coverage: float  # share of the pictures that got an answer
    unreadable: list[Unreadable]  # pictures that could not be read
    label_ceiling: float | None  # how often one more annotator would agree
    settings_tried: int | None  # how many settings competed
    distribution: DistributionMetrics | None  # of the votes, where these were learnt
    polarity: Metrics | None  # of the classes rolled up to two, where that was asked
    per_source: list[SourceMetrics]  # one entry for each source; empty for a single one
    suspects: list[Suspect]  # labels answered otherwise, the least believable first
    notes: list[str]  # what to know before trusting the numbers


class EvaluateResults(Evaluation):
    """What `evaluate` tells."""

    audit: AuditSummary | None  # null with `--fast`
    report: str  # the page
    out: str  # the folder
