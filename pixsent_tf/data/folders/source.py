"""Which labelled pictures does a folder hold?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pixsent_tf.data.decode.kinds import HEADER, OTHERS, PICTURES, sniff
from pixsent_tf.data.folders.classes import Layout, read_layout, refuse_empty
from pixsent_tf.data.pictures import PassedOver, walk_pictures
from pixsent_tf.data.table import Dataset, build_dataset
from pixsent_tf.errors import ConfigError, DataError, shown

_NO_ARCHIVES = (".txt", ".csv", ".tsv", ".jsonl", ".parquet", ".xlsx", ".ods")


def open_folder(
    folder: Path,
    *,
    group: str | None = None,
    renamed: Mapping[str, str] | None = None,
) -> Dataset:
    """Open a folder of classes, with splits or without; see `classes` for layouts.

    Args:
        folder: The folder; a subfolder's name is the class, its pictures may lie
            deeper.
        group: "folder" where the folders within the classes tell which pictures belong
            together; equal names in two classes are one group.
        renamed: Class by the name of a subfolder, where its spelling does not tell.

    Returns:
        The data set, sorted by path. Its notes say what was passed over, and which
        splits there are.

    Raises:
        ConfigError: If there is no such group, or no subfolder of a name in `renamed`.
        DataError: If there are fewer than two classes, or one without pictures.
    """
    passed = PassedOver()
    layout = read_layout(folder, passed, renamed)
    paths, labels, splits, groups = [], [], [], []
    for one in layout.classes:
        files = list(walk_pictures(one.path, passed))
        if not files:
            refuse_empty(one)
        paths += files
        labels += [one.name] * len(files)
        splits += [one.split] * len(files)
        groups += [_group(path.relative_to(one.path)) for path in files]
    dataset = build_dataset(
        name=folder.resolve().name,
        ids=[path.relative_to(folder).as_posix() for path in paths],
        paths=paths,
        labels=labels,
        must_exist=False,
        renamed=renamed,
    )
    if layout.has_splits:
        dataset = replace(dataset, splits=np.array(splits))
    dataset = replace(
        dataset, notes=(*dataset.notes, *_notes(folder, layout, dataset, passed))
    )
    if group is None:
        return dataset
    _refuse_group(layout.root, group, groups)
    return dataset.grouped(groups)


def _group(within: Path) -> str:
    """The folder within its class that a picture lies in; "" for none."""
    return within.parts[0] if len(within.parts) > 1 else ""


def _notes(
    folder: Path, layout: Layout, dataset: Dataset, passed: PassedOver
) -> tuple[str, ...]:
    """Say how a folder was read."""
    notes = []
    if layout.root != folder:
        names = ", ".join(dict.fromkeys(one.name for one in layout.classes))
        notes.append(
            f"{shown(folder)}: the classes lie in {shown(layout.root)}: {names}"
        )
    if dataset.splits is not None:
        notes.append(f"{shown(folder)}: {describe_splits(dataset.splits)}")
    told = passed.describe(folder)
    return (*notes, told) if told else tuple(notes)


def describe_splits(splits: np.ndarray) -> str:
    """Say which splits there are, and what they are for.

    Args:
        splits: Of each picture, str [N].

    Returns:
        A part of a line.
    """
    counts = Counter(splits.tolist())
    told = ", ".join(
        f"{s} {counts[s]}" for s in ("train", "val", "test") if s in counts
    )
    if "test" not in counts:
        trains, tests = "train", "val"
    else:
        trains = "train and val" if "val" in counts else "train"
        tests = "test"
    return (
        f"splits {told}; fit trains on {trains} and tests on {tests}, evaluate judges "
        f"by {tests}"
    )


def _refuse_group(root: Path, group: str, names: Sequence[str]) -> None:
    """Refuse a group that no folder knows, and folders that hold none."""
    if group != "folder":
        raise ConfigError(
            f"{root} has no group {group!r}; the one of a folder of classes is "
            f"'folder', the folders within the classes."
        )
    if not any(names):
        raise ConfigError(
            f"{root} has no folders within its classes that could be groups."
        )


def refuse_single(path: Path) -> None:
    """Refuse a file that is no list of pictures, but a picture or an archive of them.

    Args:
        path: The file.

    Raises:
        DataError: If it is one.
    """
    if path.suffix.lower() in _NO_ARCHIVES:
        return
    with path.open("rb") as file:
        kind = sniff(file.read(HEADER))
    if kind in PICTURES:
        raise DataError(
            f"{shown(path)} is a single picture; name a folder with one subfolder per "
            f"class, or ask about it: pixsent-tf predict {shown(path)}"
        )
    if kind in ("zip", "archive"):
        raise DataError(
            f"{shown(path)} is {OTHERS[kind][0]}; unpack it, and name the folder that "
            f"it becomes."
        )
