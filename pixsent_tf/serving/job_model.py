"""With which SavedModel is a job scored, and is it the same as yesterday's?"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pixsent_tf.errors import UsageError
from pixsent_tf.inference.model import SentimentModel
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


def to_saved_model(model: str, scratch: str) -> str:
    """Find the SavedModel of a model, or export it.

    Args:
        model: As `fingerprint` takes it.
        scratch: Where an export goes; one that is there is used.

    Returns:
        A version's folder.

    Raises:
        ExportError: If a folder holds no export.
        RunError: If the folder is no run.
        UsageError: If workers elsewhere could not read an export from here.
        WeightsError: If there is no such model.
    """
    path = Path(model)
    if "://" in model:
        return model
    if path.is_dir() and not (path / "recipe.json").is_file():
        return str(latest_version(path))
    if "://" in scratch:
        raise UsageError(
            f"Workers cannot read {model}; export it with `pixsent-tf export`, copy it "
            f"beside {scratch}, and name that folder with --model."
        )
    exported = Path(scratch, "model")
    if not (exported / "1").is_dir():
        loaded = SentimentModel.load(model)
        loaded.refuse_ratings()
        export_saved_model(loaded, exported)
    return str(exported / "1")
