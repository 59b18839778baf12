"""How do logits become the answer that people read? Classes, or ratings.

Which of the two a model answers with is the kind of its last layer, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from pixsent_tf.config.scales import Scale, logistic_scale


@keras.saving.register_keras_serializable(package="pixsent_tf")
class SentimentOutput(keras.layers.Layer):
    """Turn logits into calibrated probabilities; carry the names of the classes.

    Takes float [B, K]; gives float32 [B, K], rows sum to one.

    Args:
        class_names: Names by class index.
        temperature: Positive divisor of the logits; above 1 for a model that is
            surer than it is right.
        held_out: How sure the model was of pictures that did not train it, and whether
            it was right: what a threshold for `unsure` is chosen on. May be empty.
        kwargs: What every Keras layer takes.

    Reference:
        Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
    """

    def __init__(
        self,
        class_names: Sequence[str],
        temperature: float = 1.0,
        held_out: Sequence[tuple[float, bool]] = (),
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("name", "probs")
        kwargs["dtype"] = "float32"
        super().__init__(**kwargs)
        self.class_names = tuple(class_names)
        self.temperature = float(temperature)
        self.held_out = tuple((float(sure), bool(right)) for sure, right in held_out)

    def call(self, logits: Any) -> Any:
        """Divide by the temperature and normalize.

        Args:
            logits: float, [B, K].

        Returns:
            Probabilities, float32 [B, K].
        """
        return ops.softmax(ops.cast(logits, "float32") / self.temperature, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Give what `from_config` needs.

        Returns:
            The layer's configuration.
        """
        return {
            **super().get_config(),
            "class_names": list(self.class_names),
            "temperature": self.temperature,
            "held_out": [list(row) for row in self.held_out],
        }


@keras.saving.register_keras_serializable(package="pixsent_tf")
class RatingOutput(keras.layers.Layer):
    """Keep ratings on their scale; carry their names, and how far they may be off.

    Takes float [B, T]; gives float32 [B, T].

    Args:
        targets: Names of the ratings, such as "valence", [T].
        scale: The lowest and the highest rating there can be.
        half_widths: How far around each answer an interval reaches that holds nine of
            ten ratings, [T].
        kwargs: What every Keras layer takes.
    """

    def __init__(
        self,
        targets: Sequence[str],
        scale: Scale,
        half_widths: Sequence[float],
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("name", "ratings")
        kwargs["dtype"] = "float32"
        super().__init__(**kwargs)
        self.targets = tuple(targets)
        self.scale: Scale = (float(scale[0]), float(scale[1]))
        self.half_widths = tuple(map(float, half_widths))

    def call(self, ratings: Any) -> Any:
        """Move what is beyond the scale to its end.

        Args:
            ratings: float, [B, T].

        Returns:
            float32 [B, T].
        """
        return ops.clip(ops.cast(ratings, "float32"), *self.scale)

    def bounds(self, ratings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Say between what ratings nine of ten panels' means will be.

        Args:
            ratings: What the layer gave, float [..., T].

        Returns:
            Lower and upper ends, on the scale, float [..., T].
        """
        widths = np.array(self.half_widths, dtype="float32")
        return (
            np.clip(ratings - widths, *self.scale),
            np.clip(ratings + widths, *self.scale),
        )

    def index_of(self, target: str) -> int:
        """Find a target.

        Args:
            target: Its name.

        Returns:
            Its place; 0 where there is none of this name.
        """
        return self.targets.index(target) if target in self.targets else 0

    def temperature(self, target: int) -> float:
        """Say how much a rating means for the odds of being above a threshold.

        Args:
            target: Its place.

        Returns:
            Scale of the logistic distribution that has as much within the interval.
        """
        return logistic_scale(self.half_widths[target])

    def get_config(self) -> dict[str, Any]:
        """Give what `from_config` needs.

        Returns:
            The layer's configuration.
        """
        return {
            **super().get_config(),
            "targets": list(self.targets),
            "scale": list(self.scale),
            "half_widths": list(self.half_widths),
        }
