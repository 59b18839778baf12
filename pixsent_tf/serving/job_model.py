"""With which SavedModel is a job scored, and is it the same as yesterday's?"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pixsent_tf.errors import UsageError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.thresholds import at_threshold
from pixsent_tf.serving.saved_model import export_saved_model, latest_version


def fingerprint(model: str) -> str:
    """Tell models apart by content.

    Args:
        model: A run folder, a `.keras` file, or an exported model's folder; anything
            else, such as `gs://bucket/models/sentiment/1`, goes by its name.

    Returns:
        A short text.
    """
    path = Path(model)
    if path.is_file():
        files = [path]
    elif (path / "model.keras").is_file():
        files = [path / "model.keras"]
    elif path.is_dir():
        folder = latest_version(path)
        files = [folder / "saved_model.pb", *sorted(folder.glob("variables/*"))]
    else:
        return model
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def to_saved_model(model: str, scratch: str, *, threshold: float | None = None) -> str:
    """Find the SavedModel of a model, or export it.

    Args:
        model: As `fingerprint` takes it.
        scratch: Where an export goes; one that is there is used.
        threshold: Rating from which a model of ratings answers positive.

    Returns:
        A version's folder.

    Raises:
        ExportError: If a folder holds no export.
        RunError: If the folder is no run.
        UsageError: If workers elsewhere could not read an export from here, or an
            export that is there is to have a threshold.
        WeightsError: If there is no such model.
    """
    path = Path(model)
    is_export = path.is_dir() and not (path / "recipe.json").is_file()
    if threshold is not None and ("://" in model or is_export):
        raise UsageError(
            f"{model} is an export, and --threshold makes another model; make it with "
            f"`pixsent-tf export --threshold`."
        )
    if "://" in model:
        return model
    if is_export:
        return str(latest_version(path))
    if "://" in scratch:
        raise UsageError(
            f"Workers cannot read {model}; export it with `pixsent-tf export`, copy it "
            f"beside {scratch}, and name that folder with --model."
        )
    exported = Path(scratch, "model")
    if not (exported / "1").is_dir():
        loaded = SentimentModel.load(model)
        if threshold is not None:
            loaded = at_threshold(loaded, threshold)
        export_saved_model(loaded, exported)
    return str(exported / "1")
