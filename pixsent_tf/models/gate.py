"""Does a picture show anything that a classifier could answer for?

    crops -> backbone -> features -> logits              -> logits times 0 or 1
                         features -> photograph score: above 0?

Where a picture is no photograph, all logits become zero and all classes exactly equally
probable, which reads as `unsure`. The rule is a part of the network, so that it holds
in every export and in each of ten crops; logits of photographs do not change at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from pixsent_tf.models.zoo import HEAD

SCORE = "photograph"


@keras.saving.register_keras_serializable(package="pixsent_tf")
class Gate(keras.layers.Layer):
    """Let logits through where a score is above zero; takes [B, K] and [B, 1]."""

    def call(self, inputs: Sequence[Any]) -> Any:
        """Multiply by 0 or 1.

        Args:
            inputs: Logits, float [B, K], and scores, float [B, 1].

        Returns:
            float [B, K].
        """
        logits, scores = inputs
        return logits * keras.ops.cast(scores > 0, logits.dtype)


def attach_gate(
    classifier: keras.Model, kernel: np.ndarray, bias: np.ndarray
) -> keras.Model:
    """Let a classifier answer for photographs only.

    Args:
        classifier: What `zoo.attach_head` made.
        kernel: Of the photograph score, float32 [F, 1].
        bias: Of it, float32 [1].

    Returns:
        Model from crops to logits, [B, K], which shares the layers of `classifier`.
    """
    score = keras.layers.Dense(1, dtype="float32", name=SCORE)
    scores = score(classifier.get_layer(HEAD).input)
    score.set_weights([kernel, bias])
    logits = Gate(name="gate")([classifier.output, scores])
    return keras.Model(classifier.input, logits, name=classifier.name)


def ungated(classifier: keras.Model) -> keras.Model:
    """Give a classifier that answers for anything.

    Args:
        classifier: Any, with a gate or without.

    Returns:
        Model from crops to logits, [B, K], without the gate; the same if it has none.
    """
    last = classifier.output._keras_history.operation
    if not isinstance(last, Gate):
        return classifier
    return keras.Model(classifier.input, last.input[0], name=classifier.name)


def gate_alike(classifier: keras.Model, model: keras.Model) -> keras.Model:
    """Put the gate of a model before another classifier on the same features.

    Args:
        classifier: Without a gate; its head reads the features of `model`.
        model: With a gate or without.

    Returns:
        The classifier with that gate; as it is if there is none.
    """
    last = model.output._keras_history.operation
    if not isinstance(last, Gate):
        return classifier
    return attach_gate(classifier, *model.get_layer(SCORE).get_weights())
