"""How is the DeepSent Twitter set laid out on disk?

    ROOT/
      twitter_{five,four,three}_agrees.txt            `name label` a line
      images/ or Agg_AMT_Candidates/ or twitter_dataset/images/, or anything beside it
      amt_result.csv                                  optional: the votes
      ground_truth/SUBSET/test{1..5}/{train,test}.txt optional: the published folds

Reference:
    You et al., "Robust Image Sentiment Analysis Using Progressively Trained and Domain
    Transferred Deep Networks", AAAI 2015.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from pixsent_tf.config import CLASS_NAMES, LEVELS
from pixsent_tf.data.copies.duplicates import find_copies
from pixsent_tf.data.levels import votes
from pixsent_tf.data.table import Dataset, build_dataset
from pixsent_tf.errors import ConfigError, DataError
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.texts import read_text

NUM_FOLDS = 5
IMAGE_FOLDERS = ("images", "Agg_AMT_Candidates", "twitter_dataset/images", ".")


def is_deepsent(folder: Path) -> bool:
    """Tell whether a folder has the DeepSent layout.

    Args:
        folder: Any folder.

    Returns:
        True if one of the three lists is there.
    """
    return any(_list_path(folder, level).is_file() for level in LEVELS)


def open_deepsent(
    folder: Path,
    level: str,
    *,
    join_weight: float = 0.0,
    group: str | None = None,
    progress: Progress = NO_PROGRESS,
) -> Dataset:
    """Open one agreement level of a DeepSent folder.

    Args:
        folder: The folder that holds the lists.
        level: One of `config.LEVELS`.
        join_weight: Weight of the pictures that fewer agree on, which then join every
            training and no test; 0 leaves them out. Copies of a picture of the level
            are left out always: they could train what the picture tests.
        group: "user" where pictures of one user, whom the names of files begin with,
            belong together.
        progress: Hears how far it is where copies have to be looked for.

    Returns:
        The data set in the order of its list, with votes, and with the published folds
        where they are there. Its `whole` is three_agrees, which holds every level.

    Raises:
        ConfigError: If the level or the group is unknown.
        DataError: If its list, its pictures or a published fold is not right.
    """
    if level not in LEVELS:
        raise ConfigError(f"Unknown level {level!r}; it is {', '.join(LEVELS)}.")
    if group not in (None, "user"):
        raise ConfigError(
            f"{folder} has no group {group!r}; the one of a DeepSent folder is 'user', "
            f"whom the names of the files begin with."
        )
    dataset = _open_level(folder, level)
    whole = _open_whole(folder, dataset)
    if group is not None:
        dataset = _group_by_user(dataset)
        whole = None if whole is None else _group_by_user(whole)
    if join_weight:
        dataset = _join(dataset, whole, join_weight, progress)
    return replace(dataset, whole=whole)


def _group_by_user(dataset: Dataset) -> Dataset:
    return dataset.grouped([name.split("_")[0] for name in dataset.ids])


def _join(
    dataset: Dataset, whole: Dataset | None, weight: float, progress: Progress
) -> Dataset:
    """Add what fewer agree on, without copies of what more agree on."""
    if whole is None:
        raise DataError(
            f"{dataset.name} is not part of a complete {LEVELS[-1]}; leave the "
            f"joining pictures out."
        )
    own = np.isin(whole.ids, dataset.ids)
    groups = find_copies(whole.paths, progress=progress).groups
    joins = ~own & ~np.isin(groups, groups[own])
    position = {name: i for i, name in enumerate(whole.ids)}
    first = np.array([position[name] for name in dataset.ids])
    joined = whole.take(np.concatenate([first, np.flatnonzero(joins)]))
    counts = np.arange(len(joined)) >= len(dataset)
    folds = dataset.folds
    if folds is not None:
        folds = np.pad(folds, (0, int(joins.sum())))
    return replace(
        joined,
        name=dataset.name,
        folds=folds,
        joined=np.where(counts, weight, 0).astype("float32"),
    )


def _open_level(folder: Path, level: str) -> Dataset:
    labels = read_pairs(_list_path(folder, level))
    names = list(labels)
    images = _image_folder(folder, names[0])
    dataset = build_dataset(
        name=f"{folder.resolve().name}-{level}",
        ids=names,
        paths=[images / name for name in names],
        labels=[CLASS_NAMES[label] for label in labels.values()],
        class_names=CLASS_NAMES,
    )
    return replace(
        dataset,
        folds=read_folds(folder, level, names),
        votes=read_votes(folder, labels),
    )


def _open_whole(folder: Path, dataset: Dataset) -> Dataset | None:
    """Open the set that holds all levels; None where a part of it is missing."""
    try:
        whole = _open_level(folder, LEVELS[-1])
    except DataError:
        return None
    return whole if set(dataset.ids) <= set(whole.ids) else None


def read_pairs(path: Path) -> dict[str, int]:
    """Read a list of pictures.

    Args:
        path: Text with `name label` a line, label 0 or 1.

    Returns:
        Labels by name, in the order of the file.

    Raises:
        DataError: If the file is missing or a line reads otherwise.
    """
    if not path.is_file():
        raise DataError(f"{path} is missing; the DeepSent layout needs it.")
    labels = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        name, _, label = line.strip().rpartition(" ")
        if not name or label not in ("0", "1"):
            raise DataError(
                f"{path}:{number} reads {line!r:.60}; a line is `name 0` or `name 1`."
            )
        labels[Path(name).name] = int(label)
    if not labels:
        raise DataError(f"{path} is empty.")
    return labels


def read_folds(folder: Path, level: str, names: list[str]) -> np.ndarray | None:
    """Read the published test fold of each picture.

    Args:
        folder: The folder that holds `ground_truth/`.
        level: One of `config.LEVELS`.
        names: The pictures, in order.

    Returns:
        Fold of each name, int32 [N], from 1; 0 where no published fold has it. None if
        nothing is published.

    Raises:
        DataError: If a fold names an unknown picture or two folds share one.
    """
    truth = folder / "ground_truth" / level
    if not truth.is_dir():
        return None
    position = {name: i for i, name in enumerate(names)}
    folds = np.zeros(len(names), dtype="int32")
    for fold in range(1, NUM_FOLDS + 1):
        path = truth / f"test{fold}" / "test.txt"
        for name in read_pairs(path):
            if name not in position:
                raise DataError(f"{path} names {name}, which {level} does not hold.")
            if folds[position[name]]:
                raise DataError(f"{path} names {name}, as another test fold does.")
            folds[position[name]] = fold
    return folds


def read_votes(folder: Path, labels: dict[str, int]) -> np.ndarray | None:
    """Find how the five annotators voted on each picture.

    The levels are nested, so they tell the votes even without the table of votes:
    a picture of five_agrees got 5:0, one of four_agrees only 4:1, the rest 3:2.

    Args:
        folder: The folder that holds `amt_result.csv` or the three lists.
        labels: Labels by name, in order.

    Returns:
        Votes per class, int32 [N, 2]; None if neither source is complete.
    """
    table = folder / "amt_result.csv"
    if table.is_file():
        counted = votes.read_table(table, labels)
        if counted is not None:
            return counted
    paths = [_list_path(folder, level) for level in LEVELS]
    if not all(path.is_file() for path in paths):
        return None
    agreeing: dict[str, int] = {}
    for level, path in zip((5, 4, 3), paths, strict=True):
        for name in read_pairs(path):
            agreeing.setdefault(name, level)
    if not set(labels) <= set(agreeing):
        return None
    return votes.read_nesting(agreeing, labels)


def _list_path(folder: Path, level: str) -> Path:
    return folder / f"twitter_{level}.txt"


def _image_folder(folder: Path, name: str) -> Path:
    for candidate in IMAGE_FOLDERS:
        if (folder / candidate / name).is_file():
            return folder / candidate
    raise DataError(
        f"{folder} holds no picture {name}; put the pictures into {folder / 'images'}."
    )
