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
from pixsent_tf.errors import ImageError, WeightsError
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
    """

    path: str
    probs: np.ndarray | None
    error: ImageError | None = None
    center_probs: np.ndarray | None = None


class Predictor:
    """A saved model, ready for pictures.

    Args:
        model: What `training.packaging.package` made.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        layers = model.layers
        (to_crop,) = (layer for layer in layers if isinstance(layer, ToCrop))
        (output,) = (layer for layer in layers if isinstance(layer, SentimentOutput))
        self.preprocessor: Preprocessor = to_crop.preprocessor
        self.class_names: tuple[str, ...] = output.class_names
        self.output: SentimentOutput = output
        self.classifier: keras.Model = model.get_layer("classifier")
        self._score = {
            views: tf.function(score, reduce_retracing=True)
            for views, score in (
                ("center", self._score_center),
                ("ten_crop", self._score_ten_crop),
            )
        }

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

    def predict(
        self,
        paths: Sequence[str],
        *,
        oversample: bool = False,
        batch_size: int = 32,
        advance: Callable[[int], object] = lambda count: None,
    ) -> Iterator[Prediction]:
        """Predict files one after the other, with flat memory.

        Args:
            paths: The files.
            oversample: Average the ten crops instead of taking the center. The center
                is one of them, so its own answer comes with the mean at no cost.
            batch_size: Center crops a step; ten times fewer pictures when oversampling.
            advance: Called with the number of pictures done since the last call.

        Yields:
            One prediction per path, in order.
        """
        score = self._score["ten_crop" if oversample else "center"]
        if oversample:
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
                    center_probs=row[CENTER] if oversample else None,
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

    def _score_center(self, canvases: tf.Tensor) -> tf.Tensor:
        return self.model(canvases, training=False)[:, None]  # [B, K] -> [B, 1, K]

    def _score_ten_crop(self, canvases: tf.Tensor) -> tf.Tensor:
        crops = self.preprocessor.ten_crop(canvases)  # [B, 10, S, S, 3]
        side = crops.shape[2]
        flat = tf.reshape(crops, [-1, side, side, 3])  # [B * 10, S, S, 3]
        probs = self.output(self.classifier(flat, training=False))
        return tf.reshape(probs, [-1, NUM_CROPS, probs.shape[-1]])  # [B, 10, K]
