"""What do verbs tell of answers that are shares of several classes?"""

from __future__ import annotations

from typing import TypedDict

from pixsent_tf.results.intervals import Interval

DISTANCES = (  # what they are called, in the order of reading
    ("KL divergence", "kl"),
    ("Chebyshev", "chebyshev"),
    ("Clark", "clark"),
    ("Canberra", "canberra"),
    ("cosine", "cosine"),
    ("intersection", "intersection"),
    ("top 1", "top1"),
    ("macro F1", "macro_f1"),
)


class Distances(TypedDict):
    """How far answers are from the shares of the votes, in the mean over pictures."""

    kl: float | None  # Kullback-Leibler divergence; null where a share is answered by 0
    chebyshev: float  # largest difference of a share
    clark: float  # root of the summed squares of relative differences
    canberra: float  # sum of the relative differences
    cosine: float  # cosine of the angle between the two; 1 for the same
    intersection: float  # what both have in common; 1 for the same
    top1: float  # how often the likeliest class has the most votes, or as many as any
    macro_f1: float  # F1 of the likeliest class, mean over the classes


class DistributionMetrics(Distances):
    """The same with what it is to be seen beside."""

    bootstrap_intervals: dict[str, Interval | None]  # of each number, 95 %
    mean_baseline: Distances  # always answering the mean shares of the other folds
    majority_baseline: Distances  # always answering the class that wins most often
    ceiling: Distances | None  # of who knows the true shares; null where no votes count
    num_examples: int  # pictures that were answered
    mean_votes: float | None  # votes of a picture, in the mean; null without counts
