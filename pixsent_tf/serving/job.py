"""Which part of a large job is done? What a killed job leaves, and the next one reads.

    OUT.parts/
      job.json         what is scored with what
      files.jsonl      a file a line and what is kept of it, fixed when the job starts
      part-00007-DIGEST.parquet

A part appears whole or not at all, and a part that is there is not scored again. Paths
may be of any file system that Apache Beam knows.
"""

from __future__ import annotations

import hashlib
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

from pixsent_tf.data.copies.digests import hash_files
from pixsent_tf.errors import RunError, UsageError
from pixsent_tf.serving.scorer import Row

TEXTS = ("path", "answer", "status")  # all other columns of an answer are numbers
LIST = "files.jsonl"


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
            RunError: If `job.json` is damaged.
            UsageError: If the folder holds another job, or there are no files.
        """
        columns = columns or {}
        job = cls(folder, tuple(names), tuple(columns))
        settings = {**settings, "columns": list(columns)}
        if FileSystems.exists(job._path("job.json")):
            found = job._settings()
            found.pop("files", None)
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
        settings["files"] = hashlib.sha256(lines.encode()).hexdigest()
        job._write(LIST, lines.encode())
        job._write("job.json", json.dumps(settings).encode())  # last: it is complete
        return job

    def shards(self, size: int) -> list[Shard]:
        """Cut the list of files.

        Args:
            size: Files a shard.

        Returns:
            The shards, in order.

        Raises:
            RunError: If the list is not as it was when the job began.
        """
        shards: list[Shard] = []
        offset = length = count = 0
        digest = hashlib.sha256()
        with FileSystems.open(self._path(LIST)) as file:
            for line in file:
                digest.update(line)
                length, count = length + len(line), count + 1
                if count == size:
                    shards.append(Shard(len(shards), offset, length, count))
                    offset, length, count = offset + length, 0, 0
        if digest.hexdigest() != self._settings().get("files"):
            raise RunError(
                f"{self._path(LIST)} is damaged: its checksum does not fit; remove "
                f"{self.folder} to begin anew."
            )
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
        with FileSystems.open(self._path(LIST)) as file:
            file.seek(shard.offset)
            return [json.loads(line) for line in file.read(shard.length).splitlines()]

    def done(self) -> set[int]:
        """Find the shards that are scored.

        Returns:
            Their numbers.
        """
        return set(self._parts())

    def keep_whole(self, shards: Sequence[Shard]) -> set[int]:
        """Find the shards that are scored, and forget those that are damaged.

        Args:
            shards: All of them.

        Returns:
            The numbers of those whose part is as it was written, and whose pictures,
            where they lie on a local disk, are those that were scored.
        """
        parts, whole = self._parts(), set()
        for shard in shards:
            name = parts.pop(shard.number, None)
            if name and name == self._name(shard, self._read(name)):
                whole.add(shard.number)
            elif name:
                FileSystems.delete([self._path(name)])
        return whole

    def _parts(self) -> dict[int, str]:
        """Names of parts by the numbers of their shards."""
        (match,) = FileSystems.match([self._path("part-*.parquet")])
        names = [entry.path.rpartition("/")[2] for entry in match.metadata_list]
        return {int(name.split("-")[1]): name for name in names}

    def _name(self, shard: Shard, content: bytes) -> str:
        """Name a part by its bytes and those of its pictures, if this disk has them."""
        digest = hashlib.sha256("".join(hash_files(self.files(shard))).encode())
        digest.update(content)
        return f"part-{shard.number:05}-{digest.hexdigest()[:16]}.parquet"

    def _settings(self) -> dict[str, Any]:
        path = self._path("job.json")
        try:
            found = json.loads(self._read("job.json"))
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise RunError(
                f"{path} is damaged: it is no JSON object; remove {self.folder} to "
                f"begin anew."
            )
        return found

    def write_part(self, shard: Shard, rows: Sequence[Row]) -> None:
        """Keep the rows of a shard.

        Args:
            shard: What was scored.
            rows: One per file.
        """
        buffer = io.BytesIO()
        kept = [cells for _, *cells in self._lines(shard)] if self.columns else []
        table = _with_columns(to_table(rows, self.names), self.columns, kept)
        pq.write_table(table, buffer)
        self._write(self._name(shard, buffer.getvalue()), buffer.getvalue())

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
        partial, parts = f"{self.folder}/joined", self._parts()
        with FileSystems.create(partial) as file, writer_of(file, schema) as writer:
            for shard in shards:
                table = pq.read_table(io.BytesIO(self._read(parts[shard.number])))
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
