"""Which model answers right after the installation? A head on a frozen backbone.

The package carries the head, its calibration and its card; the backbone's weights come
with the package that the default backbone needs anyway.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np

from pixsent_tf import config, runs
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models import zoo

FOLDER = Path(__file__).parents[1] / "shipped"


def load_model(path: str | os.PathLike[str] | None = None) -> SentimentModel:
    """Load a trained model, by default the one that ships.

    Args:
        path: A run folder, the `.keras` file of one, or None.

    Returns:
        The model.

    Raises:
        PixsentError: If there is no such model.
    """
    return _load_shipped() if path is None else SentimentModel.load(path)


def model_file() -> Path:
    """Give the model that ships as a file, for those who pass models on by name.

    Returns:
        A `.keras` file in the cache, which is written once.
    """
    digest = hashlib.sha256()
    for name in ("recipe.json", "head.npz"):
        digest.update((FOLDER / name).read_bytes())
    path = runs.cache_folder("shipped", digest.hexdigest()[:16]) / "model.keras"
    if not path.is_file():
        _load_shipped().save(path)
    return path


def _load_shipped() -> SentimentModel:
    recipe = config.from_json((FOLDER / "recipe.json").read_text("utf-8"))
    with np.load(FOLDER / "head.npz") as saved:
        kernel, bias = saved["kernel"], saved["bias"]
        held_out = list(zip(saved["sureness"], saved["is_right"], strict=True))
        temperature = float(saved["temperature"])
        class_names = saved["class_names"].tolist()
    classifier = zoo.attach_head(zoo.build_backbone(recipe.model), len(class_names))
    classifier.get_layer(zoo.HEAD).set_weights([kernel, bias])
    geometry = zoo.preprocess_of(recipe.model)
    return SentimentModel.build(
        classifier, geometry, class_names, temperature, held_out, recipe
    )
