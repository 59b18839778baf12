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

import keras
import numpy as np

from pixsent_tf import config, runs
from pixsent_tf.errors import ConfigError
from pixsent_tf.inference.light import NAMES, QUICK, folder_of
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.thresholds import at_threshold
from pixsent_tf.models import zoo
from pixsent_tf.models.gate import attach_gate
from pixsent_tf.models.output import RatingOutput

RATINGS = "ratings.npz"  # the second head, beside the first


def load_model(
    path: str | os.PathLike[str] | None = None, *, threshold: float | None = None
) -> SentimentModel:
    """Load a model that answers with classes, by default the quick one that ships.

    Args:
        path: One of `NAMES`, a run folder, the `.keras` file of one, or None. A folder
            of such a name is meant by `./shipped`.
        threshold: Rating from which a model of ratings answers positive; None for a
            model of classes.

    Returns:
        The model.

    Raises:
        PixsentError: If there is no such model, or it answers with ratings and no
            threshold is given.
    """
    model = load_any_model(path)
    if threshold is not None:
        return at_threshold(model, threshold)
    model.refuse_ratings()
    return model


def load_any_model(path: str | os.PathLike[str] | None = None) -> SentimentModel:
    """Load a model that answers with classes or with ratings.

    Args:
        path: As `load_model` takes it.

    Returns:
        The model.

    Raises:
        PixsentError: If there is no such model.
    """
    name = QUICK if path is None else os.fspath(path)
    return load_head(folder_of(name)) if name in NAMES else SentimentModel.load(name)


def comes_with_ratings(name: str | None) -> bool:
    """Tell whether a model has a second head.

    Args:
        name: As `load_model` takes it.

    Returns:
        True for a model that ships with one.
    """
    known = name or QUICK
    return known in NAMES and (folder_of(known) / RATINGS).is_file()


def load_ratings(name: str | None, model: SentimentModel) -> SentimentModel:
    """Load the second head of a model that ships: valence and arousal.

    Args:
        name: One of `NAMES`, or None for the quick one.
        model: What `load_model` gave for that name; its backbone is shared.

    Returns:
        A model of ratings on the same features.

    Raises:
        ConfigError: If this is another model, or comes without ratings.
    """
    if not comes_with_ratings(name):
        raise ConfigError(
            f"--ratings is what {' and '.join(map(repr, NAMES))} say beside their "
            f"answer; {name} says classes or ratings, as it was trained to."
        )
    with np.load(folder_of(name or QUICK) / RATINGS) as saved:
        output = RatingOutput(
            saved["targets"].tolist(), saved["scale"].tolist(), saved["half_widths"]
        )
        weights = [saved["kernel"].astype("float32"), saved["bias"]]
    features = model.classifier.get_layer(zoo.HEAD).input
    trunk = keras.Model(model.classifier.input, features)
    network = zoo.attach_head(trunk, len(output.targets))
    network.get_layer(zoo.HEAD).set_weights(weights)
    return SentimentModel.wrap(network, model.preprocessor.config, output)


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
