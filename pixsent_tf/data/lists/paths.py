"""Which files does a table name? Windows and macOS spell them otherwise."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pixsent_tf.data.lists.columns import as_path, find_columns, listed, refuse_columns
from pixsent_tf.data.lists.tables import read_header, read_rows
from pixsent_tf.errors import DataError, shown


def find_spelling(folder: Path, name: str) -> str | None:
    """Find a file however its name is spelled.

    Args:
        folder: What the name is relative to.
        name: With slashes or backslashes, composed or decomposed.

    Returns:
        The name as it is on the disk; None where there is no such file.
    """
    slashes = name.replace("\\", "/")
    forms = (unicodedata.normalize(form, slashes) for form in ("NFC", "NFD"))
    spellings = dict.fromkeys((name, slashes, *forms))
    return next((each for each in spellings if (folder / each).is_file()), None)


def read_named(path: Path) -> Iterator[dict[str, Any]]:
    """Read a table that names files, whatever else it says of them.

    Args:
        path: Any table that `tables` reads.

    Yields:
        Its rows, with the file of each as `path`: relative to the working folder or
        else to that of the table; as it is named where there is no such file.

    Raises:
        DataError: If no column or a row names no file, or the table cannot be read.
    """
    columns = read_header(path)
    column = find_columns(columns, path).get("path")
    if column is None:
        raise refuse_columns(path, columns, "path")
    for row in read_rows(path):
        name = as_path(row.pop(column, None), path)
        if not name:
            raise DataError(
                f"{shown(path)} has a row without a path; it has {listed(columns)}."
            )
        yield {"path": _locate(path, name), **row}


def _locate(table: Path, name: str) -> str:
    if "://" in name:  # of another file system
        return name
    here = find_spelling(Path(), name)
    if here is not None:
        return here
    beside = find_spelling(table.parent, name)
    return name if beside is None else str(table.parent / beside)
