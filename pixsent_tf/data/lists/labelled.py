"""How are lists and tables of pictures read?

LIST.txt    `name label` a line
TABLE.csv   columns path,label, and where they are there group and source
TABLE.csv   columns path,valence: ratings instead of labels; see `ratings`
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pixsent_tf.config import CLASS_NAMES
from pixsent_tf.data.lists.ratings import is_rated, open_ratings
from pixsent_tf.data.lists.strays import find_strays
from pixsent_tf.data.table import Dataset, build_dataset
from pixsent_tf.errors import ConfigError, DataError
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.texts import read_table, read_text

SKIPPED = ("", "skip")  # labels that `label` writes for pictures that have none


def open_list(
    path: Path,
    images: Path,
    *,
    group: str | None = None,
    progress: Progress = NO_PROGRESS,
) -> Dataset:
    """Open a list or a table of pictures.

    Args:
        path: A text file with `name label` a line, or a CSV file with the columns
            `path` and `label`, or `path` and `valence`. Labels are class names, or 0
            and 1 for negative and positive. A column `source` tells where each picture
            comes from. With a column `annotator`, as `label` writes it, a picture is
            what most say; skipped ones and ties are left out.
        images: The folder that the names are relative to.
        group: The column of a CSV file that tells which pictures belong together; a
            picture whose cell is empty is on its own. A column `group` counts without
            being named.
        progress: Is told where names lead out of the folder.

    Returns:
        The data set, in the order of the file.

    Raises:
        ConfigError: If there is no such column.
        DataError: If a line cannot be read, a named file does not exist, or names lead
            out of the folder where that is refused.
    """
    if not _is_table(path):
        names, labels = _read_pairs(path, group)
        _tell_strays(path, names, progress)
        return _label(path, images, names, labels)
    table = _read_table(path)
    _tell_strays(path, table.column("path"), progress)
    if group is not None and group not in table.columns:
        raise ConfigError(
            f"{path} has no column {group!r} for the groups; it has "
            f"{', '.join(table.columns)}."
        )
    if is_rated(table.columns):
        return open_ratings(path, table.rows, images, group=group)
    dataset = _label(path, images, table.column("path"), table.column("label"))
    if group or "group" in table.columns:
        dataset = dataset.grouped(table.column(group or "group"))
    if "source" in table.columns:
        dataset = _with_sources(dataset, path, table.column("source"))
    return dataset


def _tell_strays(path: Path, names: Sequence[str], progress: Progress) -> None:
    line = find_strays(str(path), names)
    if line is not None:
        progress.say(f"Warning: {line}")


def _label(
    path: Path, images: Path, ids: Sequence[str], labels: Sequence[str]
) -> Dataset:
    class_names = None
    if set(labels) <= {"0", "1"}:
        class_names = CLASS_NAMES
        labels = [CLASS_NAMES[int(label)] for label in labels]
    return build_dataset(
        name=path.stem,
        ids=ids,
        paths=[images / name for name in ids],
        labels=labels,
        class_names=class_names,
    )


def _with_sources(dataset: Dataset, path: Path, names: Sequence[str]) -> Dataset:
    """Tell where each picture comes from."""
    if "" in names:
        raise DataError(
            f"{path} gives {dataset.ids[names.index('')]!r} no source; fill the column "
            f"or leave it out."
        )
    unique = tuple(dict.fromkeys(names))
    if len(unique) < 2:
        return dataset
    numbers = np.array([unique.index(name) for name in names], dtype="int32")
    return replace(dataset, sources=numbers, source_names=unique)


@dataclass(frozen=True)
class _Table:
    """A table with named columns.

    Attributes:
        columns: Their names.
        rows: Cells by column.
    """

    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]

    def column(self, name: str) -> list[str]:
        """The cells of a column."""
        return [row[name].strip() for row in self.rows]


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in (".csv", ".tsv")


def _read_table(path: Path) -> _Table:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    columns, rows = read_table(path, delimiter=delimiter)
    if not ({"path", "label"} <= set(columns) or is_rated(columns)):
        raise DataError(
            f"{path} has the columns {', '.join(columns) or 'none'}; it needs path and "
            f"label."
        )
    if "annotator" in columns:
        rows = _agreed(rows)
    return _Table(columns, tuple(rows))


def _agreed(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """One row a picture, of what `label` wrote: what most say, skipped and tied out."""
    votes: dict[str, Counter[str]] = {}
    for row in rows:
        if row["label"] not in SKIPPED:
            votes.setdefault(row["path"], Counter())[row["label"]] += 1
    first = {row["path"]: row for row in reversed(rows)}
    agreed = []
    for name, counts in votes.items():
        (label, most), *others = counts.most_common(2)
        if not others or others[0][1] < most:
            agreed.append({**first[name], "label": label})
    return agreed


def _read_pairs(path: Path, group: str | None) -> tuple[list[str], list[str]]:
    if group is not None:
        raise ConfigError(
            f"{path} has no group {group!r}; only a CSV table has columns."
        )
    names, labels = [], []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        name, _, label = line.strip().rpartition(" ")
        if not name:
            raise DataError(
                f"{path}:{number} reads {line!r:.60}; a line is `name label`."
            )
        names.append(name.strip())
        labels.append(label)
    return names, labels
