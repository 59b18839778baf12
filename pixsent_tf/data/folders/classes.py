"""How is a folder of labelled pictures laid out?

    FOLDER/CLASS/...             one subfolder per class
    FOLDER/SPLIT/CLASS/...       train, val and test, with the classes in each
    FOLDER/CLASS/SPLIT/...       the same the other way round
    FOLDER/WRAP/...              any of these in one folder more, as archives unpack

What systems and this package leave between them is no class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pixsent_tf.data.class_names import name_classes
from pixsent_tf.data.pictures import (
    HIDDEN,
    OWN,
    SUFFIXES,
    PassedOver,
    is_of_system,
    is_own,
    is_picture,
)
from pixsent_tf.errors import DataError, shown

SPLITS = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "tst"), "test"),
}
BESIDE = "beside the classes, without one"
UNLABELLED = "in a split, without a class"
_MAX_WRAPS = 3


@dataclass(frozen=True)
class ClassFolder:
    """A folder with pictures of one class.

    Attributes:
        name: Of the class, as the folder is called.
        split: "train", "val" or "test"; None where there are no splits.
        path: The folder.
    """

    name: str
    split: str | None
    path: Path


@dataclass(frozen=True)
class Layout:
    """Where the classes of a folder lie.

    Attributes:
        root: The folder that holds the classes or splits.
        classes: Sorted by their path.
    """

    root: Path
    classes: tuple[ClassFolder, ...]

    @property
    def has_splits(self) -> bool:
        """Whether the folder says what trains and what tests."""
        return len({one.split for one in self.classes}) > 1


def read_layout(
    folder: Path, passed: PassedOver, renamed: Mapping[str, str] | None = None
) -> Layout:
    """Recognize the layout of a folder.

    Args:
        folder: The folder.
        passed: Hears what is neither a class nor in one.
        renamed: Class by the name of a folder, where its spelling does not tell.

    Returns:
        The layout, with two classes or more.

    Raises:
        DataError: If there are fewer, or splits without classes in them, or a class
            that is only tested.
    """
    root, entries = _unwrap(folder, passed)
    if _are_splits(entries):
        found = _in_splits(root, entries, passed, renamed)
    elif entries and all(_are_splits(_folders(one)) for one in entries):
        found = [
            ClassFolder(entry.name, SPLITS[part.name.lower()], part)
            for entry in entries
            for part in _folders(entry)
        ]
    else:
        found = [ClassFolder(entry.name, None, entry) for entry in entries]
    names = sorted({one.name for one in found})
    if len(names) < 2:
        told = f"only {names[0]!r}" if names else "none"
        raise DataError(
            f"{shown(root)} needs one subfolder per class, two or more; it has {told}."
        )
    return Layout(root, tuple(sorted(found, key=lambda one: one.path)))


def _unwrap(folder: Path, passed: PassedOver) -> tuple[Path, list[Path]]:
    """See through folders that hold one folder and nothing else of interest."""
    for _ in range(_MAX_WRAPS):
        entries = _folders(folder, passed)
        if len(entries) != 1 or len(_folders(entries[0])) < 2:
            return folder, entries
        folder = entries[0]
    return folder, _folders(folder, passed)


def _folders(folder: Path, passed: PassedOver | None = None) -> list[Path]:
    """Give the folders within a folder that could be classes, sorted."""
    found = []
    for entry in sorted(folder.iterdir()):
        reason = None
        if is_of_system(entry.name):
            reason = HIDDEN
        elif not entry.is_dir():
            if passed is not None and is_picture(entry, passed):
                reason = BESIDE
        elif is_own(entry):
            reason = OWN
        else:
            found.append(entry)
        if reason is not None and passed is not None:
            passed.add(reason, entry)
    return found


def _are_splits(folders: Sequence[Path]) -> bool:
    """Tell whether folders are what trains and what tests."""
    parts = {SPLITS.get(folder.name.lower()) for folder in folders}
    return len(parts) > 1 and "train" in parts and None not in parts


def _in_splits(
    root: Path,
    splits: Sequence[Path],
    passed: PassedOver,
    renamed: Mapping[str, str] | None,
) -> list[ClassFolder]:
    """Find the classes within splits; what trains decides which there are."""
    found = []
    for split in splits:
        part, local = SPLITS[split.name.lower()], PassedOver()
        classes = _folders(split, local)
        if not classes and BESIDE in local.found and part != "train":
            local.found[UNLABELLED] = local.found.pop(BESIDE)
        passed.extend(local)
        found += [ClassFolder(one.name, part, one) for one in classes]
    meant = name_classes([one.name for one in found], str(root), renamed).by_label
    trained = {meant[one.name] for one in found if one.split == "train"}
    if not trained:
        names = ", ".join(split.name for split in splits)
        raise DataError(
            f"{shown(root)} has the splits {names}, and no classes in what trains; put "
            f"one subfolder per class into each split."
        )
    strange = [one for one in found if meant[one.name] not in trained]
    if strange:
        raise DataError(
            f"{shown(strange[0].path)} is a class that {shown(root)} never trains on "
            f"({', '.join(sorted(trained))}); rename it or take it away."
        )
    return found


def refuse_empty(folder: ClassFolder) -> None:
    """Refuse a class without pictures.

    Args:
        folder: The class.

    Raises:
        DataError: Always.
    """
    raise DataError(
        f"{shown(folder.path)} holds no pictures; remove it or add some "
        f"({', '.join(sorted(SUFFIXES))})."
    )
