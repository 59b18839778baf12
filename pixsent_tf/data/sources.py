"""Where do the pictures come from?

smileys               the drawn sample; needs nothing
FOLDER                one subfolder per class, or the DeepSent layout
LIST.txt, TABLE.csv   `name label` a line, or the columns path,label and maybe group
tfds:NAME[/CONFIG]    any TensorFlow Datasets image classification set

Some of them know which pictures belong together, those of one person, say: a column of
a table, a feature of a TFDS set, a folder within a class, the user of a DeepSent file.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from pixsent_tf import runs
from pixsent_tf.config import CLASS_NAMES, DataConfig
from pixsent_tf.data.levels import layout
from pixsent_tf.data.pictures import SUFFIXES, walk_pictures
from pixsent_tf.data.table import Dataset, build_dataset
from pixsent_tf.errors import ConfigError, DataError
from pixsent_tf.progress import NO_PROGRESS, Progress

SKIPPED = ("", "skip")  # labels that `label` writes for pictures that have none


def open_dataset(
    data: DataConfig, *, seed: int = 0, progress: Progress = NO_PROGRESS
) -> Dataset:
    """Open any source of labelled pictures.

    Args:
        data: The source and how to read it.
        seed: Of the drawn sample.
        progress: Hears how far it is where copies have to be looked for.

    Returns:
        The data set; no picture has been decoded, except to keep copies out where
        pictures of lower agreement join.

    Raises:
        ConfigError: If `data.level` or `data.join_weight` is asked of a source that
            knows no agreement, or `data.group` of one that does not know it.
        DataError: If the source is missing, empty, has one class, or names missing
            files.
    """
    if data.source == "smileys":
        _refuse_agreement(data)
        if data.group is not None:
            raise ConfigError(
                f"smileys are drawn one by one; they have no group {data.group!r}."
            )
        return _open_smileys(seed)
    if data.source.startswith("tfds:"):
        from pixsent_tf.data import tfds

        name = data.source.removeprefix("tfds:")
        return tfds.open_tfds(name, group=data.group)
    path = Path(data.source)
    if path.is_dir():
        if layout.is_deepsent(path):
            return layout.open_deepsent(
                path,
                data.level or "five_agrees",
                join_weight=data.join_weight,
                group=data.group,
                progress=progress,
            )
        _refuse_agreement(data)
        return open_folder(path, group=data.group)
    if path.is_file():
        _refuse_agreement(data)
        images = Path(data.images) if data.images else path.parent
        return open_list(path, images, group=data.group)
    raise DataError(
        f"{data.source} does not exist; give a folder with one subfolder per class, a "
        f"list, tfds:NAME or smileys."
    )


def open_folder(folder: Path, *, group: str | None = None) -> Dataset:
    """Open a folder with one subfolder per class.

    Args:
        folder: The folder; a subfolder's name is the class, its pictures may lie
            deeper.
        group: "folder" where the folders within the classes tell which pictures belong
            together; equal names in two classes are one group.

    Returns:
        The data set, sorted by path.

    Raises:
        ConfigError: If there is no such group.
        DataError: If there are fewer than two subfolders, or one without pictures.
    """
    classes = sorted(
        entry.name
        for entry in folder.iterdir()
        if entry.is_dir() and not entry.name.startswith(".")
    )
    if len(classes) < 2:
        found = f"only {classes[0]!r}" if classes else "none"
        raise DataError(
            f"{folder} needs one subfolder per class, two or more; it has {found}."
        )
    ids, paths, labels = [], [], []
    for name in classes:
        files = list(walk_pictures(folder / name))
        if not files:
            raise DataError(
                f"{folder / name} holds no pictures; remove it or add some "
                f"({', '.join(sorted(SUFFIXES))})."
            )
        ids += [path.relative_to(folder).as_posix() for path in files]
        paths += files
        labels += [name] * len(files)
    dataset = build_dataset(
        name=folder.resolve().name,
        ids=ids,
        paths=paths,
        labels=labels,
        must_exist=False,
    )
    return dataset if group is None else _group_by_folder(dataset, folder, group)


def _group_by_folder(dataset: Dataset, folder: Path, group: str) -> Dataset:
    """Group pictures by the folder within their class: class/GROUP/.../picture."""
    if group != "folder":
        raise ConfigError(
            f"{folder} has no group {group!r}; the one of a folder of classes is "
            f"'folder', the folders within the classes."
        )
    parts = [name.split("/") for name in dataset.ids]
    names = [each[1] if len(each) > 2 else "" for each in parts]
    if not any(names):
        raise ConfigError(
            f"{folder} has no folders within its classes that could be groups."
        )
    return dataset.grouped(names)


def open_list(path: Path, images: Path, *, group: str | None = None) -> Dataset:
    """Open a list or a table of pictures.

    Args:
        path: A text file with `name label` a line, or a CSV file with the columns
            `path` and `label`. Labels are class names, or 0 and 1 for negative and
            positive. With a column `annotator`, as `label` writes it, a picture is what
            most say; skipped ones and ties are left out.
        images: The folder that the names are relative to.
        group: The column of a CSV file that tells which pictures belong together; a
            picture whose cell is empty is on its own. A column `group` counts without
            being named.

    Returns:
        The data set, in the order of the file.

    Raises:
        ConfigError: If there is no such column.
        DataError: If a line cannot be read or a named file does not exist.
    """
    read = _read_csv if path.suffix.lower() in (".csv", ".tsv") else _read_pairs
    ids, labels, groups = read(path, group)
    class_names = None
    if set(labels) <= {"0", "1"}:
        class_names = CLASS_NAMES
        labels = [CLASS_NAMES[int(label)] for label in labels]
    dataset = build_dataset(
        name=path.stem,
        ids=ids,
        paths=[images / name for name in ids],
        labels=labels,
        class_names=class_names,
    )
    return dataset if groups is None else dataset.grouped(groups)


Rows = tuple[list[str], list[str], list[str] | None]  # names, labels, groups


def _read_pairs(path: Path, group: str | None) -> Rows:
    if group is not None:
        raise ConfigError(
            f"{path} has no group {group!r}; only a CSV table has columns."
        )
    names, labels = [], []
    lines = path.read_text("utf-8-sig").splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        name, _, label = line.strip().rpartition(" ")
        if not name:
            raise DataError(
                f"{path}:{number} reads {line!r:.60}; a line is `name label`."
            )
        names.append(name.strip())
        labels.append(label)
    return names, labels, None


def _read_csv(path: Path, group: str | None) -> Rows:
    with path.open(encoding="utf-8-sig", newline="") as file:
        delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
        reader = csv.DictReader(file, delimiter=delimiter)
        columns = reader.fieldnames or []
        if not {"path", "label"} <= set(columns):
            raise DataError(
                f"{path} has the columns {', '.join(columns) or 'none'}; it needs "
                f"path and label."
            )
        if group is not None and group not in columns:
            raise ConfigError(
                f"{path} has no column {group!r} for the groups; it has "
                f"{', '.join(columns)}."
            )
        rows = list(reader)
    if "annotator" in columns:
        rows = _agreed(rows)
    ids, labels = [row["path"] for row in rows], [row["label"] for row in rows]
    if group is None and "group" not in columns:
        return ids, labels, None
    return ids, labels, [(row[group or "group"] or "").strip() for row in rows]


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


def _open_smileys(seed: int) -> Dataset:
    from pixsent_tf.data.sample import smileys

    folder = runs.cache_folder("smileys", f"seed-{seed}")
    smileys.write_smileys(folder, seed=seed)
    dataset = open_folder(folder)
    return build_dataset(
        name="smileys",
        ids=dataset.ids,
        paths=[Path(path) for path in dataset.paths],
        labels=[dataset.class_names[label] for label in dataset.labels],
    )


def _refuse_agreement(data: DataConfig) -> None:
    if data.level is not None:
        raise ConfigError(
            f"{data.source} has no level {data.level!r}; only a DeepSent folder has."
        )
    if data.join_weight:
        raise ConfigError(
            f"{data.source} knows no agreement; only a DeepSent folder has pictures of "
            f"lower agreement that can join the training."
        )
