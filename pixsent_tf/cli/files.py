"""Which pictures does a command line name?"""

from __future__ import annotations

import glob
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pixsent_tf.errors import DataError

LIST_SUFFIX = ".txt"


def find_files(sources: Iterable[str]) -> list[str]:
    """Find the files that a command line names.

    Args:
        sources: Files, folders (walked), globs, `.txt` files with a path a line, "-"
            for such a list on standard input, or globs of another file system, such as
            `gs://bucket/*.jpg`, which Apache Beam finds.

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
        yield from _lines(sys.stdin)
    elif "://" in source:
        from apache_beam.io.filesystems import FileSystems

        (match,) = FileSystems.match([source])
        yield from sorted(entry.path for entry in match.metadata_list)
    elif path.is_dir():
        from pixsent_tf.data.pictures import walk_pictures

        yield from map(str, walk_pictures(path))
    elif path.is_file() and path.suffix.lower() == LIST_SUFFIX:
        with path.open(encoding="utf-8-sig") as file:
            yield from _lines(file)
    elif glob.has_magic(source) and not path.exists():
        yield from sorted(glob.glob(source, recursive=True))
    else:
        yield source


def _lines(file: Iterable[str]) -> Iterator[str]:
    """Give the paths of a list, as they are but for the end of the line."""
    yield from (line.rstrip("\r\n") for line in file if line.strip())
