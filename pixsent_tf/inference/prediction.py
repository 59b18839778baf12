"""What did a model say about one file? A class, or ratings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pixsent_tf.config import PROB
from pixsent_tf.data.class_names import canonical
from pixsent_tf.data.decode.jpeg import is_repaired
from pixsent_tf.errors import ImageError

if TYPE_CHECKING:
    from pixsent_tf.results.answers import Answered

POSITIVE = "positive"
OK = "ok"  # the status of a picture that got an answer
REPAIRED = "ok (repaired)"  # the same of a JPEG that lacked its end marker
ANSWERED = (OK, REPAIRED)
UNSURE = "unsure"  # the answer where no class is probable enough


@dataclass(frozen=True)
class Prediction:
    """The answer for one file.

    Attributes:
        path: The file.
        probs: Probability of each class, float32 [K]; None if it cannot be read.
        error: Why it cannot be read; None if it can.
        center_probs: What the center crop alone says, float32 [K], where `probs` is the
            mean over ten crops; None otherwise.
        class_names: Names by class index.
        threshold: Probability below which the answer is `unsure`.
        rated: What a second head on the same features says in ratings; None where there
            is none.
    """

    path: str
    probs: np.ndarray | None
    error: ImageError | None = None
    center_probs: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    threshold: float = 0.0
    rated: Rated | None = None

    @property
    def answer(self) -> str | None:
        """The most probable class, or `unsure`; None if the file cannot be read."""
        if self.probs is None:
            return None
        return name_answer(self.probs, self.class_names, threshold=self.threshold)

    @property
    def prob_positive(self) -> float | None:
        """Probability of the class `positive`; None if there is none."""
        index = find_positive(self.class_names)
        return None if self.probs is None or index is None else float(self.probs[index])


@dataclass(frozen=True)
class Rated:
    """The ratings of one file.

    Attributes:
        path: The file.
        targets: Names of the ratings, [T].
        ratings: What the model answers, float32 [T]; None if it cannot be read.
        low: Lower ends of intervals that hold nine of ten ratings, float32 [T].
        high: Upper ends, float32 [T].
        error: Why it cannot be read; None if it can.
    """

    path: str
    targets: tuple[str, ...]
    ratings: np.ndarray | None
    low: np.ndarray | None
    high: np.ndarray | None
    error: ImageError | None = None


def read_status(path: str) -> str:
    """Give the status of a file that has been read.

    Args:
        path: The file, or the name of a picture in memory.

    Returns:
        `OK` or `REPAIRED`.
    """
    return REPAIRED if is_repaired(path) else OK


def name_answer(
    probs: np.ndarray, class_names: Sequence[str], *, threshold: float = 0.0
) -> str:
    """Say what probabilities answer.

    Args:
        probs: Of one picture, float [K].
        class_names: Names by class index, [K].
        threshold: Smallest probability of an answer.

    Returns:
        The most probable class; `unsure` below the threshold, and where all classes are
        exactly equal, which is what a gate makes of a picture that is no photograph.
    """
    best = int(probs.argmax())
    is_sure = probs[best] >= threshold and probs[best] > probs.min()
    return class_names[best] if is_sure else UNSURE


def find_positive(class_names: Sequence[str]) -> int | None:
    """Say which class is called positive.

    Args:
        class_names: Names by class index, however they are spelled.

    Returns:
        Its index; None if none is.
    """
    names = canonical(class_names)
    return names.index(POSITIVE) if POSITIVE in names else None


def answer_columns(class_names: Sequence[str]) -> list[str]:
    """Name the columns of a table that `predict` or `score` writes.

    Args:
        class_names: Names by class index, [K].

    Returns:
        `path`, `answer`, one probability for each class, and `status`.
    """
    return ["path", "answer", *(PROB + name for name in class_names), "status"]


def answer_cells(row: Answered, class_names: Sequence[str]) -> list[Any]:
    """Give what stands below these columns.

    Args:
        row: What was said of one file.
        class_names: Names by class index, [K].

    Returns:
        One cell for each column; None where there was no answer.
    """
    probs = row["probs"] or {}
    numbers = [probs.get(name) for name in class_names]
    return [row["path"], row["answer"], *numbers, row["status"]]
