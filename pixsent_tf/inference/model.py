"""What does a saved model say about these pictures?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from pixsent_tf.data.crops import CENTER, NUM_CROPS
from pixsent_tf.data.pipeline import CanvasStream
from pixsent_tf.data.preprocess import Preprocessor, ToCrop
from pixsent_tf.errors import ConfigError, ImageError, WeightsError
from pixsent_tf.evaluation.calibration import UNSURE, Abstention, abstention_of
from pixsent_tf.models.output import SentimentOutput
from pixsent_tf.runs import Run


@dataclass(frozen=True)
class Prediction:
    """The answer for one file.

    Attributes:
        path: The file.
        probs: Probability of each class, float32 [K]; None if it cannot be read.
        error: Why it cannot be read; None if it can.
        center_probs: What the center crop alone says, float32 [K], where `probs` is the
            mean over ten crops; None otherwise.
        class_names: Names by class index.
        threshold: Probability below which the answer is `unsure`.
    """

    path: str
    probs: np.ndarray | None
    error: ImageError | None = None
    center_probs: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    threshold: float = 0.0

    @property
    def label(self) -> str | None:
        """The most probable class, or `unsure`; None if the file cannot be read."""
        if self.probs is None:
            return None
        best = int(self.probs.argmax())
        return self.class_names[best] if self.probs[best] >= self.threshold else UNSURE

    @property
    def prob_positive(self) -> float | None:
        """Probability of the class `positive`; None if there is none."""
        if self.probs is None or "positive" not in self.class_names:
            return None
        return float(self.probs[self.class_names.index("positive")])


class Predictor:
    """A saved model, ready for pictures.

    Args:
        model: What `inference.packaging.package` made.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        layers = model.layers
        (to_crop,) = (layer for layer in layers if isinstance(layer, ToCrop))
        (output,) = (layer for layer in layers if isinstance(layer, SentimentOutput))
        self.preprocessor: Preprocessor = to_crop.preprocessor
        self.class_names: tuple[str, ...] = output.class_names
        self.output: SentimentOutput = output
        self.threshold = 0.0
        self.classifier: keras.Model = model.get_layer("classifier")
        self._graphs: dict[bool, Callable[[tf.Tensor], tf.Tensor]] = {}

    @classmethod
    def load(cls, path: str | Path) -> Predictor:
        """Load a run's model.

        Args:
            path: A run folder, or a `.keras` file that a run wrote.

        Returns:
            The predictor.

        Raises:
            RunError: If the folder is no run.
            WeightsError: If the file is missing or holds no sentiment model.
        """
        path = Path(path)
        if path.is_dir():
            path = Run.open(path).model_path
        if not path.is_file():
            raise WeightsError(f"{path} does not exist; give a run folder or a .keras.")
        try:
            return cls(keras.saving.load_model(path, compile=False))
        except (ValueError, TypeError, OSError, KeyError) as error:
            what = str(error).splitlines()[0]
            raise WeightsError(f"{path} is no model of this package: {what}") from error

    def abstain_at(self, precision: float) -> Abstention:
        """Answer `unsure` from now on where answers would be right too seldom.

        Args:
            precision: Share of the answers that are to be right, 0…1. The threshold is
                chosen on training pictures that the inner models had not seen.

        Returns:
            The threshold, and what it reached on those pictures.

        Raises:
            ConfigError: If `precision` is out of range, or the model knows no pictures
                that did not train it.
        """
        if not self.output.held_out:
            raise ConfigError(
                "This model was trained without inner predictions, which `unsure` is "
                "chosen on; train it with --strategy head."
            )
        sureness, is_right = zip(*self.output.held_out, strict=True)
        chosen = abstention_of(
            sureness=np.array(sureness),
            is_right=np.array(is_right),
            precision=precision,
        )
        self.threshold = chosen.threshold
        return chosen

    def predict(
        self,
        paths: Sequence[str],
        *,
        ten_crop: bool = False,
        batch_size: int = 32,
        advance: Callable[[int], object] = lambda count: None,
    ) -> Iterator[Prediction]:
        """Predict files one after the other, with flat memory.

        Args:
            paths: The files.
            ten_crop: Average the ten crops instead of taking the center. The center
                is one of them, so its own answer comes with the mean at no cost.
            batch_size: Center crops a step; ten times fewer pictures when oversampling.
            advance: Called with the number of pictures done since the last call.

        Yields:
            One prediction per path, in order.
        """
        score = self._graph(ten_crop)
        if ten_crop:
            batch_size = max(1, batch_size // NUM_CROPS)
        stream = CanvasStream(paths, self.preprocessor, batch_size)
        position = 0
        for positions, canvases in stream:
            views = score(canvases).numpy()  # [B, views, K]
            for found, row in zip(positions, views, strict=True):
                yield from self._failed(stream, range(position, found), advance)
                yield Prediction(
                    str(paths[found]),
                    row.mean(axis=0),
                    center_probs=row[CENTER] if ten_crop else None,
                    class_names=self.class_names,
                    threshold=self.threshold,
                )
                position = int(found) + 1
            advance(len(positions))
        yield from self._failed(stream, range(position, len(paths)), advance)

    def _failed(
        self, stream: CanvasStream, positions: range, advance: Callable[[int], object]
    ) -> Iterator[Prediction]:
        for position in positions:
            path = str(stream.paths[position])
            yield Prediction(path, None, stream.failures[position])
            advance(1)

    def _graph(self, ten_crop: bool) -> Callable[[tf.Tensor], tf.Tensor]:
        """Trace the scoring of canvases, once for any number of them."""
        if ten_crop not in self._graphs:
            score = self._score_ten_crop if ten_crop else self._score_center
            side = self.preprocessor.config.canvas_size
            canvases = tf.TensorSpec([None, side, side, 3], tf.uint8)
            traced = tf.function(score, input_signature=[canvases])
            self._graphs[ten_crop] = traced.get_concrete_function()
        return self._graphs[ten_crop]

    def _score_center(self, canvases: tf.Tensor) -> tf.Tensor:
        return self.model(canvases, training=False)[:, None]  # [B, K] -> [B, 1, K]

    def _score_ten_crop(self, canvases: tf.Tensor) -> tf.Tensor:
        crops = self.preprocessor.ten_crop(canvases)  # [B, 10, S, S, 3]
        side = crops.shape[2]
        flat = tf.reshape(crops, [-1, side, side, 3])  # [B * 10, S, S, 3]
        probs = self.output(self.classifier(flat, training=False))
        return tf.reshape(probs, [-1, NUM_CROPS, probs.shape[-1]])  # [B, 10, K]
