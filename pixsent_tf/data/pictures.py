"""Which files of a folder are pictures? Content decides, not the suffix.

A file that is named like a picture is one, and if it cannot be read, whoever reads it
will say so. Any other is looked into. What is passed over is counted and named.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pixsent_tf.data.decode.kinds import HEADER, OTHERS, PICTURES, sniff
from pixsent_tf.errors import shown

SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".webp"),
    *(".tif", ".tiff", ".heic", ".heif"),
)
HIDDEN = "hidden or of the system"
OWN = "written by pixsent-tf"
NO_PICTURE = "no picture by its content"
CLOSED = "cannot be opened"
LINK = "a link that leads nowhere new"
MAX_NAMED = 3
_OF_SYSTEMS = frozenset(
    {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin"}
)
# What a run, a search, maps and an exported model have in their folders.
_OWN_MARKS = ("recipe.json", "study.json", "maps.npz", "saved_model.pb")


class PassedOver:
    """What was found in a folder and not taken, by the reason.

    Attributes:
        found: Paths by the reason, in the order in which they were found.
    """

    def __init__(self) -> None:
        self.found: dict[str, list[Path]] = {}

    def add(self, reason: str, path: Path) -> None:
        """Pass over a file or a folder.

        Args:
            reason: Why, in words.
            path: What.
        """
        self.found.setdefault(reason, []).append(path)

    def extend(self, other: PassedOver) -> None:
        """Pass over what another walk did.

        Args:
            other: Of that walk.
        """
        for reason, paths in other.found.items():
            self.found.setdefault(reason, []).extend(paths)

    def describe(self, folder: Path) -> str | None:
        """Say how much was passed over, and name the first of each kind.

        Args:
            folder: What the names are told relative to.

        Returns:
            One line; None if nothing was.
        """
        if not self.found:
            return None
        parts = [
            f"{len(paths)} ({reason}): {_name(paths, folder)}"
            for reason, paths in self.found.items()
        ]
        if len(parts) > 1:
            total = sum(map(len, self.found.values()))
            parts[0] = f"{total}: {parts[0]}"
        return f"{shown(folder)}: passed over {'; '.join(parts)}"


def _name(paths: list[Path], folder: Path) -> str:
    names = [shown(os.path.relpath(path, folder)) for path in paths[:MAX_NAMED]]
    more = len(paths) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def walk_pictures(folder: Path, passed: PassedOver | None = None) -> Iterator[Path]:
    """Find the pictures below a folder.

    Args:
        folder: Where to look. Links to folders are followed, each folder once.
        passed: Hears of what is passed over: hidden entries, what systems and this
            package leave in folders, and files that are no pictures.

    Yields:
        Paths, sorted within each folder.
    """
    passed = PassedOver() if passed is None else passed
    seen = {_identity(folder)}

    def refused(error: OSError) -> None:
        passed.add(CLOSED, Path(error.filename))

    for parent, folders, files in os.walk(folder, onerror=refused, followlinks=True):
        folders[:] = [
            name
            for name in sorted(folders)
            if _enters(Path(parent, name), seen, passed)
        ]
        for name in sorted(files):
            path = Path(parent, name)
            if is_of_system(name):
                passed.add(HIDDEN, path)
            elif is_picture(path, passed):
                yield path


def is_of_system(name: str) -> bool:
    """Tell whether an entry of a folder is hidden, or one that systems leave.

    Args:
        name: Of the file or folder.
    """
    return name.startswith(".") or name.lower() in _OF_SYSTEMS


def is_own(folder: Path) -> bool:
    """Tell whether this package has written a folder, or all that is in it.

    Args:
        folder: Any folder.

    Returns:
        Whether it is a run, maps or an export, or holds these and nothing else.
    """
    if _is_marked(folder):
        return True
    try:
        entries = [one for one in os.scandir(folder) if not is_of_system(one.name)]
    except OSError:
        return False
    return bool(entries) and all(_is_marked(folder / one.name) for one in entries)


def _is_marked(folder: Path) -> bool:
    return any((folder / mark).is_file() for mark in _OWN_MARKS)


def is_picture(path: Path, passed: PassedOver) -> bool:
    """Tell whether a file is a picture, by its suffix or else by its content.

    Args:
        path: The file.
        passed: Hears what it is instead.
    """
    if path.suffix.lower() in SUFFIXES:
        return True
    if not path.is_file():  # a broken link, or a pipe that nobody may read
        passed.add(NO_PICTURE, path)
        return False
    try:
        with path.open("rb") as file:
            kind = sniff(file.read(HEADER))
    except OSError:
        passed.add(CLOSED, path)
        return False
    if kind not in PICTURES:
        passed.add(OTHERS.get(kind, (NO_PICTURE,))[0], path)
    return kind in PICTURES


def _enters(path: Path, seen: set[tuple[int, int]], passed: PassedOver) -> bool:
    """Tell whether a folder is to be walked, and remember it."""
    reason = None
    if is_of_system(path.name):
        reason = HIDDEN
    elif _identity(path) in seen:
        reason = LINK
    elif is_own(path):
        reason = OWN
    if reason is not None:
        passed.add(reason, path)
        return False
    seen.add(_identity(path))
    return True


def _identity(folder: Path) -> tuple[int, int]:
    """Tell a folder from others, whatever links lead to it."""
    found = os.stat(folder)
    return found.st_dev, found.st_ino
