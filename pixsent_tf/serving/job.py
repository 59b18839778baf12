"""Which part of a large job is done? What a killed job leaves, and the next one reads.

    OUT.parts/
      job.json         what is scored with what
      files.jsonl      a file a line and what is kept of it, fixed when the job starts
      part-00007.parquet

A part appears whole or not at all, and a part that is there is not scored again. Paths
may be of any file system that Apache Beam knows.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems

from pixsent_tf.errors import UsageError
from pixsent_tf.serving.scorer import Row

TEXTS = ("path", "answer", "status")  # all other columns of an answer are numbers


@dataclass(frozen=True)
class Shard:
    """Some consecutive files of a job.

    Attributes:
        number: From 0.
        offset: Where its lines begin in `files.jsonl`, in bytes.
        length: Of its lines, in bytes.
        count: Number of its files.
    """

    number: int
    offset: int
    length: int
    count: int


@dataclass(frozen=True)
class Job:
    """The folder of a job.

    Attributes:
        folder: Where it is, as text, since it may be no local path.
        names: Columns of an answer, `path` first and `status` last.
        columns: Names of what is kept of each file besides.
    """

    folder: str
    names: tuple[str, ...]
    columns: tuple[str, ...] = ()

    @classmethod
    def start(
        cls,
        folder: str,
        settings: dict[str, Any],
        names: Sequence[str],
        files: Iterable[str],
        columns: Mapping[str, Sequence[str]] | None = None,
    ) -> Job:
        """Begin a job, or go on with one.

        Args:
            folder: Where parts are kept.
            settings: What decides the rows; the same as before, or it is another job.
            names: Columns of an answer.
            files: The files to score; not looked at where the job had begun.
            columns: What is kept of each besides, by name.

        Returns:
            The job.

        Raises:
            UsageError: If the folder holds another job, or there are no files.
        """
        columns = columns or {}
        job = cls(folder, tuple(names), tuple(columns))
        settings = {**settings, "columns": list(columns)}
        if FileSystems.exists(job._path("job.json")):
            found = json.loads(job._read("job.json"))
            if found != settings:
                raise UsageError(
                    f"{folder} holds the parts of another job ({json.dumps(found)}); "
                    f"remove it, or name another --out."
                )
            return job
        lines = "".join(
            json.dumps([str(path), *(cells[i] for cells in columns.values())]) + "\n"
            for i, path in enumerate(files)
        )
        if not lines:
            raise UsageError("There are no pictures to score; name files or folders.")
        if not FileSystems.exists(folder):
            FileSystems.mkdirs(folder)
        job._write("files.jsonl", lines.encode())
        job._write("job.json", json.dumps(settings).encode())  # last: it is complete
        return job

    def shards(self, size: int) -> list[Shard]:
        """Cut the list of files.

        Args:
            size: Files a shard.

        Returns:
            The shards, in order.
        """
        shards: list[Shard] = []
        offset = length = count = 0
        with FileSystems.open(self._path("files.jsonl")) as file:
            for line in file:
                length, count = length + len(line), count + 1
                if count == size:
                    shards.append(Shard(len(shards), offset, length, count))
                    offset, length, count = offset + length, 0, 0
        if count:
            shards.append(Shard(len(shards), offset, length, count))
        return shards

    def files(self, shard: Shard) -> list[str]:
        """Read the files of a shard.

        Args:
            shard: One of `shards`.

        Returns:
            Their paths.
        """
        return [path for path, *_ in self._lines(shard)]

    def _lines(self, shard: Shard) -> list[list[str]]:
        """Path and what is kept, of each file of a shard."""
        with FileSystems.open(self._path("files.jsonl")) as file:
            file.seek(shard.offset)
            return [json.loads(line) for line in file.read(shard.length).splitlines()]

    def done(self) -> set[int]:
        """Find the shards that are scored.

        Returns:
            Their numbers.
        """
        (match,) = FileSystems.match([self._path("part-*.parquet")])
        names = [entry.path.rpartition("part-")[2] for entry in match.metadata_list]
        return {int(name.removesuffix(".parquet")) for name in names}

    def write_part(self, shard: Shard, rows: Sequence[Row]) -> None:
        """Keep the rows of a shard.

        Args:
            shard: What was scored.
            rows: One per file.
        """
        buffer = io.BytesIO()
        kept = [cells for _, *cells in self._lines(shard)] if self.columns else []
        table = to_table(rows, self.names)
        pq.write_table(_with_columns(table, self.columns, kept), buffer)
        self._write(_part_name(shard.number), buffer.getvalue())

    def assemble(self, shards: Sequence[Shard], out: str) -> Counter[str]:
        """Join the parts into one table, with flat memory.

        Args:
            shards: All of them, each scored.
            out: The table, `*.parquet` or `*.csv`.

        Returns:
            Number of files by status.
        """
        statuses: Counter[str] = Counter()
        schema = _with_columns(to_table([], self.names), self.columns, []).schema
        writer_of = pa_csv.CSVWriter if out.endswith(".csv") else pq.ParquetWriter
        partial = f"{self.folder}/joined"
        with FileSystems.create(partial) as file, writer_of(file, schema) as writer:
            for shard in shards:
                part = io.BytesIO(self._read(_part_name(shard.number)))
                table = pq.read_table(part)
                statuses.update(table["status"].to_pylist())
                writer.write_table(table)
        if FileSystems.exists(out):
            FileSystems.delete([out])
        FileSystems.rename([partial], [out])
        return statuses

    def remove(self) -> None:
        """Delete the folder, once the table is there."""
        FileSystems.delete([self.folder])

    def _path(self, name: str) -> str:
        return f"{self.folder}/{name}"

    def _read(self, name: str) -> bytes:
        with FileSystems.open(self._path(name)) as file:
            return file.read()

    def _write(self, name: str, content: bytes) -> None:
        partial = self._path(f".{name}.tmp")
        with FileSystems.create(partial) as file:
            file.write(content)
        FileSystems.rename([partial], [self._path(name)])


def to_table(rows: Iterable[Row], names: Sequence[str]) -> pa.Table:
    """Put rows into columns.

    Args:
        rows: Any number of them.
        names: Columns of an answer: texts, and as many numbers as a row has.

    Returns:
        The columns that `predict` writes.
    """
    rows = list(rows)
    texts = {name: [getattr(row, name) for row in rows] for name in TEXTS}
    none = (None,) * sum(name not in TEXTS for name in names)
    numbers = iter(zip(*(row.numbers or none for row in rows), strict=True))
    arrays = [
        pa.array(texts[name], pa.string())
        if name in TEXTS
        else pa.array(next(numbers, ()), pa.float32())
        for name in names
    ]
    return pa.table(arrays, names=list(names))


def _with_columns(
    table: pa.Table, names: Sequence[str], rows: Sequence[Sequence[str]]
) -> pa.Table:
    """Append what is kept of each file, as text."""
    for position, name in enumerate(names):
        cells = [row[position] for row in rows]
        table = table.append_column(name, pa.array(cells, pa.string()))
    return table


def _part_name(number: int) -> str:
    return f"part-{number:05}.parquet"
