"""How does a model of ratings answer negative or positive?"""

from __future__ import annotations

import keras
import numpy as np

from pixsent_tf.config import CLASS_NAMES
from pixsent_tf.errors import ConfigError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models import zoo

VALENCE = "valence"  # the target that tells negative from positive


def at_threshold(model: SentimentModel, threshold: float) -> SentimentModel:
    """Make a model of ratings one of two classes.

    Its logits are as linear in the features as its ratings are, so that maps, exports
    and everything else of classes hold.

    Args:
        model: Answers with ratings.
        threshold: Rating of valence, or of the first target where there is none, from
            which a picture is positive.

    Returns:
        A model that answers negative or positive, with a probability from how far
        ratings are off.

    Raises:
        ConfigError: If this is no model of ratings, or the threshold is not on its
            scale.
    """
    rating = model.rating
    if rating is None:
        raise ConfigError(
            "--threshold divides ratings, and this model answers with classes; leave "
            "it out."
        )
    low, high = rating.scale
    if not low < threshold < high:
        raise ConfigError(
            f"--threshold {threshold:g} is not between {low:g} and {high:g}, the ends "
            f"of the scale."
        )
    target = rating.index_of(VALENCE)
    head = model.classifier.get_layer(zoo.HEAD)
    kernel, bias = head.get_weights()
    sides = np.array([-0.5, 0.5], dtype="float32")
    network = zoo.attach_head(keras.Model(model.classifier.input, head.input), 2)
    network.get_layer(zoo.HEAD).set_weights(
        [kernel[:, [target]] * sides, (bias[target] - threshold) * sides]
    )
    return SentimentModel.build(
        network,
        model.preprocessor.config,
        CLASS_NAMES,
        rating.temperature(target),
        recipe=model.recipe,
    )
