"""Are these the labels of what a model answers, and are they enough?"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from pixsent_tf.config import DataConfig
from pixsent_tf.data.class_names import match_classes
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import DataError, FewClassesError, UsageError
from pixsent_tf.progress import NO_PROGRESS, Progress

LEAST_LABELS = 10
LEAST_OF_CLASS = 3  # two to train on where the third tests


def open_labels(
    data: DataConfig,
    class_names: Sequence[str],
    *,
    progress: Progress = NO_PROGRESS,
) -> Dataset:
    """Open labelled pictures in the terms of a model.

    Args:
        data: The source.
        class_names: Names of the model's classes, by index.
        progress: Hears what was found that is good to know.

    Returns:
        The pictures, with the classes of the model.

    Raises:
        UsageError: If there are too few labels, or of one class only.
        DataError: If the source cannot be read, or its classes are others.
    """
    try:
        dataset = open_dataset(data, progress=progress)
    except FewClassesError as error:
        counts = {name: error.counts.get(name, 0) for name in class_names}
        refuse_few(data.source, counts)
        raise
    places = match_classes(dataset.class_names, class_names)
    if places is None:
        strange = next(
            (n for n in dataset.class_names if match_classes([n], class_names) is None),
            dataset.class_names[0],
        )
        raise DataError(
            f"{data.source} has the class {strange!r}, the model knows "
            f"{', '.join(class_names)}; name the classes with --classes."
        )
    to_model = np.array(places)
    votes = None
    if dataset.votes is not None:
        votes = np.zeros((len(dataset), len(class_names)), dataset.votes.dtype)
        votes[:, to_model] = dataset.votes
    dataset = dataclasses.replace(
        dataset,
        labels=to_model[dataset.labels].astype("int32"),
        class_names=tuple(class_names),
        votes=votes,
        whole=None,
    )
    refuse_few(data.source, count_labels(dataset))
    return dataset


def count_labels(
    dataset: Dataset, read: np.ndarray | None = None, units: np.ndarray | None = None
) -> dict[str, int]:
    """Count the labels of each class.

    Args:
        dataset: The pictures.
        read: True for those that count, bool [N]; all if None.
        units: Pictures that share a number count once for each class, int [N].

    Returns:
        Numbers by the name of the class.
    """
    read = np.ones(len(dataset), dtype=bool) if read is None else read
    units = np.arange(len(dataset)) if units is None else units
    return {
        name: len(np.unique(units[read & (dataset.labels == k)]))
        for k, name in enumerate(dataset.class_names)
    }


def refuse_few(source: str, counts: Mapping[str, int], what: str = "labels") -> None:
    """Refuse labels that nothing could be learnt and judged by at once.

    Args:
        source: Where they are from.
        counts: How many, by class.
        what: What is counted.

    Raises:
        UsageError: If there are fewer than ten, or fewer than three of a class.
    """
    total = sum(counts.values())
    lacking = {
        name: LEAST_OF_CLASS - count
        for name, count in counts.items()
        if count < LEAST_OF_CLASS
    }
    if total >= LEAST_LABELS and not lacking:
        return
    missing = max(LEAST_LABELS - total, sum(lacking.values()))
    found = ", ".join(f"{count} {name}" for name, count in counts.items())
    of_class = ", ".join(f"{count} {name}" for name, count in lacking.items())
    raise UsageError(
        f"{source} has {total} {what} ({found}); adapting needs {LEAST_LABELS}, and "
        f"{LEAST_OF_CLASS} of each class: {missing} more"
        f"{f', {of_class} among them' if lacking else ''}."
    )
