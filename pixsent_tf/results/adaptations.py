"""What does `adapt` tell?"""

from __future__ import annotations

from typing import TypedDict

from pixsent_tf.results.answers import AnswersCompared
from pixsent_tf.results.intervals import Interval
from pixsent_tf.results.ratings import RatingMetrics, RatingPair
from pixsent_tf.results.studies import Metrics
from pixsent_tf.results.unreadable import Unreadable


class CandidateLoss(TypedDict):
    """How well a candidate did on labels that did not train it."""

    name: str  # "as-is", "scale" or "head"
    log_loss: float  # mean over labels and repeats
    gain_over_head: float  # how much lower it is than the head's
    gain_error: float  # standard error of that


class CandidateError(TypedDict):
    """How well a candidate did on ratings that did not train it."""

    name: str  # "as-is", "scale" or "head"
    squared_error: float  # mean, in units of the errors that the model is known for
    gain_over_head: float  # how much lower it is than the head's
    gain_error: float  # standard error of that


class Adaptation(TypedDict):
    """What `adapt` tells of every model; labels are classes or ratings."""

    choice: str  # what may differ: nothing ("as-is"), "scale" and threshold, the "head"
    why: str  # what the choice was made by
    model: str  # what was adapted: "shipped", a run, or a backbone that reads words
    num_labels: int  # labelled pictures that could be read
    settings_tried: int  # candidates
    unreadable: list[Unreadable]  # labelled pictures that could not be read
    seconds: float  # how long it took
    out: str  # the run folder


class ClassAdaptation(TypedDict):
    """What is told of classes only."""

    before: Metrics  # the model as it was
    after: Metrics  # what other labels made of it, the choice included
    difference: AnswersCompared  # after less before, on the same pictures
    candidates: list[CandidateLoss]  # on all labels; the choice was made by these
    temperature: float  # divisor of the logits, found anew; 1 where that does not help


class RatingAdaptation(TypedDict):
    """What is told of ratings only."""

    before: RatingMetrics  # the model as it was
    after: RatingMetrics  # what other ratings made of it, the choice included
    differences: list[RatingPair]  # after less before, of each target
    candidates: list[CandidateError]  # on all ratings; the choice was made by these
    scale: Interval  # lowest and highest rating there can be


class AdaptResults(Adaptation, ClassAdaptation):
    """What `adapt` tells; its numbers are of labels that trained and chose nothing."""


class RatingAdaptResults(Adaptation, RatingAdaptation):
    """The same, of a model of ratings."""
