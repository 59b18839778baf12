"""How does a set of TensorFlow Datasets become files? (`tfds:NAME[/CONFIG][:SPLIT]`)

Its encoded pictures are written into the cache once, bytes unchanged, so that every
verb reads them as it reads any folder.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pixsent_tf import runs
from pixsent_tf.data.class_names import name_classes
from pixsent_tf.data.decode.kinds import HEADER, sniff
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ConfigError, DataError, PixsentError
from pixsent_tf.whole import whole

_TABLE = "table.json"


def open_tfds(
    name: str,
    *,
    group: str | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    renamed: Mapping[str, str] | None = None,
) -> Dataset:
    """Open an image-classification set of TensorFlow Datasets.

    Args:
        name: `NAME`, `NAME/CONFIG` or `NAME/CONFIG:SPLIT`; the split is `train` by
            default, or the only one there is. `train+test` and `train[:10%]` are splits
            too.
        group: Feature, one number or text, that tells which pictures belong together;
            an empty text is a picture on its own. A feature `group` counts without
            being named.
        data_dir: Where prepared sets are; TensorFlow Datasets' own folder by default.
        renamed: Class by label, where the spelling does not tell.

    Returns:
        The data set. A feature `votes` of one number per class gives its votes, a
        feature `fold` its published folds.

    Raises:
        ConfigError: If there is no such feature for the groups, or no label of a name
            in `renamed`.
        DataError: If there is no such set or split, it cannot be prepared, or its
            examples are not one picture with one label.
    """
    name, _, split = name.partition(":")
    builder = _prepare(name, data_dir)
    split = split or _default_split(builder)
    keys = _feature_names(builder)
    folder = runs.cache_folder("tfds", *builder.info.full_name.split("/"), _safe(split))
    if not folder.is_dir():
        # Another process may be faster.
        with contextlib.suppress(FileExistsError), whole(folder) as temporary:
            _write(_read(builder, split, keys), temporary, keys)
    table = json.loads((folder / _TABLE).read_text("utf-8"))
    labels, votes = np.array(table["labels"]), _column(table["votes"])
    own = builder.info.features[keys["label"]].names
    naming = name_classes(own, f"tfds:{name}", renamed)
    places = [naming.class_names.index(naming.by_label[label]) for label in own]
    dataset = Dataset(
        name=_safe(name),
        ids=tuple(table["ids"]),
        paths=tuple(str(folder / file) for file in table["files"]),
        labels=np.array(places, dtype="int32")[labels],
        class_names=naming.class_names,
        folds=_column(table["fold"]),
        votes=None if votes is None else _moved(votes, places),
        notes=naming.notes,
    )
    feature = _group_feature(builder, group, keys)
    if feature is None:
        return dataset
    return dataset.grouped(_read_groups(builder, split, feature, folder))


def _group_feature(
    builder: Any, group: str | None, keys: Mapping[str, str | None]
) -> str | None:
    """Find the feature that tells the groups; None where none was asked for."""
    features = dict(builder.info.features)
    known = [
        key
        for key, value in features.items()
        if getattr(value, "shape", None) == () and key != keys["label"]
    ]
    if group is None:
        return "group" if "group" in known else None
    if group not in known:
        raise ConfigError(
            f"tfds:{builder.info.full_name} has no feature {group!r} for the groups; "
            f"of one number or text it has {', '.join(known) or 'none'}."
        )
    return group


def _read_groups(builder: Any, split: str, feature: str, folder: Path) -> list[str]:
    """Give each picture's group, from the cache if it was read before."""
    path = folder / f"group-{_safe(feature)}.json"
    if not path.is_file():
        examples = _read(builder, split, {"group": feature})
        values = [example[feature] for example in examples]
        names = [v.decode() if isinstance(v, bytes) else str(v) for v in values]
        runs.write_text(path, json.dumps(names))
    return json.loads(path.read_text("utf-8"))


def _prepare(name: str, data_dir: str | os.PathLike[str] | None) -> Any:
    """Find a builder, ours among them, and have it download what it needs."""
    import tensorflow_datasets as tfds

    import pixsent_tf.data.deepsent  # noqa: F401  registers our builder

    try:
        with _quiet():
            builder = tfds.builder(name, data_dir=data_dir)
            builder.download_and_prepare()
    except PixsentError:
        raise
    except tfds.core.DatasetNotFoundError:
        raise DataError(
            f"TensorFlow Datasets has no {name!r}; `tfds.list_builders()` lists its "
            f"sets."
        ) from None
    except Exception as error:  # builders raise every type
        cause = _our_error(error)
        if cause is not None:
            raise cause from error
        text = " ".join(str(error).split())
        raise DataError(f"tfds:{name} cannot be prepared: {text:.300}") from error
    return builder


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what TensorFlow Datasets says off standard output, which is for answers.

    Its warnings are about itself and tell a user nothing.
    """
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        logger.setLevel(level)


def _our_error(error: BaseException | None) -> PixsentError | None:
    """Find an error of ours that TensorFlow Datasets wrapped in its own."""
    while error is not None and not isinstance(error, PixsentError):
        error = error.__cause__ or error.__context__
    return error


def _default_split(builder: Any) -> str:
    splits = list(builder.info.splits)
    return "train" if "train" in splits or len(splits) != 1 else splits[0]


def _feature_names(builder: Any) -> dict[str, str | None]:
    """Find which features hold what."""
    import tensorflow_datasets as tfds

    features = dict(builder.info.features or {})

    def only(kind: type, wanted: str) -> str:
        found = [key for key, value in features.items() if isinstance(value, kind)]
        if wanted in found:
            return wanted
        if len(found) != 1:
            raise DataError(
                f"tfds:{builder.info.full_name} has {len(found)} features of the kind "
                f"{kind.__name__}; one picture with one label is needed."
            )
        return found[0]

    image = only(tfds.features.Image, "image")
    label = only(tfds.features.ClassLabel, "label")
    votes = features.get("votes")
    has_votes = tuple(getattr(votes, "shape", ())) == (features[label].num_classes,)
    is_scalar = "fold" in features and features["fold"].shape == ()
    return {
        "image": image,
        "label": label,
        "id": next((key for key in ("id", "file_name") if key in features), None),
        "votes": "votes" if has_votes else None,
        "fold": "fold" if is_scalar else None,
    }


def _read(builder: Any, split: str, keys: Mapping[str, str | None]) -> Iterable[Any]:
    """Read the examples in a fixed order, pictures still encoded."""
    import tensorflow_datasets as tfds

    wanted = {key: True for key in keys.values() if key}
    image = keys.get("image")
    skipped = {image: tfds.decode.SkipDecoding()} if image else None
    decoding = tfds.decode.PartialDecoding(wanted, decoders=skipped)
    try:
        with _quiet():
            examples = builder.as_dataset(
                split=split, shuffle_files=False, decoders=decoding
            )
    except ValueError as error:
        raise DataError(
            f"tfds:{builder.info.full_name} has no split {split!r}; it has "
            f"{', '.join(builder.info.splits)}."
        ) from error
    return examples.as_numpy_iterator()


def _write(examples: Iterable[Any], folder: Path, keys: dict[str, str | None]) -> None:
    """Write the pictures and a table of them."""
    folder.mkdir()
    names = ("ids", "files", "labels", "votes", "fold")
    table: dict[str, list[Any]] = {name: [] for name in names}
    for number, example in enumerate(examples):
        encoded = example[keys["image"]]
        file = f"{number:07}.{sniff(encoded[:HEADER])}"
        (folder / file).write_bytes(encoded)
        table["files"].append(file)
        table["labels"].append(int(example[keys["label"]]))
        own = example[keys["id"]] if keys["id"] else file
        table["ids"].append(own.decode() if isinstance(own, bytes) else str(own))
        for column in ("votes", "fold"):
            if keys[column]:
                table[column].append(np.asarray(example[keys[column]]).tolist())
    if len(set(table["ids"])) < len(table["ids"]):
        table["ids"] = table["files"]
    (folder / _TABLE).write_text(json.dumps(table), "utf-8")


def _column(values: list[Any]) -> np.ndarray | None:
    """Read a column of whole numbers; None where it is empty or says nothing."""
    column = np.array(values, dtype="int32")
    return column if column.any() else None


def _moved(votes: np.ndarray, places: Sequence[int]) -> np.ndarray:
    """Votes by the classes that labels are read as, int32 [N, K]."""
    moved = np.zeros((len(votes), max(places) + 1), dtype="int32")
    for label, place in enumerate(places):
        moved[:, place] += votes[:, label]
    return moved


def _safe(name: str) -> str:
    """Make a name that a file can have."""
    return "".join(sign if sign.isalnum() or sign in "._-" else "-" for sign in name)
