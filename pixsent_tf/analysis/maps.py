"""Which parts of a picture feel negative or positive to a model?

A sentiment map holds the probability of each class for each place. The coarse map has
the network's own cells, as the paper draws it; the smooth one averages several scales.

Reference:
    Campos et al., "From Pixels to Sentiment", Image and Vision Computing 65, 2017,
    section 3.6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from pixsent_tf.analysis.cells import build_cell_scorer
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import ConfigError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models.gate import ungated

SCALES = (1.0, 1.5, 2.0)
SMOOTH_SIDE = 56  # cells of the smooth map
PAPER_CELLS = 8  # of a network that flattens: 451 pixels for crops of 227
STRIDE = 32  # pixels between its cells


@dataclass(frozen=True)
class Facet:
    """What one map of a model shows.

    Attributes:
        name: Of a class, or of a rating.
        low: What the color of 0 means.
        high: What the color of 1 means.
        column: Place of the class or rating in what the model gives.
        at_zero: The value that the color of 0 stands for.
        at_one: That of 1.
        at_half: That of the middle, where there is no color.
    """

    name: str
    low: str
    high: str
    column: int
    at_zero: float = 0.0
    at_one: float = 1.0
    at_half: float = 0.5

    def shade(self, found: np.ndarray) -> np.ndarray:
        """Say which color places have.

        Args:
            found: What the model gives for them, float [h, w, K].

        Returns:
            Float [h, w], 0…1; the middle is .5, however far it is from the ends.
        """
        width = self.at_one - self.at_zero
        share = (found[..., self.column].astype("float64") - self.at_zero) / width
        middle = (self.at_half - self.at_zero) / width
        return share.clip(0, 1) ** (math.log(0.5) / math.log(middle))


@dataclass(frozen=True)
class SentimentMap:
    """What a model says about the places of one picture.

    Attributes:
        image: What the map covers: the picture, or its center square where the model
            was trained on that, uint8 [H, W, 3].
        cells: Probability of each class, or each rating, in the network's own cells,
            float32 [h, w, K].
        smooth: The same over several scales, float32 [SMOOTH_SIDE, SMOOTH_SIDE, K].
        smooth_logits: Its logits, which still differ where probabilities are all one.
        probs: The model's answer for the picture, by its center crop, float32 [K].
    """

    image: np.ndarray
    cells: np.ndarray
    smooth: np.ndarray
    smooth_logits: np.ndarray
    probs: np.ndarray


class SentimentMapper:
    """A model that answers for every place.

    Args:
        model: The model.

    Raises:
        ConfigError: If its network has no layer with a height and a width.
    """

    def __init__(self, model: SentimentModel) -> None:
        self.model = model
        self.preprocess = model.preprocessor.config
        # Of a place it is never asked whether it is a photograph.
        self.scorer = build_cell_scorer(ungated(model.classifier))

    @property
    def kind(self) -> str:
        """How the cells are scored: "convolutional", "pooled" or "grad-cam"."""
        return self.scorer.kind

    @property
    def facets(self) -> tuple[Facet, ...]:
        """What there is a map of: one for two classes, else each class or rating.

        Of more classes than two the middle is where all are equally likely, of ratings
        the middle of the scale.
        """
        names, rating = self.model.class_names, self.model.rating
        if rating is not None:
            low, high = rating.scale
            return tuple(
                Facet(name, f"{low:g}", f"{high:g}", k, low, high, (low + high) / 2)
                for k, name in enumerate(rating.targets)
            )
        if len(names) == 2:
            return (Facet(names[1], names[0], names[1], 1),)
        return tuple(
            Facet(name, f"not {name}", name, k, at_half=1 / len(names))
            for k, name in enumerate(names)
        )

    @property
    def side(self) -> int:
        """Side of the square that the coarse map is made of, in pixels."""
        if self.scorer.flattens:
            return self.preprocess.crop_size + (PAPER_CELLS - 1) * STRIDE
        if self.scorer.any_size:
            return self.preprocess.canvas_size
        return self.preprocess.crop_size

    def crop_logits(self, crops: np.ndarray) -> np.ndarray:
        """Score the cells of crops of the size that the classifier takes.

        Args:
            crops: RGB 0..255, [B, crop, crop, 3].

        Returns:
            Logits, float32 [B, h, w, K]; their mean over h and w is the classifier's
            answer (see `analysis.cells`).
        """
        return self.scorer.score(tf.convert_to_tensor(crops)).numpy()

    def map(
        self, image: np.ndarray, *, scales: Sequence[float] = SCALES
    ) -> SentimentMap:
        """Map one picture.

        Args:
            image: RGB, uint8 [H, W, 3].
            scales: Sizes of the square, as multiples of `side`, that the smooth map
                averages.

        Returns:
            Its map.
        """
        logits = [self._logits_at(image, round(self.side * s)) for s in scales]
        coarse = logits[0] if scales[0] == 1 else self._logits_at(image, self.side)
        target = [SMOOTH_SIDE, SMOOTH_SIDE]
        smooth = np.mean([tf.image.resize(x, target).numpy() for x in logits], axis=0)
        canvas = self.model.preprocessor.to_canvas(image)
        return SentimentMap(
            image=self._covered(image),
            cells=self.model.output(coarse).numpy(),
            smooth=self.model.output(smooth).numpy(),
            smooth_logits=smooth,
            probs=self.model.probs(canvas[None])[0],
        )

    def _covered(self, image: np.ndarray) -> np.ndarray:
        if self.preprocess.fit == "squash":
            return image
        side = min(image.shape[:2])
        top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
        return image[top : top + side, left : left + side]

    def _logits_at(self, image: np.ndarray, side: int) -> np.ndarray:
        """Score a picture that is brought to a square of a given side, [h, w, K]."""
        config = replace(self.preprocess, canvas_size=side, crop_size=side)
        square = Preprocessor(config).to_canvas(tf.convert_to_tensor(image)).numpy()
        if self.scorer.any_size:
            return self.crop_logits(square[None])[0]
        return self._stitch(square)

    def _stitch(self, square: np.ndarray) -> np.ndarray:
        """Score overlapping windows and blend them, for networks of one size."""
        crop, side = self.scorer.crop_size, len(square)
        count = max(1, math.ceil(2 * side / crop) - 1)  # neighbors overlap by half
        starts = np.linspace(0, side - crop, count).round().astype(int)
        places = [(y, x) for y in starts for x in starts]
        windows = np.stack([square[y : y + crop, x : x + crop] for y, x in places])
        logits = self.crop_logits(windows)  # [count**2, h, w, K]
        if count == 1:
            return logits[0]
        cells = logits.shape[1]
        grid = round(side / crop * cells)
        ramp = np.minimum(np.arange(cells), np.arange(cells)[::-1]) + 1.0
        weight = (ramp[:, None] * ramp)[..., None]
        total = np.zeros((grid, grid, logits.shape[-1]))
        weights = np.zeros((grid, grid, 1))
        for (y, x), window in zip(places, logits, strict=True):
            row, column = (round(v / crop * cells) for v in (y, x))
            row, column = (min(v, grid - cells) for v in (row, column))
            total[row : row + cells, column : column + cells] += weight * window
            weights[row : row + cells, column : column + cells] += weight
        return (total / np.maximum(weights, 1e-9)).astype("float32")


def binary_mapper(model: SentimentModel) -> SentimentMapper:
    """Let a model of two classes answer for every place, as a check of maps asks.

    Args:
        model: The model.

    Returns:
        Its mapper.

    Raises:
        ConfigError: If the model has more than two classes, or ratings, or nothing to
            map.
    """
    model.refuse_ratings()
    if len(model.class_names) != 2:
        raise ConfigError(
            f"--check is about two classes, from one to the other; this model has "
            f"{', '.join(model.class_names)}."
        )
    return SentimentMapper(model)
