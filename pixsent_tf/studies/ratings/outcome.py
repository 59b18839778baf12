"""What does a study of ratings leave behind? One row per picture, and the numbers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

import numpy as np

from pixsent_tf.config.scales import Scale
from pixsent_tf.data.lists.perspectives import name_target
from pixsent_tf.data.lists.rated import Ratings
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ImageError
from pixsent_tf.evaluation import conformal, raters, ratings
from pixsent_tf.inference.predictions import Failure
from pixsent_tf.inference.rated import RatedTable
from pixsent_tf.results.ratings import (
    GroupDifference,
    RatingMetrics,
    RatingStudyResults,
    TargetMetrics,
)
from pixsent_tf.results.unreadable import list_unreadable
from pixsent_tf.runs import Run
from pixsent_tf.studies.folds import Part, Predicted, gather

NUM_DIFFERENCES = 10  # pictures that are told of two groups of raters
R = TypeVar("R", bound=RatingStudyResults)


@dataclass(frozen=True)
class RatingOutcome:
    """Ratings of pictures that did not train the model that gave them.

    Attributes:
        dataset: The pictures.
        answers: float [N, T]; NaN where none were given.
        half_widths: How far around them intervals reach, float [N, T].
        folds: Test fold of each picture, int [N]; 0 = never tested.
        failures: The error of each picture that could not be read, by position.
    """

    dataset: Dataset
    answers: np.ndarray
    half_widths: np.ndarray
    folds: np.ndarray
    failures: Mapping[int, ImageError]

    @property
    def known(self) -> Ratings:
        """What raters said."""
        assert self.dataset.ratings is not None
        return self.dataset.ratings

    def measure(self, run: Run, *, started: float) -> RatingStudyResults:
        """Compute what every study of ratings tells.

        Args:
            run: Its folder.
            started: When it began, by `time.monotonic`.

        Returns:
            The numbers of the tested pictures.
        """
        return {
            **measure_table(self.table, self.dataset, self.known.scale),
            "unreadable": list_unreadable(self.dataset.ids, self.failures),
            "notes": list(self.dataset.notes),
            "seconds": round(time.monotonic() - started, 2),
            "out": str(run.path),
        }

    def write(self, run: Run, results: R) -> R:
        """Write predictions and results.

        Args:
            run: Where to.
            results: What `measure` gave, and what else the study tells.

        Returns:
            The results.
        """
        self.table.write(run)
        run.write_json("results.json", results)
        return results

    @property
    def table(self) -> RatedTable:
        """What was said about the tested pictures."""
        known, tested = self.known, self.folds > 0
        read = tested.copy()
        read[list(self.failures)] = False
        answers, widths = self.answers[read], self.half_widths[read]
        return RatedTable(
            name=self.dataset.name,
            ids=tuple(self.dataset.ids[i] for i in np.flatnonzero(read)),
            targets=known.targets,
            answers=answers,
            labels=known.values[read],
            low=(answers - widths).clip(*known.scale),
            high=(answers + widths).clip(*known.scale),
            folds=self.folds[read],
            failures=tuple(
                Failure(
                    self.dataset.ids[i],
                    self.failures[i].reason,
                    str(self.failures[i]),
                    fold=int(self.folds[i]),
                )
                for i in np.flatnonzero(tested & ~read).tolist()
            ),
        )


def pool_ratings(
    dataset: Dataset, parts: Sequence[Part], predicted: Mapping[int, Predicted]
) -> RatingOutcome:
    """Put the ratings of parts together.

    Args:
        dataset: The pictures.
        parts: The parts.
        predicted: What those that were tested predicted, by their number.

    Returns:
        Each picture with the ratings of the part that tested it.
    """
    assert dataset.ratings is not None
    width = len(dataset.ratings.targets)
    answers, folds, failures = gather(dataset, parts, predicted, width)
    half_widths = np.full(answers.shape, np.nan)
    for number, one in predicted.items():
        half_widths[folds == number] = one.half_widths
    return RatingOutcome(dataset, answers, half_widths, folds, failures)


def measure_table(
    said: RatedTable, dataset: Dataset | None, scale: Scale
) -> RatingMetrics:
    """Compute the numbers of each target.

    Args:
        said: What a model and raters said.
        dataset: The pictures, with their groups and raters; None where they are not to
            be had.
        scale: The lowest and the highest rating there can be.

    Returns:
        The numbers.
    """
    groups = None if dataset is None else dataset.groups_of(said.ids)
    return {
        "targets": [
            _measure_target(said, k, groups, dataset) for k in range(len(said.targets))
        ],
        "group_differences": _group_differences(said, dataset),
        "scale": list(scale),
        "interval_unit": "picture" if groups is None else "group",
        "num_examples": len(said.ids),
    }


def _group_differences(
    said: RatedTable, dataset: Dataset | None
) -> list[GroupDifference]:
    """The pictures on which groups of raters differ most, each pair by itself."""
    known = None if dataset is None else dataset.ratings
    if dataset is None or known is None or len(known.perspectives) < 2:
        return []
    place = {name: i for i, name in enumerate(dataset.ids)}
    rows = np.array([place[name] for name in said.ids if name in place])
    if len(rows) != len(said.ids):
        return []
    pairs = [
        (name_target(base, one), name_target(base, other))
        for one, other in combinations(known.perspectives, 2)
        for base in {t.removesuffix(f"_{one}"): None for t in said.targets}
    ]
    found: list[GroupDifference] = []
    for first, second in pairs:
        if first not in said.targets or second not in said.targets:
            continue
        a, b = said.targets.index(first), said.targets.index(second)
        for i, difference, interval in raters.largest_differences(
            known.values[rows, a],
            known.values[rows, b],
            (known.noise[:, a] + known.noise[:, b])[rows],
            count=NUM_DIFFERENCES,
        ):
            found.append(
                {
                    "id": said.ids[i],
                    "first": first,
                    "second": second,
                    "raters": difference,
                    "raters_interval": interval,
                    "answers": float(said.answers[i, a] - said.answers[i, b]),
                }
            )
    return found


def _measure_target(
    said: RatedTable, k: int, groups: np.ndarray | None, dataset: Dataset | None
) -> TargetMetrics:
    assert said.labels is not None
    found = ratings.summarize(
        target=said.targets[k],
        ratings=said.labels[:, k],
        answers=said.answers[:, k],
        folds=said.folds,
        groups=groups,
    )
    if said.low is not None and said.high is not None:
        found["coverage"] = conformal.covered(
            ratings=said.labels[:, k], low=said.low[:, k], high=said.high[:, k]
        )
    known = None if dataset is None else dataset.ratings
    if dataset is None or known is None or not known.has_raters(k):
        return found
    place = {name: i for i, name in enumerate(dataset.ids)}
    rows = [place[name] for name in said.ids if name in place]
    if len(rows) == len(said.ids):
        found["ceiling"] = raters.another_panel(
            known.values[rows, k], known.spreads[rows, k], known.counts[rows, k]
        )
    return found
