"""How is a large table read? A batch of columns at a time, whatever its kind.

CSV, JSON Lines and parquet; memory does not grow with the table.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pixsent_tf.errors import DataError, UsageError
from pixsent_tf.inference.predictions import PREFIX
from pixsent_tf.texts import streamed

Row = Mapping[str, Any]
BATCH_ROWS = 16_384
SUFFIXES = (".csv", ".jsonl", ".parquet")


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


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Read the rows of a table, a batch at a time.

    Args:
        path: .csv, .jsonl or .parquet.

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
    if not path.is_file():
        raise DataError(f"{path} does not exist; give a .csv, .jsonl or .parquet file.")
    if path.suffix not in SUFFIXES:
        raise UsageError(f"{path} is not a .csv, .jsonl or .parquet file.")
    start = 0
    parts: Iterator[tuple[int, Mapping[str, Sequence[Any]]]]
    if path.suffix == ".csv":
        parts = _csv(path)
    elif path.suffix == ".jsonl":
        parts = _json_lines(path)
    else:
        parts = _parquet(path, tuple(numbers))
    for count, columns in parts:
        yield Batch(start, count, columns)
        start += count


def count_rows(path: Path) -> int:
    """Count the rows of a table that can be read, for who waits.

    Args:
        path: .csv, .jsonl or .parquet.

    Returns:
        Rows of parquet; lines of text, which cells of several lines make too many.
    """
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            return int(file.metadata.num_rows)
    with path.open("rb") as file:
        blocks = iter(lambda: file.read(1 << 20), b"")
        return sum(block.count(b"\n") for block in blocks) - (path.suffix == ".csv")


def _csv(path: Path) -> Iterator[tuple[int, dict[str, Sequence[Any]]]]:
    with streamed(path), path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        names = next(reader, [])
        rows = (row for row in reader if row)
        while part := list(islice(rows, BATCH_ROWS)):
            width = len(names)
            if any(len(row) != width for row in part):  # as csv.DictReader has it
                part = [(row + [None] * width)[:width] for row in part]  # type: ignore
            yield len(part), dict(zip(names, zip(*part, strict=True), strict=True))


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, Sequence[Any]]]]:
    with streamed(path), path.open(encoding="utf-8") as file:
        numbered = enumerate(file, start=1)
        while lines := list(islice(numbered, BATCH_ROWS)):
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
        row.pop(f"{PREFIX}positive", None)
    return {**row, **{PREFIX + name: prob for name, prob in probs.items()}}


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
