"""How do several sources of labelled pictures become one data set?

Each picture remembers its source. What a source knows stays known: votes, groups, and
its published folds where all sources publish equally many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import DataError


def join_sources(parts: Sequence[Dataset]) -> Dataset:
    """Put data sets one after the other.

    Args:
        parts: Two or more data sets; one that has sources already brings them along.

    Returns:
        All pictures, in order. Ids that occur twice begin with the name of their
        source, and so do groups, since equal names in two sources mean nothing. A
        picture whose source knows no votes has one, for its label. Folds are kept
        where every source publishes the same number of them, splits where every source
        has some.

    Raises:
        DataError: If the classes of two sources have other names.
    """
    first = parts[0]
    for other in parts[1:]:
        if other.class_names != first.class_names:
            raise DataError(
                f"{other.name} has the classes {', '.join(other.class_names)}, "
                f"{first.name} {', '.join(first.class_names)}; give the classes of all "
                f"sources the same names."
            )
    wholes = [part.whole or part for part in parts]
    names = _unique([name for part in parts for name in _names(part)])
    counts = Counter(name for whole in wholes for name in whole.ids)
    taken = {name for name, count in counts.items() if count > 1}
    joined = _concatenate(parts, names, taken)
    if all(part.whole is None for part in parts):
        return joined
    return replace(joined, whole=_concatenate(wholes, names, taken))


def _names(part: Dataset) -> tuple[str, ...]:
    return part.source_names or (part.name,)


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Number names that occur twice: pictures, pictures-2."""
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        unique.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return tuple(unique)


def _concatenate(
    parts: Sequence[Dataset], names: tuple[str, ...], taken: set[str]
) -> Dataset:
    starts = np.cumsum([0, *(len(_names(part)) for part in parts)])
    sources = np.concatenate(
        [
            start + (np.zeros(len(part), int) if part.sources is None else part.sources)
            for start, part in zip(starts, parts, strict=False)
        ]
    ).astype("int32")
    ids = [name for part in parts for name in part.ids]
    dataset = Dataset(
        name="+".join(part.name for part in parts),
        ids=tuple(
            f"{names[source]}/{name}" if name in taken else name
            for source, name in zip(sources, ids, strict=True)
        ),
        paths=tuple(path for part in parts for path in part.paths),
        labels=np.concatenate([part.labels for part in parts]),
        class_names=parts[0].class_names,
        folds=_folds(parts),
        votes=_votes(parts),
        joined=_joined(parts),
        sources=sources,
        source_names=names,
        splits=_splits(parts),
        notes=tuple(note for part in parts for note in part.notes),
        weights=_weights(parts),
    )
    if all(part.groups is None for part in parts):
        return dataset
    groups = [name for part in parts for name in _group_names(part)]
    return dataset.grouped(
        [
            f"{names[source]}/{name}" if name else ""
            for source, name in zip(sources, groups, strict=True)
        ]
    )


def _folds(parts: Sequence[Dataset]) -> np.ndarray | None:
    folds = [part.folds for part in parts if part.folds is not None]
    if len(folds) < len(parts) or len({each.max() for each in folds}) > 1:
        return None
    return np.concatenate(folds)


def _splits(parts: Sequence[Dataset]) -> np.ndarray | None:
    """Who divides some of the pictures and not all has divided none."""
    splits = [part.splits for part in parts if part.splits is not None]
    return None if len(splits) < len(parts) else np.concatenate(splits)


def _weights(parts: Sequence[Dataset]) -> np.ndarray | None:
    """A picture of a source that knows no weights counts 1."""
    if all(part.weights is None for part in parts):
        return None
    own = [
        np.ones(len(part), "float32") if part.weights is None else part.weights
        for part in parts
    ]
    return np.concatenate(own)


def _votes(parts: Sequence[Dataset]) -> np.ndarray | None:
    """Labels of a part without votes count as one; with shares, all are shares."""
    known = [part for part in parts if part.votes is not None]
    if not known:
        return None
    if not all(part.has_counts for part in known):
        return np.concatenate(
            [part.targets("hard" if part.votes is None else "votes") for part in parts]
        )
    own = [
        part.targets().astype("int32") if part.votes is None else part.votes
        for part in parts
    ]
    return np.concatenate(own)


def _joined(parts: Sequence[Dataset]) -> np.ndarray | None:
    if all(part.joined is None for part in parts):
        return None
    own = [
        np.zeros(len(part), "float32") if part.joined is None else part.joined
        for part in parts
    ]
    return np.concatenate(own)


def _group_names(part: Dataset) -> list[str]:
    """The group of each picture; "" for one on its own."""
    if part.groups is None:
        return [""] * len(part)
    return [part.group_names[number] for number in part.groups]
