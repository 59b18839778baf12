"""Which models answer right after the installation? Heads on frozen backbones.

    shipped         quick: the default network
    shipped-best    better and slower: three networks

The package carries each head with its gate, its calibration and its card; the weights
of the backbones come with packages that this one needs anyway.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np

from pixsent_tf import config, runs
from pixsent_tf.inference.light import NAMES, QUICK, folder_of
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models import zoo
from pixsent_tf.models.gate import attach_gate


def load_model(path: str | os.PathLike[str] | None = None) -> SentimentModel:
    """Load a trained model, by default the quick one that ships.

    Args:
        path: One of `NAMES`, a run folder, the `.keras` file of one, or None. A folder
            of such a name is meant by `./shipped`.

    Returns:
        The model.

    Raises:
        PixsentError: If there is no such model.
    """
    name = QUICK if path is None else os.fspath(path)
    return load_head(folder_of(name)) if name in NAMES else SentimentModel.load(name)


def model_file(name: str = QUICK) -> Path:
    """Give a model that ships as a file, for those who pass models on by name.

    Args:
        name: One of `NAMES`.

    Returns:
        A `.keras` file in the cache, which is written once.
    """
    digest = hashlib.sha256()
    for file in ("recipe.json", "head.npz"):
        digest.update((folder_of(name) / file).read_bytes())
    path = runs.cache_folder("shipped", digest.hexdigest()[:16]) / "model.keras"
    if not path.is_file():
        load_head(folder_of(name)).save(path)
    return path


def load_head(folder: Path) -> SentimentModel:
    """Load a head that ships, and build its backbone.

    Args:
        folder: Where `recipe.json` and `head.npz` are.

    Returns:
        The model.

    Raises:
        WeightsError: If a package of weights is missing or another one.
    """
    recipe = config.from_json((folder / "recipe.json").read_text("utf-8"))
    with np.load(folder / "head.npz") as saved:
        kernel, bias = saved["kernel"], saved["bias"]
        gate = saved["gate_kernel"], saved["gate_bias"]
        held_out = list(zip(saved["sureness"], saved["is_right"], strict=True))
        temperature = float(saved["temperature"])
        class_names = saved["class_names"].tolist()
    classifier = zoo.attach_head(zoo.build_backbone(recipe.model), len(class_names))
    classifier.get_layer(zoo.HEAD).set_weights([kernel, bias])
    geometry = zoo.preprocess_of(recipe.model)
    return SentimentModel.build(
        attach_gate(classifier, *gate),
        geometry,
        class_names,
        temperature,
        held_out,
        recipe,
    )
