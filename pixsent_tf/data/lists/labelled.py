"""How are lists and tables of pictures read?

LIST.txt    `name label` a line
TABLE       columns of a path and a label, by their usual names; see `columns`
TABLE       columns of a path and of ratings, labels or not; see `ratings`

A table is any that `tables` reads: CSV, JSON Lines or parquet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pixsent_tf.config import DataConfig
from pixsent_tf.data.class_names import is_nothing, name_classes, refuse_nothing
from pixsent_tf.data.lists import tables
from pixsent_tf.data.lists.columns import (
    VOTES,
    as_path,
    as_text,
    describe_columns,
    find_columns,
    listed,
    refuse_columns,
)
from pixsent_tf.data.lists.given import add_given
from pixsent_tf.data.lists.paths import find_spelling
from pixsent_tf.data.lists.perspectives import spread_groups
from pixsent_tf.data.lists.ratings import (
    RATED,
    SERIES,
    is_rated,
    open_rated,
    open_ratings,
)
from pixsent_tf.data.lists.strays import find_strays
from pixsent_tf.data.lists.votes import (
    add_votes,
    columns_of_numbers,
    labels_of_votes,
    votes_columns,
)
from pixsent_tf.data.table import Dataset, build_dataset
from pixsent_tf.errors import ConfigError, DataError, shown
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.texts import read_brought

SKIPPED = "skip"  # the label that `label` writes for pictures that have none
_OTHER_TABLES = (
    *(".xlsx", ".xls", ".ods", ".numbers", ".feather", ".arrow", ".pkl", ".json"),
    *(".sqlite", ".db"),
)


@dataclass(frozen=True)
class Reading:
    """How a table is to be read, where it does not tell.

    Attributes:
        group: The column that tells which pictures belong together.
        columns: Columns by what they hold; "" for none.
        renamed: Classes by label.
        skip_unlabelled: Leave rows without a label out.
    """

    group: str | None = None
    columns: Mapping[str, str] | None = None
    renamed: Mapping[str, str] | None = None
    skip_unlabelled: bool = False


def open_list(
    path: Path,
    images: Path,
    reading: Reading = Reading(),
    *,
    asked: DataConfig | None = None,
    progress: Progress = NO_PROGRESS,
) -> Dataset:
    """Open a list or a table of pictures.

    Args:
        path: A text file with `name label` a line, or a table with a column of paths
            and one of labels or ratings. With a column `annotator`, as `label` writes
            it, a picture is what most say; skipped ones and ties are left out.
        images: The folder that the names are relative to.
        reading: How it is to be read, where it does not tell.
        asked: What else is asked of the table: targets, scale and threshold of ratings;
            None for nothing.
        progress: Is told where names lead out of the folder.

    Returns:
        The data set, in the order of the file. Its notes say how it was read.

    Raises:
        ConfigError: If there is no column that is named.
        DataError: If a line cannot be read, a named file does not exist, a label is
            missing, or names lead out of the folder where that is refused.
    """
    if path.suffix.lower() in _OTHER_TABLES:
        raise DataError(
            f"{shown(path)} is a table of a kind that is not read; save it as CSV, "
            f"JSON Lines (.jsonl) or parquet."
        )
    asked = asked or DataConfig()
    if _is_table(path):
        listing = _read_table(path, reading, asked)
    else:
        refuse_ratings(asked, f"{path} is a list, which has no columns")
        listing = _read_pairs(path)
    is_of_ratings = bool(asked.target) or is_rated(listing.columns)
    is_rule = reading.group == SERIES and is_of_ratings
    if (
        reading.group is not None
        and not is_rule
        and reading.group not in listing.columns
    ):
        raise ConfigError(_no_group(path, listing, reading.group))
    names = [row["path"] for row in listing.rows]
    line = find_strays(str(path), names)
    if line is not None:
        progress.say(f"Warning: {line}")
    rows = [
        {**row, "path": find_spelling(images, name) or name.replace("\\", "/")}
        for row, name in zip(listing.rows, names, strict=True)
    ]
    if is_of_ratings:
        dataset = (
            open_rated(path, rows, images, asked)
            if asked.target
            else open_ratings(
                path, rows, images, group=reading.group, threshold=asked.threshold
            )
        )
        return replace(dataset, notes=(*listing.notes, *dataset.notes))
    refuse_ratings(asked, f"{path} holds labels and no ratings")
    shares = asked.labels == "votes"
    return _open_labelled(path, images, listing, rows, reading, shares=shares)


def _open_labelled(
    path: Path,
    images: Path,
    listing: _Listing,
    rows: list[dict[str, str]],
    reading: Reading,
    *,
    shares: bool,
) -> Dataset:
    """Read pictures and their labels, and what else a table says of them.

    Where `shares` of votes are learnt, a class may be one that others always outvote.
    """
    names = [row["path"] for row in listing.rows]
    labels = [row["label"] for row in rows]
    kept = refuse_nothing(labels, names, str(path), skip=reading.skip_unlabelled)
    rows = [rows[i] for i in kept]
    notes = list(listing.notes)
    if len(kept) < len(labels):
        notes.append(f"{path.name}: left out {len(labels) - len(kept)} (no label)")
    dataset = build_dataset(
        name=path.stem,
        ids=[row["path"] for row in rows],
        paths=[images / row["path"] for row in rows],
        labels=[row["label"] for row in rows],
        renamed=reading.renamed,
        where=path.name,
    )
    dataset = replace(dataset, notes=(*notes, *dataset.notes))
    if reading.group or "group" in listing.roles:
        dataset = dataset.grouped([row[reading.group or "group"] for row in rows])
    dataset = add_given(dataset, path, rows, listing.roles, reading.columns or {})
    if shares and "label" not in listing.roles:
        dataset = dataset.with_classes(listing.votes.values())
    return add_votes(dataset, path, rows, listing.votes)


@dataclass(frozen=True)
class _Listing:
    """What a list or a table holds.

    Attributes:
        columns: Names of its columns, those of the roles among them.
        roles: What its columns hold.
        rows: Cells by column.
        notes: How it was read.
        votes: Class by column, of the columns of votes.
    """

    columns: tuple[str, ...]
    roles: tuple[str, ...]
    rows: list[dict[str, str]]
    notes: tuple[str, ...] = ()
    votes: Mapping[str, str] = field(default_factory=dict)


def _no_group(path: Path, listing: _Listing, group: str) -> str:
    if not listing.columns:
        return f"{path} has no group {group!r}; only a CSV table has columns."
    return (
        f"{path} has no column {group!r} for the groups; it has "
        f"{', '.join(listing.columns)}."
    )


def _is_table(path: Path) -> bool:
    """Tell whether a file is a table, by its suffix or else by its header."""
    if tables.is_table(path):
        return True
    found = find_columns(tables.read_header(path), path)
    return {"path", "label"} <= set(found)


def _read_table(path: Path, reading: Reading, asked: DataConfig) -> _Listing:
    """Read the rows, with the columns of the roles under their names."""
    columns, targets = tables.read_header(path), asked.target
    found = _find(columns, path, reading.columns, targets)
    if "path" not in found:
        raise refuse_columns(path, columns, "path")
    votes, told_votes = _find_votes(path, columns, found, reading, asked)
    is_labelled = "label" in found or len(votes) > 1
    if not (targets or is_labelled or is_rated([*columns, *found])):
        raise refuse_columns(path, columns, "label")
    rows = [
        {
            name: as_path(cell, path) if name == found["path"] else as_text(cell)
            for name, cell in row.items()
        }
        for row in tables.read_rows(path)
    ]
    rows = [{**row, **{r: row.get(c, "") for r, c in found.items()}} for row in rows]
    _refuse_nameless(path, rows)
    _refuse_unrated(path, rows, targets)
    notes = [tables.describe_form(path), describe_columns(found), told_votes]
    told = f"{path.name}: read as {'; '.join(filter(None, notes))}" * any(notes)
    extra = [told] if told else []
    if "annotator" in found and "label" in found and not targets:
        named = len({row["path"] for row in rows})
        rows = _agreed(rows)
        if (lost := named - len(rows)) > 0:
            extra.append(f"{path.name}: left out {lost} (skipped, or tied)")
    if "label" not in found and len(votes) > 1 and not targets:
        rows, tied = labels_of_votes(path, rows, votes)
        extra += [f"{path.name}: left out {tied} (tied votes)"] * (tied > 0)
    return _Listing(
        tuple(dict.fromkeys((*columns, *found))),
        tuple(found),
        rows,
        tuple(extra),
        votes,
    )


def _find_votes(
    path: Path,
    columns: Sequence[str],
    found: Mapping[str, str],
    reading: Reading,
    asked: DataConfig,
) -> tuple[dict[str, str], str]:
    """Find the class of each column of votes, and what to say of guessed ones."""
    named = (reading.columns or {}).get(VOTES)
    parts = None if named is None else [one for one in named.split("|") if one.strip()]
    votes = votes_columns(columns, path, parts)
    is_known = bool(votes or asked.target or "label" in found or named is not None)
    if is_known or asked.labels != "votes":
        return votes, ""
    rows = tables.read_rows(path)
    taken = {*found.values(), *([reading.group] if reading.group else [])}
    guessed = columns_of_numbers(columns, taken, rows)
    if guessed is None:
        return {}, ""
    return votes_columns(columns, path, guessed), f"votes from {listed(guessed)}"


def _find(
    columns: Sequence[str],
    path: Path,
    chosen: Mapping[str, str] | None = None,
    targets: Sequence[str] = (),
) -> dict[str, str]:
    """Find which column holds what; a table of ratings has no label, unless it says so.

    What is called `category` in such a table, say, is what a picture shows.
    """
    found = find_columns(columns, path, chosen, more=RATED)
    is_named = "label" in (chosen or {}) or found.get("label", "").lower() == "label"
    has_valence = RATED[0] in (*columns, *found)
    if targets or (has_valence and not is_named):
        found.pop("label", None)
    return found


def read_columns(path: Path) -> tuple[str, ...]:
    """Name the columns of a table.

    Args:
        path: A file.

    Returns:
        Their names, those of the roles among them; none for a list.
    """
    if not _is_table(path):
        return ()
    columns = tables.read_header(path)
    return (*columns, *_find(columns, path))


def refuse_ratings(asked: DataConfig, what: str) -> None:
    """Refuse targets or a threshold of ratings where there are none.

    Args:
        asked: The settings.
        what: Says that the source has none.

    Raises:
        ConfigError: If something is asked of ratings.
    """
    for name in ("target", "threshold"):
        if getattr(asked, name) not in (None, ()):
            raise ConfigError(
                f"{what}; --{name} is for a CSV table with columns such as "
                f"path,valence."
            )


def _refuse_unrated(
    path: Path, rows: Sequence[Mapping[str, str]], targets: Sequence[str]
) -> None:
    """Refuse a table that lacks a column of ratings."""
    named = spread_groups(path, rows, targets)[0]
    missing = [name for name in targets if not (named and name in named[0])]
    if missing:
        has = list(rows[0]) if rows else []
        raise DataError(
            f"{shown(path)} has the columns {listed(has)}; --target "
            f"{','.join(targets)} needs {', '.join(missing)} too."
        )


def _refuse_nameless(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    for number, row in enumerate(rows, start=1):
        if not row["path"]:
            raise DataError(
                f"{shown(path)} has no path in row {number}; fill it in, or take the "
                f"row away."
            )


def _agreed(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """One row a picture, of what `label` wrote: what most say, skipped and tied out."""
    given = [r for r in rows if not is_nothing(r["label"]) and r["label"] != SKIPPED]
    labels = [row["label"] for row in given]
    meant = name_classes(labels, "").by_label  # one class, whoever spelled it
    votes: dict[str, Counter[str]] = {}
    for row, label in zip(given, labels, strict=True):
        votes.setdefault(row["path"], Counter())[meant[label]] += 1
    first = {row["path"]: row for row in reversed(rows)}
    spelled = {meant[label]: label for label in reversed(labels)}
    agreed = []
    for name, counts in votes.items():
        (label, most), *others = counts.most_common(2)
        if not others or others[0][1] < most:
            agreed.append({**first[name], "label": spelled[label]})
    return agreed


def _read_pairs(path: Path) -> _Listing:
    """Read `name label` lines, with a space, a tab or a comma between them."""
    text, encoding = read_brought(path)
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        pair = line.strip()
        if not pair:
            continue
        marks = [mark for mark in ("\t", " ", ",", ";") if mark in pair]
        name, _, label = pair.rpartition(marks[0]) if marks else ("", "", "")
        name = name.rstrip(" \t,;")
        if not name:
            raise DataError(
                f"{path}:{number} reads {line!r:.60}; a line is `name label`."
            )
        rows.append({"path": name, "label": label.strip()})
    notes = (f"{path.name}: read as {encoding}",) if encoding else ()
    return _Listing((), (), rows, notes)
