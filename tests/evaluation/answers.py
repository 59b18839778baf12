"""Answers of made-up models."""

from __future__ import annotations

import numpy as np

from pixsent_tf.inference.predictions import Answers


def make_answers(name, positive, labels=None, ids=None, **more):
    positive = np.asarray(positive, dtype=float)
    settings = {
        "ids": tuple(ids or (f"{i}.jpg" for i in range(len(positive)))),
        "probs": np.stack([1 - positive, positive], axis=1),
        "class_names": ("negative", "positive"),
        "labels": None if labels is None else np.asarray(labels),
        "folds": None,
        "has_probs": True,
        "failures": {},
    }
    return Answers(name=name, **(settings | more))
