"""Visual sentiment prediction with Keras: is this picture negative or positive?

The names below load on first use, so that importing the package costs nothing.

    fit, crossval           train on labelled pictures, honestly tested
    predict, Predictor      pictures, by the model that ships or by your own
    adapt                   a trained model to your pictures, by a few labels
    load                    a trained model, ready to predict files
    share                   shares of the classes, with intervals, from a few labels
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from pixsent_tf.version import VERSION as __version__

# Keras reads it once; see `models.backend`, which refuses what was loaded before.
if "keras" not in sys.modules:
    os.environ["KERAS_BACKEND"] = "tensorflow"

_PUBLIC = {
    "Recipe": "pixsent_tf.config",
    "override": "pixsent_tf.config",
    "PixsentError": "pixsent_tf.errors",
    "fit": "pixsent_tf.studies.api",
    "crossval": "pixsent_tf.studies.api",
    "adapt": "pixsent_tf.studies.api",
    "load": "pixsent_tf.studies.api",
    "predict": "pixsent_tf.studies.api",
    "Predictor": "pixsent_tf.inference.predictor",
    "share": "pixsent_tf.studies.shares.share",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(
            f"pixsent_tf has no {name!r}; it has {', '.join(__all__)}."
        )
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
