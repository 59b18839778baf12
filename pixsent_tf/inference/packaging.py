"""How does a classifier become the one model that is saved and served?

uint8 pixels [B, H, W, 3] of any size
  -> to_crop      the preprocessor's geometry
  -> classifier   backbone and head
  -> probs        temperature, softmax, names of the classes
"""

from __future__ import annotations

from collections.abc import Sequence

import keras

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.preprocess import ToCrop
from pixsent_tf.models.output import SentimentOutput


def package(
    classifier: keras.Model,
    preprocess: PreprocessConfig,
    class_names: Sequence[str],
    temperature: float = 1.0,
    held_out: Sequence[tuple[float, bool]] = (),
) -> keras.Model:
    """Wrap a classifier into the model that is saved.

    Args:
        classifier: Flat model from crops to logits, [B, K].
        preprocess: The geometry that it was trained with.
        class_names: Names by class index.
        temperature: Divisor of the logits.
        held_out: See `SentimentOutput`.

    Returns:
        Model from `images`, uint8 [B, H, W, 3], to probabilities, float32 [B, K].
    """
    images = keras.Input((None, None, 3), dtype="uint8", name="images")
    crops = ToCrop.build_from(preprocess)(images)
    classifier.trainable = False
    logits = classifier(crops, training=False)
    probs = SentimentOutput(class_names, temperature, held_out)(logits)
    return keras.Model(images, probs, name="sentiment")
