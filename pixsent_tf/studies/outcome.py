"""What does a study leave behind? One row per tested picture, and the numbers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ImageError
from pixsent_tf.evaluation import by_source, distributions, metrics
from pixsent_tf.inference.predictions import Failure, Predictions
from pixsent_tf.results.distributions import DistributionMetrics
from pixsent_tf.results.studies import SourceMetrics, StudyResults
from pixsent_tf.results.unreadable import list_unreadable
from pixsent_tf.runs import Run

R = TypeVar("R", bound=StudyResults)


@dataclass(frozen=True)
class Outcome:
    """Predictions of pictures that did not train the model that made them.

    Attributes:
        dataset: The pictures.
        probs: float [N, K]; NaN where no prediction was made.
        folds: Test fold of each picture, int [N]; 0 = never tested.
        failures: The error of each picture that could not be read, by position.
    """

    dataset: Dataset
    probs: np.ndarray
    folds: np.ndarray
    failures: Mapping[int, ImageError]

    def measure(
        self, run: Run, *, started: float, of_votes: bool = False
    ) -> StudyResults:
        """Compute what every study tells.

        Args:
            run: Its folder.
            started: When it began, by `time.monotonic`.
            of_votes: Whether the shares of the votes were learnt.

        Returns:
            The numbers of the tested pictures.
        """
        said = self.predictions
        assert said.labels is not None
        return {
            **metrics.summarize(
                labels=said.labels,
                probs=said.probs,
                folds=said.folds,
                class_names=said.class_names,
                groups=self.dataset.groups_of(said.ids),
            ),
            "per_source": measure_sources(self.dataset, said),
            "distribution": measure_votes(self.dataset, said) if of_votes else None,
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
        self.predictions.write(run)
        run.write_json("results.json", results)
        return results

    @property
    def predictions(self) -> Predictions:
        """What was said about the tested pictures."""
        dataset, tested = self.dataset, self.folds > 0
        read = tested.copy()
        read[list(self.failures)] = False
        return Predictions(
            name=dataset.name,
            ids=tuple(dataset.ids[i] for i in np.flatnonzero(read)),
            probs=self.probs[read],
            class_names=dataset.class_names,
            labels=dataset.labels[read],
            folds=self.folds[read],
            failures=tuple(
                self._failure(int(i)) for i in np.flatnonzero(tested & ~read)
            ),
        )

    def _failure(self, position: int) -> Failure:
        error = self.failures[position]
        return Failure(
            id=self.dataset.ids[position],
            reason=error.reason,
            message=str(error),
            label=int(self.dataset.labels[position]),
            fold=int(self.folds[position]),
        )


def measure_sources(dataset: Dataset, said: Predictions) -> list[SourceMetrics]:
    """Compute the numbers of each source.

    Args:
        dataset: The pictures.
        said: What was said of some of them, and their labels.

    Returns:
        One entry for each source that was tested; none where a single one is known.
    """
    if dataset.sources is None:
        return []
    assert said.labels is not None
    number = dict(zip(dataset.ids, dataset.sources.tolist(), strict=True))
    folds = np.zeros(len(said.ids), int) if said.folds is None else said.folds
    return by_source.summarize_sources(
        labels=said.labels,
        probs=said.probs,
        folds=folds,
        sources=np.array([number[name] for name in said.ids]),
        source_names=dataset.source_names,
        class_names=said.class_names,
        groups=dataset.groups_of(said.ids),
    )


def measure_votes(dataset: Dataset, said: Predictions) -> DistributionMetrics | None:
    """Compute how far answers are from the shares of the votes.

    Args:
        dataset: The pictures, and their votes.
        said: What was said of some of them.

    Returns:
        The numbers; None where votes are not known of all of them.
    """
    place = {name: i for i, name in enumerate(dataset.ids)}
    if dataset.votes is None or not set(said.ids) <= set(place):
        return None
    columns = [dataset.class_names.index(name) for name in said.class_names]
    return distributions.summarize(
        votes=dataset.votes[[place[name] for name in said.ids]][:, columns],
        probs=said.probs,
        folds=said.folds,
        groups=dataset.groups_of(said.ids),
    )
