"""How is a table read? A batch of columns at a time, whatever its kind.

CSV with commas, semicolons or tabs, in UTF-8, UTF-16 or Windows-1252; JSON Lines and
parquet. Memory does not grow with the table. Every verb that takes a table reads it by
this module.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pixsent_tf.config import PROB
from pixsent_tf.errors import DataError, UsageError
from pixsent_tf.texts import find_encoding, streamed, why_no_file

Row = Mapping[str, Any]
BATCH_ROWS = 16_384
_MAX_HEADER = 4096  # letters of it that are looked at
DELIMITED = (".csv", ".tsv")
JSON_LINES = (".jsonl", ".ndjson")
PARQUET = (".parquet", ".pq")
SUFFIXES = (*DELIMITED, *JSON_LINES, *PARQUET)
TEXT = ".txt"  # a list, unless it has the header of a table
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class Form:
    """How the text of a table is written.

    Attributes:
        codec: For `open`.
        encoding: Its name; "" for UTF-8.
        delimiter: Between cells.
        is_usual: Whether the suffix says what the delimiter is.
    """

    codec: str
    encoding: str
    delimiter: str
    is_usual: bool

    def describe(self) -> str:
        """Say what a reader would not expect.

        Returns:
            Such as "UTF-16, separated by semicolons"; "" for what is usual.
        """
        parts = [self.encoding] if self.encoding else []
        if not self.is_usual:
            parts.append(f"separated by {DELIMITERS[self.delimiter]}")
        return ", ".join(parts)


@dataclass(frozen=True)
class Batch:
    """Some rows of a table, one after the other.

    Attributes:
        start: How many rows come before.
        count: How many these are, n.
        columns: Cells by name, [n] each; numbers of parquet as arrays.
    """

    start: int
    count: int
    columns: Mapping[str, Sequence[Any]]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Give the rows.

        Yields:
            Cells by column.
        """
        for cells in zip(*self.columns.values(), strict=True):
            yield dict(zip(self.columns, cells, strict=True))


def is_table(path: Path) -> bool:
    """Tell whether a file is called like a table.

    Args:
        path: Any file.

    Returns:
        True by its suffix, in any case.
    """
    return path.suffix.lower() in SUFFIXES


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Read the rows of a table, a batch at a time.

    Args:
        path: .csv, .tsv, .jsonl or .parquet.

    Yields:
        Each row by column, as in `read_batches`; None where parquet has no value.

    Raises:
        DataError: As `read_batches`.
        UsageError: As `read_batches`.
    """
    for batch in read_batches(path):
        yield from batch.rows()


def read_batches(path: Path, numbers: Collection[str] = ()) -> Iterator[Batch]:
    """Read a table.

    Args:
        path: .csv, .jsonl or .parquet.
        numbers: What begins the names of columns that are wanted as arrays of numbers,
            where parquet holds numbers.

    Yields:
        Batches of columns; the probabilities of JSON Lines as columns `prob_NAME`.

    Raises:
        DataError: If there is no such file, or a line is no JSON object.
        UsageError: If it is of another kind, or parquet cannot be read here.
    """
    _refuse_missing(path)
    if not is_table(path) and path.suffix.lower() != TEXT:
        raise UsageError(f"{path} is not a .csv, .tsv, .jsonl or .parquet file.")
    start, suffix = 0, path.suffix.lower()
    parts: Iterator[tuple[int, Mapping[str, Sequence[Any]]]]
    if suffix in (*DELIMITED, TEXT):
        parts = _delimited(path)
    elif suffix in JSON_LINES:
        parts = _json_lines(path)
    else:
        parts = _parquet(path, tuple(numbers))
    for count, columns in parts:
        yield Batch(start, count, columns)
        start += count


def read_header(path: Path) -> tuple[str, ...]:
    """Read the names of the columns.

    Args:
        path: A table; a file of any other name is read as text with a header.

    Returns:
        The names; of JSON Lines those of the first objects. None for an empty file.

    Raises:
        DataError: As `read_batches`.
    """
    _refuse_missing(path)
    if path.suffix.lower() in (*JSON_LINES, *PARQUET):
        first = next(read_batches(path), None)
        return () if first is None else tuple(map(str, first.columns))
    form = find_form(path)
    with streamed(path), path.open(encoding=form.codec, newline="") as file:
        return tuple(_header(csv.reader(file, delimiter=form.delimiter)))


def describe_form(path: Path) -> str:
    """Say how a table is written, where a reader would not expect it.

    Args:
        path: The table.

    Returns:
        As `Form.describe`.
    """
    return "" if path.suffix.lower() in PARQUET else find_form(path).describe()


def count_rows(path: Path) -> int:
    """Count the rows of a table that can be read, for who waits.

    Args:
        path: .csv, .jsonl or .parquet.

    Returns:
        Rows of parquet; lines of text, which cells of several lines make too many.
    """
    if path.suffix.lower() in PARQUET:
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            return int(file.metadata.num_rows)
    with path.open("rb") as file:
        blocks = iter(lambda: file.read(1 << 20), b"")
        return sum(block.count(b"\n") for block in blocks) - (
            path.suffix.lower() in DELIMITED
        )


def _refuse_missing(path: Path) -> None:
    if why := why_no_file(path):
        raise DataError(f"{why}; give a .csv, .jsonl or .parquet file.")


def find_form(path: Path) -> Form:
    """Find how the text of a table is written.

    Args:
        path: .csv, .tsv or .jsonl.

    Returns:
        Its encoding, and what separates the cells of its header.

    Raises:
        DataError: If it cannot be read as text.
    """
    codec, encoding = find_encoding(path)
    usual = "\t" if path.suffix.lower() == ".tsv" else ","
    if path.suffix.lower() in JSON_LINES:
        return Form(codec, encoding, usual, is_usual=True)
    with streamed(path), path.open(encoding=codec, newline="") as file:
        header = next((line for line in file if line.strip()), "")
    delimiter = _delimiter(header) or usual
    return Form(codec, encoding, delimiter, is_usual=delimiter == usual)


def _delimiter(header: str) -> str | None:
    """What separates the names of columns; None where there is one column."""
    if header.lower().startswith("sep=") and len(header.strip()) == len("sep=") + 1:
        return header.strip()[-1]  # a line that Excel reads, and writes for others
    try:
        return csv.Sniffer().sniff(header[:_MAX_HEADER], "".join(DELIMITERS)).delimiter
    except csv.Error:
        return None


def _delimited(path: Path) -> Iterator[tuple[int, dict[str, Sequence[Any]]]]:
    form = find_form(path)
    with streamed(path), path.open(encoding=form.codec, newline="") as file:
        reader = csv.reader(file, delimiter=form.delimiter)
        names = _header(reader)
        rows = (row for row in reader if row)
        while part := list(islice(rows, BATCH_ROWS)):
            width = len(names)
            if any(len(row) != width for row in part):  # as csv.DictReader has it
                part = [(row + [None] * width)[:width] for row in part]  # type: ignore
            yield len(part), dict(zip(names, zip(*part, strict=True), strict=True))


def _header(rows: Iterator[list[str]]) -> list[str]:
    """The first row that is not empty; Excel may have a mark for itself above it."""
    for row in rows:
        names = [name.strip() for name in row]
        if any(names) and names[0].lower() != "sep=":
            return names
    return []


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, Sequence[Any]]]]:
    with streamed(path), path.open(encoding=find_form(path).codec) as file:
        numbered = enumerate(file, start=1)
        filled = ((number, line) for number, line in numbered if line.strip())
        while lines := list(islice(filled, BATCH_ROWS)):
            rows = [_flat(line, f"{path}, line {number}") for number, line in lines]
            names = dict.fromkeys(name for row in rows for name in row)
            yield len(rows), {name: [row.get(name) for row in rows] for name in names}


def _flat(line: str, where: str) -> Row:
    try:
        row = dict(json.loads(line))
        probs = dict(row.pop("probs", None) or {})
    except (TypeError, ValueError, RecursionError):
        raise DataError(f"{where} is no JSON object: {line.strip()[:60]!r}.") from None
    if probs:
        row.pop(f"{PROB}positive", None)
    return {**row, **{PROB + name: prob for name, prob in probs.items()}}


def _parquet(
    path: Path, numbers: tuple[str, ...]
) -> Iterator[tuple[int, dict[str, Sequence[Any]]]]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise UsageError(
            f"{path} cannot be read without pyarrow; get it with: pip install "
            f"'pixsent-tf[parquet]'."
        ) from None

    def cells(name: str, column: Any) -> Sequence[Any]:
        if name.startswith(numbers) and pa.types.is_floating(column.type):
            return column.to_numpy(zero_copy_only=False)
        return column.to_pylist()

    try:
        with pq.ParquetFile(path) as file:
            # one group after another: a reader of all keeps what it has read
            for group in range(file.num_row_groups):
                for part in file.iter_batches(BATCH_ROWS, row_groups=[group]):
                    pairs = zip(part.schema.names, part.columns, strict=True)
                    columns = {name: cells(name, column) for name, column in pairs}
                    yield len(part), columns
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path} is no readable parquet: {error}.") from None
