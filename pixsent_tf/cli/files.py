"""Which pictures does a command line name?"""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixsent_tf.cli import console
from pixsent_tf.errors import DataError, UsageError
from pixsent_tf.texts import read_brought

LIST_SUFFIX = ".txt"
TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".pq")


@dataclass(frozen=True)
class Listed:
    """Files that a table lists, with what else it says of them.

    Attributes:
        paths: The files, [N].
        columns: The other columns as text, by name, each [N].
    """

    paths: list[str]
    columns: dict[str, list[str]] = field(default_factory=dict)


def read_list(sources: Sequence[str], *, keep_columns: bool) -> Listed:
    """Find the files that a command line names, and what a table says of them.

    Args:
        sources: As in `find_files`.
        keep_columns: Keep the columns of the table that is the only source.

    Returns:
        The files and the columns.

    Raises:
        UsageError: If columns are to be kept and the source is no table, or has a
            column that answers have, too.
        DataError: If there are no files.
    """
    if not keep_columns:
        return Listed(find_files(sources))
    path = Path(sources[0])
    if len(sources) > 1 or path.suffix.lower() not in TABLE_SUFFIXES:
        raise UsageError(
            f"--keep-columns needs one table ({', '.join(TABLE_SUFFIXES)}) with a "
            f"column path, not {' '.join(sources)}."
        )
    listed = Listed([])
    for row in _rows(path):
        if not listed.paths:
            listed.columns.update({name: [] for name in row if name != "path"})
            _refuse_answers(path, listed.columns)
        listed.paths.append(str(row["path"]))
        for name, cells in listed.columns.items():
            cell = row.get(name)
            cells.append("" if cell is None else str(cell))
    if not listed.paths:
        raise DataError(f"{path} holds no pictures; name files or folders.")
    return listed


def _refuse_answers(path: Path, columns: Iterable[str]) -> None:
    taken = [
        name
        for name in columns
        if name in ("answer", "status") or name.startswith("prob_")
    ]
    if taken:
        raise UsageError(
            f"{path} has the columns {', '.join(taken)}, which answers are written to; "
            f"rename them, or leave --keep-columns out."
        )


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of a table that lists files."""
    from pixsent_tf.data.lists.paths import read_named

    return read_named(path)


def find_files(sources: Iterable[str]) -> list[str]:
    """Find the files that a command line names.

    Args:
        sources: Files, folders (walked), globs, `.txt` files with a path a line, "-"
            for such a list on standard input, tables with paths, or globs of
            another file system, such as `gs://bucket/*.jpg`, which Apache Beam finds.

    Returns:
        Files, in the order of the sources; sorted within a folder and a glob. A file
        that does not exist is among them: whoever reads it will say so.

    Raises:
        DataError: If there are none.
    """
    sources = list(sources)
    files = [path for source in sources for path in _expand(source)]
    if not files:
        raise DataError(
            f"{' '.join(sources)} holds no pictures; name files or folders."
        )
    return files


def _expand(source: str) -> Iterator[str]:
    path = Path(source)
    if source == "-":
        # as bytes: names on a disk may be in any encoding
        yield from _lines(map(os.fsdecode, sys.stdin.buffer))
    elif "://" in source:
        from apache_beam.io.filesystems import FileSystems

        (match,) = FileSystems.match([source])
        yield from sorted(entry.path for entry in match.metadata_list)
    elif path.is_dir():
        from pixsent_tf.data.pictures import PassedOver, walk_pictures

        passed = PassedOver()
        yield from map(str, walk_pictures(path, passed))
        told = passed.describe(path)
        if told is not None:
            console.note(told, quiet=False)
    elif path.is_file() and path.suffix.lower() == LIST_SUFFIX:
        names = list(_lines(read_brought(path)[0].splitlines()))
        _tell_strays(source, names)
        yield from names
    elif path.is_file() and path.suffix.lower() in TABLE_SUFFIXES:
        names = [str(row["path"]) for row in _rows(path)]
        _tell_strays(source, names)
        yield from names
    elif glob.has_magic(source) and not path.exists():
        yield from sorted(glob.glob(source, recursive=True))
    else:
        yield source


def _tell_strays(source: str, names: Sequence[str]) -> None:
    from pixsent_tf.data.lists.strays import find_strays

    line = find_strays(source, names)
    if line is not None:
        console.warn(line)


def _lines(file: Iterable[str]) -> Iterator[str]:
    """Give the paths of a list, as they are but for the end of the line."""
    yield from (line.rstrip("\r\n") for line in file if line.strip())
