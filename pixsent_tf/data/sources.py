"""Where do the pictures come from?

smileys               the drawn sample; needs nothing
FOLDER                one subfolder per class, or the DeepSent layout
LIST.txt              `name label` a line
TABLE                 CSV, JSON Lines or parquet with the columns path,label and maybe
                      split, fold, group, source, weight, votes_*; or path,valence
tfds:NAME[/CONFIG]    any TensorFlow Datasets image classification set

Some of them know which pictures belong together, those of one person, say: a column of
a table, a feature of a TFDS set, a folder within a class, the user of a DeepSent file.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pixsent_tf import runs
from pixsent_tf.config import DataConfig
from pixsent_tf.data.folders.source import open_folder, refuse_single
from pixsent_tf.data.joint import join_sources
from pixsent_tf.data.levels import layout
from pixsent_tf.data.lists.labelled import (
    Reading,
    open_list,
    read_columns,
    refuse_ratings,
)
from pixsent_tf.data.lists.ratings import is_rated
from pixsent_tf.data.lists.tables import SUFFIXES as TABLES
from pixsent_tf.data.table import Dataset, build_dataset
from pixsent_tf.errors import (
    ConfigError,
    DataError,
    PixsentError,
    UnknownLabelError,
    shown,
)
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.texts import why_no_file

RATINGS = "ratings.csv"  # the table of a folder of rated pictures
LIST_SUFFIXES = (".txt", *TABLES)


def open_dataset(
    data: DataConfig, *, seed: int = 0, progress: Progress = NO_PROGRESS
) -> Dataset:
    """Open any source of labelled pictures, or several as one data set.

    Args:
        data: The sources and how to read them.
        seed: Of the drawn sample.
        progress: Hears how far it is where copies have to be looked for, and what was
            found that is good to know.

    Returns:
        The data set; no picture has been decoded, except to keep copies out where
        pictures of lower agreement join.

    Raises:
        ConfigError: If `data.level` or `data.join_weight` is asked of a source that
            knows no agreement, `data.images` of one that is no list, or `data.group`
            of one that does not know it.
        DataError: If a source is missing, empty, has one class, or names missing
            files, or if the classes of two have other names.
    """
    if data.more_sources:
        each = [_for_one(data, one) for one in (data.source, *data.more_sources)]
        _refuse_unknown(data, each)
        return join_sources(_open_parts(data, each, seed, progress))
    dataset = _open_one(data, seed, progress)
    for note in dataset.notes:
        progress.say(note)
    return dataset


def _open_one(data: DataConfig, seed: int, progress: Progress) -> Dataset:
    """Open a single source."""
    path, is_tfds = Path(data.source), data.source.startswith("tfds:")
    if not (data.source == "smileys" or is_tfds or path.exists()):
        raise DataError(
            f"{data.source} does not exist; give a folder with one subfolder per "
            f"class, a list, tfds:NAME or smileys."
        )
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise DataError(f"{why_no_file(path)}; give a folder, a list or a table.")
    if (table := path / RATINGS).is_file() and (data.target or data.threshold):
        path, data = table, replace(data, source=str(table))
    _refuse_idle(data)
    if data.source == "smileys":
        return _open_smileys(seed)
    if is_tfds:
        from pixsent_tf.data import tfds

        name = data.source.removeprefix("tfds:")
        return tfds.open_tfds(name, group=data.group, renamed=data.renamed_labels)
    if path.is_file():
        refuse_single(path)
        images = Path(data.images) if data.images else path.parent
        reading = Reading(
            data.group, data.chosen_columns, data.renamed_labels, data.skip_unlabelled
        )
        return open_list(path, images, reading, asked=data, progress=progress)
    if layout.is_deepsent(path):
        return layout.open_deepsent(
            path,
            data.level or "five_agrees",
            join_weight=data.join_weight,
            group=data.group,
            progress=progress,
        )
    return open_folder(path, group=data.group, renamed=data.renamed_labels)


def holds_ratings(data: DataConfig) -> bool:
    """Tell whether a source is a table of ratings, or a folder with one.

    Args:
        data: Names the source.

    Returns:
        True if its pictures have a valence and no label.
    """
    path = Path(data.source)
    if path.is_dir():
        path = path / RATINGS
    return path.is_file() and is_rated(read_columns(path))


def open_recorded(data: DataConfig, *, seed: int) -> Dataset:
    """Open the source that a run's recipe names, which somebody else may have written.

    It leads to folders and lists only, and nothing that a file holds is in a message.

    Args:
        data: The recipe's.
        seed: The recipe's.

    Returns:
        The data set.

    Raises:
        PixsentError: As `open_dataset`, and if the source is a file of another kind.
    """
    sources = (data.source, *data.more_sources)
    files = [
        name for name in sources if os.path.exists(name) and not os.path.isdir(name)
    ]
    for name in files:
        if Path(name).suffix.lower() not in LIST_SUFFIXES:
            raise DataError(
                f"The recipe names {shown(name)}, which is no list of pictures; name "
                f"the pictures yourself."
            )
    try:
        return open_dataset(data, seed=seed)
    except PixsentError:
        if not files:
            raise
        raise DataError(
            f"The recipe names {shown(files[0])}, which cannot be read as a list of "
            f"pictures; name the pictures yourself."
        ) from None


def _open_parts(
    data: DataConfig, each: Sequence[DataConfig], seed: int, progress: Progress
) -> list[Dataset]:
    """Open several sources; a label that is to mean a class is in one at least."""
    opened, unknown = [], set(data.renamed_labels)
    for one in each:
        missing: set[str] = set()
        try:
            dataset = open_dataset(one, seed=seed, progress=progress)
        except UnknownLabelError as error:
            missing = set(error.labels)
            known = [
                f"{name}={label}"
                for label, name in one.renamed_labels.items()
                if label not in missing
            ]
            without = replace(one, classes=tuple(known))
            dataset = open_dataset(without, seed=seed, progress=progress)
        unknown &= missing if one.classes else unknown
        opened.append(dataset)
    if unknown:
        raise UnknownLabelError(
            f"None of {', '.join(one.source for one in each)} has the label "
            f"{min(unknown)!r}, which --classes names.",
            sorted(unknown),
        )
    return opened


def _for_one(data: DataConfig, source: str) -> DataConfig:
    """Keep of several sources' settings those that one of them knows."""
    path = Path(source)
    is_deepsent = path.is_dir() and layout.is_deepsent(path)
    is_list, group = path.is_file(), data.group
    if group is not None:
        owners = {"user": is_deepsent, "folder": path.is_dir() and not is_deepsent}
        is_known = owners.get(group, is_list or source.startswith("tfds:"))
        group = group if is_known else None
    return replace(
        data,
        source=source,
        more_sources=(),
        level=data.level if is_deepsent else None,
        images=data.images if is_list else None,
        columns=data.columns if is_list else (),
        classes=() if is_deepsent or source == "smileys" else data.classes,
        skip_unlabelled=data.skip_unlabelled and is_list,
        group=group,
        join_weight=data.join_weight if is_deepsent else 0.0,
    )


def _refuse_unknown(data: DataConfig, each: Sequence[DataConfig]) -> None:
    """Refuse a setting that none of several sources knows."""
    for name in ("level", "images", "group", "join_weight", "columns"):
        value = getattr(data, name)
        if value and all(getattr(one, name) != value for one in each):
            raise ConfigError(
                f"None of {', '.join(one.source for one in each)} knows data.{name}="
                f"{value!r}; leave it out."
            )


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


def _refuse_idle(data: DataConfig) -> None:
    """Refuse a setting that does nothing with the one source there is."""
    path = Path(data.source)
    if not path.is_file():
        refuse_ratings(data, f"{data.source} is no table")
    if data.images is not None and not path.is_file():
        raise ConfigError(
            f"data.images={data.images!r} does nothing with {data.source}; only the "
            f"names in a list or a table are relative to a folder."
        )
    is_deepsent = path.is_dir() and layout.is_deepsent(path)
    _refuse_reading(data, has_own_classes=is_deepsent or data.source == "smileys")
    if data.source == "smileys" and data.group is not None:
        raise ConfigError(
            f"smileys are drawn one by one; they have no group {data.group!r}."
        )
    if is_deepsent:
        return
    if data.level is not None:
        raise ConfigError(
            f"{data.source} has no level {data.level!r}; only a DeepSent folder has."
        )
    if data.join_weight:
        raise ConfigError(
            f"{data.source} knows no agreement; only a DeepSent folder has pictures of "
            f"lower agreement that can join the training."
        )


def _refuse_reading(data: DataConfig, *, has_own_classes: bool) -> None:
    """Refuse what says how to read a table or labels, where there are none."""
    is_file = Path(data.source).is_file()
    if data.classes and has_own_classes:
        raise ConfigError(
            f"--classes does nothing with {data.source}, whose classes are negative "
            f"and positive."
        )
    if data.columns and not is_file:
        raise ConfigError(
            f"--columns does nothing with {data.source}; only a table has columns."
        )
    if data.skip_unlabelled and not is_file:
        raise ConfigError(
            f"--skip-unlabelled does nothing with {data.source}; only lists and tables "
            f"have pictures without a label."
        )
