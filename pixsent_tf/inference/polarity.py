"""Which emotions are positive, and which negative?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from pixsent_tf.config import CLASS_NAMES
from pixsent_tf.errors import ConfigError, DataError
from pixsent_tf.inference.predictions import Predictions
from pixsent_tf.texts import read_table

NEGATIVE, POSITIVE = CLASS_NAMES
KNOWN: dict[str, dict[str, str]] = {
    # Mikels et al., "Emotional category data on images from the International
    # Affective Picture System", Behavior Research Methods 37 (2005)
    "mikels8": {
        **dict.fromkeys(("amusement", "awe", "contentment", "excitement"), POSITIVE),
        **dict.fromkeys(("anger", "disgust", "fear", "sadness"), NEGATIVE),
    },
    # Ekman, "An argument for basic emotions", Cognition and Emotion 6 (1992); surprise
    # is neither
    "ekman6": {
        **dict.fromkeys(("joy", "happiness"), POSITIVE),
        **dict.fromkeys(("anger", "disgust", "fear", "sadness"), NEGATIVE),
    },
}


def read_polarity(name: str) -> Mapping[str, str]:
    """Read which classes are positive and which negative.

    Args:
        name: One of `KNOWN`, or a CSV file with the columns `class` and `polarity`,
            which is negative, positive or empty for neither.

    Returns:
        The pole of classes by their names in small letters.

    Raises:
        ConfigError: If it is neither.
        DataError: If the file cannot be read, or names another pole.
    """
    if name in KNOWN:
        return KNOWN[name]
    if not Path(name).is_file():
        raise ConfigError(
            f"--polarity {name} is neither {' nor '.join(KNOWN)}, nor a CSV file with "
            f"the columns class and polarity."
        )
    columns, rows = read_table(Path(name))
    if not {"class", "polarity"} <= set(columns):
        raise DataError(
            f"{name} has the columns {', '.join(columns)}; it needs class and polarity."
        )
    found = {}
    for row in rows:
        pole = row["polarity"].strip().lower()
        if pole not in (*CLASS_NAMES, ""):
            raise DataError(
                f"{name} gives {row['class']!r} the polarity {row['polarity']!r}; it "
                f"is negative, positive or empty."
            )
        if pole:
            found[row["class"].strip().lower()] = pole
    return found


def roll_up(said: Predictions, polarity: Mapping[str, str]) -> Predictions:
    """Add up the probabilities of each pole.

    Args:
        said: What a model said in several classes, and their labels.
        polarity: The pole of classes by their names in small letters; others are
            neither.

    Returns:
        The same in two classes, of the pictures whose label has a pole. Probabilities
        are those of one pole, given that it is one of both.

    Raises:
        DataError: If the classes, or the labels, are not of both poles.
    """
    poles = [polarity.get(name.lower(), "") for name in said.class_names]
    is_of = np.array([[pole == one for one in CLASS_NAMES] for pole in poles])  # [K, 2]
    if said.labels is None or not is_of.any(axis=0).all():
        raise DataError(
            f"The classes {', '.join(said.class_names)} are not of both poles; give a "
            f"table with the columns class and polarity."
        )
    kept = np.flatnonzero(is_of[said.labels].any(axis=1))
    labels = is_of[said.labels[kept]].argmax(axis=1)
    if len(np.unique(labels)) < 2:
        raise DataError("The labels are all of one pole; there is nothing to tell.")
    probs = said.probs[kept] @ is_of.astype("float64")
    return replace(
        said,
        ids=tuple(said.ids[i] for i in kept),
        probs=probs / probs.sum(axis=1, keepdims=True).clip(1e-12),
        class_names=CLASS_NAMES,
        labels=labels,
        folds=None if said.folds is None else said.folds[kept],
    )
