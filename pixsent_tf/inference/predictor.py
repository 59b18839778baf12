"""What does a program call that asks about pictures again and again?

predictor = pixsent_tf.Predictor("runs/mine")
predictor.predict("photo.jpg").prob_positive
predictor.predict(["photo.jpg", pixels, image]).to_pandas()
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np
from PIL import Image

from pixsent_tf.config import PROB
from pixsent_tf.data.decode.given import Picture, as_files
from pixsent_tf.errors import ImageError, UsageError
from pixsent_tf.evaluation.calibration import check_precision
from pixsent_tf.inference import shipped
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.prediction import Prediction, answer_columns, read_status

if TYPE_CHECKING:
    import pandas as pd

Model: TypeAlias = str | os.PathLike[str] | SentimentModel | None


class PredictionList(list[Prediction]):
    """Predictions of several pictures, in their order: a list that becomes a table."""

    def to_pandas(self) -> pd.DataFrame:
        """Give a table with a row for each picture.

        Returns:
            `path`, `answer`, `prob_NAME` of each class and `status`, as `predict --out`
            writes them; NaN and the reason where a picture cannot be read.

        Raises:
            UsageError: If pandas is not installed.
        """
        pd = _pandas()
        names = next((one.class_names for one in self if one.class_names), ())
        rows = [
            {
                "path": one.path,
                "answer": one.answer,
                **{
                    PROB + name: np.nan if one.probs is None else float(one.probs[k])
                    for k, name in enumerate(names)
                },
                "status": (
                    one.error.reason if one.error else read_status(str(one.path))
                ),
            }
            for one in self
        ]
        return pd.DataFrame(rows, columns=answer_columns(names))


class Predictor:
    """A trained model that answers for pictures of every kind a program has.

    Args:
        model: A run folder, the `.keras` file of one, "shipped" (the quick one, which
            None means too), "shipped-best", or a model that `load` gave.
        precision: Answer `unsure` where answers would be right less often, 0…1.

    Attributes:
        model: The model.
        threshold: Probability below which the answer is `unsure`.

    Raises:
        PixsentError: If there is no such model, or `precision` is out of range.

    Example:
        predictor = pixsent_tf.Predictor()
        predictor.predict("photo.jpg").prob_positive
    """

    def __init__(self, model: Model = None, *, precision: float | None = None) -> None:
        if precision is not None:
            check_precision(precision)  # before anything is loaded
        self.model: SentimentModel = (
            model if isinstance(model, SentimentModel) else shipped.load_model(model)
        )
        before = self.model.threshold
        if precision is not None:
            self.model.abstain_at(precision)
        self.threshold = self.model.threshold
        self.model.threshold = before  # whoever loaded it goes on as before

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names by class index, [K]."""
        return self.model.class_names

    @overload
    def predict(  # type: ignore[overload-overlap]  # bytes are no iterable here
        self, pictures: bytes | IO[bytes] | Image.Image
    ) -> Prediction: ...

    @overload
    def predict(self, pictures: str | os.PathLike[str] | np.ndarray) -> Any: ...

    @overload
    def predict(self, pictures: Iterable[Picture]) -> PredictionList: ...

    def predict(self, pictures: Any) -> Any:
        """Predict pictures.

        Args:
            pictures: A path, bytes or an open file of an encoded picture, a PIL image,
                or RGB pixels, uint8 [H, W, 3]; for several a folder, which is walked,
                pixels [B, H, W, 3], or an iterable of any of these.

        Returns:
            The prediction of one picture; a `PredictionList` of a folder, of
            [B, H, W, 3] and of an iterable, in order. What was in memory is called by
            what it was and its number, as `array 0`.

        Raises:
            DataError: If something else is given. A picture that cannot be read is no
                error: its prediction has `probs=None` and says why in `error`.
        """
        with as_files(pictures) as given:
            said = self.model.predict(given.paths)
            found = PredictionList(
                self._named(one, name)
                for one, name in zip(said, given.names, strict=True)
            )
        return found[0] if given.is_single else found

    def _named(self, one: Prediction, name: str) -> Prediction:
        """Call a picture by its own name; its file may be one for the moment."""
        error = one.error
        if error is not None and one.path != name:
            error = ImageError(str(error).replace(one.path, name), error.reason)
        return replace(one, path=name, error=error, threshold=self.threshold)


def _pandas() -> Any:
    try:
        import pandas
    except ImportError:
        raise UsageError(
            "A table of pandas needs pandas; get it with: pip install pandas."
        ) from None
    return pandas
