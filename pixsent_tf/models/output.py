"""How do logits become the answer that people read?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


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

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Give the shape of the probabilities.

        Args:
            input_shape: (B, K).

        Returns:
            (B, K).
        """
        return input_shape

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
