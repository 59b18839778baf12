"""How does a model become a folder that TF Serving loads?

    NAME/1/saved_model.pb     the graph: files in, probabilities out
           variables/         the weights
           assets/            class_names.txt or targets.txt, preprocess.json,
                              recipe.json

The folder appears whole: a server that watches NAME never sees half of a version.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from pathlib import Path

import tensorflow as tf

from pixsent_tf import config
from pixsent_tf.errors import ExportError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.serving.graph import check_portable
from pixsent_tf.serving.signature import build_signatures
from pixsent_tf.whole import whole

CLASS_NAMES, TARGETS = "class_names.txt", "targets.txt"


def export_saved_model(
    model: SentimentModel,
    folder: str | os.PathLike[str],
    version: int = 1,
    *,
    second: SentimentModel | None = None,
) -> Path:
    """Write a SavedModel that needs neither Python nor this package.

    Args:
        model: What to export.
        folder: The model's folder, which holds its versions.
        version: Positive; servers take the highest.
        second: A model of ratings on the same features, whose outputs come along.

    Returns:
        The version's folder.

    Raises:
        ExportError: If the version exists, or a model server could not run the model.
    """
    target = Path(folder) / str(version)
    if version < 1 or target.exists():
        raise ExportError(
            f"{target} exists already or is no version; the next free one is "
            f"{next_version(folder)}."
        )
    with whole(target) as temporary:  # servers look at folders that are numbers
        _write(model, second, temporary)
        check_portable(temporary)
    return target


def next_version(folder: str | os.PathLike[str]) -> int:
    """Name the version that follows those there are.

    Args:
        folder: The model's folder; it need not exist.

    Returns:
        A positive number.
    """
    folder = Path(folder)
    entries = folder.iterdir() if folder.is_dir() else []
    numbers = [int(entry.name) for entry in entries if entry.name.isdecimal()]
    return max(numbers, default=0) + 1


def latest_version(folder: str | os.PathLike[str]) -> Path:
    """Find the SavedModel in a folder, as a server does.

    Args:
        folder: A model's folder, or one of its versions.

    Returns:
        The SavedModel's folder.

    Raises:
        ExportError: If there is none.
    """
    folder = Path(folder)
    if (folder / "saved_model.pb").is_file():
        return folder
    newest = folder / str(next_version(folder) - 1)
    if not (newest / "saved_model.pb").is_file():
        raise ExportError(
            f"{folder} holds no SavedModel; make one with `pixsent-tf export`."
        )
    return newest


def _write(model: SentimentModel, second: SentimentModel | None, folder: Path) -> None:
    """Save functions, weights and assets, and nothing of Keras."""
    with tempfile.TemporaryDirectory() as scratch:
        module = tf.Module()
        networks = [one.model for one in (model, second) if one is not None]
        module.weights = [one.value for net in networks for one in net.variables]
        module.assets = [
            tf.saved_model.Asset(path) for path in write_assets(model, Path(scratch))
        ]
        tf.saved_model.save(module, folder, signatures=build_signatures(model, second))


def write_assets(model: SentimentModel, folder: Path) -> list[str]:
    """Write what a reader of an export wants to know.

    Args:
        model: The model.
        folder: Where to.

    Returns:
        The files: class names, or targets of ratings, by line, the geometry, and the
        recipe where known.
    """
    geometry = dataclasses.asdict(model.preprocessor.config)
    rating = model.rating
    names = model.class_names if rating is None else rating.targets
    file = CLASS_NAMES if rating is None else TARGETS
    texts = {
        file: "".join(f"{name}\n" for name in names),
        "preprocess.json": json.dumps(geometry, indent=2) + "\n",
    }
    if model.recipe is not None:
        texts["recipe.json"] = config.to_json(model.recipe)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [str(folder / name) for name in texts]
