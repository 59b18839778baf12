"""Which model is better, and where do they differ? (`pixsent-tf compare`)

Loads no TensorFlow: what models said is a table, and tests on it are arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixsent_tf.errors import UsageError
from pixsent_tf.evaluation import compare
from pixsent_tf.inference.pairing import Aligned, align
from pixsent_tf.inference.predictions import Predictions
from pixsent_tf.inference.rated import RatedTable, is_rated_table
from pixsent_tf.results.answers import CompareResults


@dataclass(frozen=True)
class Comparison:
    """Several models on the same pictures.

    Attributes:
        aligned: Their answers.
        results: The numbers.
    """

    aligned: Aligned
    results: CompareResults


def compare_models(
    sources: Sequence[str | Path], *, threshold: float | None = None
) -> Comparison:
    """Compare runs or tables.

    Args:
        sources: Run folders or CSV files, two or more.
        threshold: Rating from which those of ratings mean positive; None where all
            answer with classes.

    Returns:
        The comparison.

    Raises:
        UsageError: If there is only one source.
        PixsentError: If a source cannot be read, or they do not fit together.
    """
    if len(sources) < 2:
        raise UsageError(f"{len(sources)} source cannot be compared; name two or more.")
    aligned = align([_read(source, threshold) for source in sources])
    answers = aligned.probs.argmax(axis=2)  # [M, N]
    differing = np.flatnonzero((answers != answers[0]).any(axis=0))
    results: CompareResults = {
        "names": list(aligned.names),
        "num_examples": len(aligned.ids),
        "accuracies": aligned.correct.mean(axis=1).tolist(),
        "pairs": compare.compare(
            names=aligned.names,
            labels=aligned.labels,
            probs=aligned.probs,
            has_probs=aligned.has_probs,
        ),
        "differing": [
            {
                "id": aligned.ids[i],
                "label": aligned.class_names[aligned.labels[i]],
                "answers": [
                    aligned.class_names[answers[m, i]] for m in range(len(answers))
                ],
            }
            for i in differing
        ],
        "notes": list(aligned.notes),
        "out": None,
    }
    return Comparison(aligned, results)


def _read(source: str | Path, threshold: float | None) -> Predictions:
    """Read answers that are classes, or that a threshold makes classes."""
    if threshold is not None and is_rated_table(source):
        return RatedTable.read(source).at_threshold(threshold)
    return Predictions.read(source)
