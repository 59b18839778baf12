"""What made-up models said."""

from __future__ import annotations

import numpy as np

from pixsent_tf.inference.predictions import Predictions


def make_predictions(name, positive, labels=None, ids=None, **more):
    positive = np.asarray(positive, dtype=float)
    settings = {
        "ids": tuple(ids or (f"{i}.jpg" for i in range(len(positive)))),
        "probs": np.stack([1 - positive, positive], axis=1),
        "class_names": ("negative", "positive"),
        "labels": None if labels is None else np.asarray(labels),
    }
    return Predictions(name=name, **(settings | more))
