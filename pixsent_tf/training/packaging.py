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
from pixsent_tf.models.zoo import HEAD, attach_head
from pixsent_tf.training.frozen import LinearHead


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


def classifier_from_head(backbone: keras.Model, head: LinearHead) -> keras.Model:
    """Put a head that was trained on features onto its backbone.

    Args:
        backbone: The backbone that gave the features.
        head: What `frozen.fit_head` found.

    Returns:
        Flat model from crops to logits, [B, K].
    """
    classifier = attach_head(backbone, num_classes=len(head.bias))
    classifier.get_layer(HEAD).set_weights([head.kernel, head.bias])
    return classifier
