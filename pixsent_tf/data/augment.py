"""What does a network see of a picture each time that it trains on it?

Crops, mirrors and colors are drawn on the host, as a few integers for each picture;
pixels are changed by TensorFlow operations on integers, so that a picture comes out
the same whether it is changed alone in the input pipeline (faster on a CPU) or with
its batch on the device that trains. Nothing here is a layer: no model can carry it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from pixsent_tf.config.values import Checked, Count, Fraction, NotNegative, Part, Whole

# What a row of draws holds; factors and shares are in units of 1 / UNIT.
TOP, LEFT, SIDE, MIRROR, BRIGHTNESS, CONTRAST, SATURATION, SHARE = range(8)
NUM_DRAWS = 8
# Products of a level and a factor, and sums of them, stay exact in float32 and even
# in TF32; that is what makes results independent of the order of the summation.
UNIT = 1024
VIEW_SEED = 0  # of views that are the same for every seed


@dataclass(frozen=True)
class Augmentation(Checked):
    """How pictures are varied in training.

    Attributes:
        crop_size: Side of the square that the network reads, in pixels.
        crop: Cut at a random place; at the center otherwise.
        flip: Mirror every second picture, at random.
        min_area_fraction: Smallest part of the canvas that a crop shows; below 1, the
            crop's side is drawn too, and the crop is resized, antialiased.
        jitter: Largest relative change of brightness, contrast and saturation, 0…1.
        mixup: Both parameters of the beta distribution that says how much a picture
            keeps when it is mixed with its neighbor in the batch; 0 mixes nothing.
        num_views: How many ways there are to see a picture, which the epochs take by
            turns, the same for every seed; 0 draws a new one in each epoch.

    Reference:
        Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018.
    """

    crop_size: Count
    crop: bool = True
    flip: bool = True
    min_area_fraction: Part = 1.0
    jitter: Fraction = 0.0
    mixup: NotNegative = 0.0
    num_views: Whole = 0

    def draw(
        self, indices: np.ndarray, *, canvas_size: int, seed: int, epoch: int
    ) -> np.ndarray:
        """Draw what happens to some pictures in one epoch.

        A picture's draws depend on the seed, the epoch and its index alone: not on the
        order, the batch or the number of threads.

        Args:
            indices: Positions in the data set, int [M].
            canvas_size: Side of the canvases, in pixels.
            seed: Of the training.
            epoch: From 0.

        Returns:
            One row for each picture, int32 [M, NUM_DRAWS].
        """
        uniform = _uniforms(indices, seed=seed, epoch=epoch)  # [M, NUM_DRAWS]
        if self.num_views:
            view = _uniforms(indices, seed=VIEW_SEED, epoch=epoch % self.num_views)
            uniform[:, :SHARE] = view[:, :SHARE]
        side = np.full(len(indices), self.crop_size)
        if self.min_area_fraction < 1:
            area = (
                self.min_area_fraction + (1 - self.min_area_fraction) * uniform[:, SIDE]
            )
            side = np.maximum(1, np.round(canvas_size * np.sqrt(area)).astype(int))
        draws = np.zeros((len(indices), NUM_DRAWS), dtype="int32")
        margin = canvas_size - side
        draws[:, SIDE] = side
        draws[:, TOP] = draws[:, LEFT] = margin // 2
        if self.crop:
            draws[:, TOP] = uniform[:, TOP] * (margin + 1)
            draws[:, LEFT] = uniform[:, LEFT] * (margin + 1)
        if self.flip:
            draws[:, MIRROR] = uniform[:, MIRROR] < 0.5
        colors = slice(BRIGHTNESS, SATURATION + 1)
        factors = 1 + self.jitter * (2 * uniform[:, colors] - 1)
        draws[:, colors] = np.round(UNIT * factors)
        draws[:, SHARE] = np.round(UNIT * self._shares(uniform[:, SHARE]))
        return draws

    def _shares(self, uniform: np.ndarray) -> np.ndarray:
        """Turn uniform numbers into what each picture keeps, at least a half."""
        if not self.mixup:
            return np.ones_like(uniform)
        from scipy.special import betaincinv

        shares = betaincinv(self.mixup, self.mixup, uniform)
        return np.maximum(shares, 1 - shares)

    def image(self, canvas: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Vary one picture.

        Args:
            canvas: uint8, [C, C, 3].
            draws: Its row of `draw`, int32 [NUM_DRAWS].

        Returns:
            uint8, [crop_size, crop_size, 3]: what `batch` gives for it.
        """
        size = self.crop_size
        if self.min_area_fraction < 1:
            return self.batch(canvas[None], draws[None])[0]
        top, left = draws[TOP], draws[LEFT]
        crop = canvas[top : top + size, left : left + size]
        crop = tf.cond(draws[MIRROR] > 0, lambda: tf.reverse(crop, [1]), lambda: crop)
        crop = tf.ensure_shape(crop, [size, size, 3])
        return self._recolor(crop[None], draws[None])[0] if self.jitter else crop

    def batch(self, canvases: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Vary each picture of a batch in its own way.

        Args:
            canvases: uint8, [B, C, C, 3].
            draws: Their rows of `draw`, int32 [B, NUM_DRAWS].

        Returns:
            uint8, [B, crop_size, crop_size, 3].
        """
        cut = _resized_crops if self.min_area_fraction < 1 else _crops
        crops = cut(canvases, draws, self.crop_size)
        return self._recolor(crops, draws) if self.jitter else crops

    def _recolor(self, crops: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Change brightness, then contrast, then saturation; integers throughout."""
        brightness, contrast, saturation = tf.unstack(
            draws[:, BRIGHTNESS : SATURATION + 1, None, None, None], axis=1
        )  # [B, 1, 1, 1] each
        levels = tf.cast(crops, tf.int32)
        levels = _scale(levels, brightness, center=0)
        mean = tf.reduce_sum(_gray(levels), axis=[1, 2], keepdims=True)
        levels = _scale(levels, contrast, center=mean // self.crop_size**2)
        levels = _scale(levels, saturation, center=_gray(levels))
        return tf.cast(levels, tf.uint8)


def mix(
    crops: tf.Tensor, targets: tf.Tensor, draws: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Mix each picture of a batch, and its target, with the one before it.

    Args:
        crops: uint8, [B, S, S, 3].
        targets: float32, [B, K].
        draws: Their rows of `Augmentation.draw`, int32 [B, NUM_DRAWS].

    Returns:
        Mixed crops, uint8 [B, S, S, 3], and mixed targets, float32 [B, K].
    """
    kept = draws[:, SHARE]
    levels = tf.cast(crops, tf.int32)
    weights = kept[:, None, None, None]
    mixed = levels * weights + tf.roll(levels, 1, axis=0) * (UNIT - weights)
    share = (tf.cast(kept, targets.dtype) / UNIT)[:, None]
    return (
        tf.cast((mixed + UNIT // 2) // UNIT, tf.uint8),
        targets * share + tf.roll(targets, 1, axis=0) * (1 - share),
    )


def _uniforms(indices: np.ndarray, *, seed: int, epoch: int) -> np.ndarray:
    """Hash (seed, epoch, index, number of the draw) into 0…1, float64 [M, NUM_DRAWS].

    Reference:
        Steele et al., "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
    """
    state = np.zeros((1, 1), dtype="uint64")
    numbers = (seed, epoch, np.asarray(indices)[:, None], np.arange(NUM_DRAWS))
    for number in numbers:
        state = state + np.asarray(number).astype("uint64")
        state = state + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    return (state >> np.uint64(11)) * 2.0**-53


def _crops(canvases: tf.Tensor, draws: tf.Tensor, size: int) -> tf.Tensor:
    """Cut and mirror by gathering pixels, [B, C, C, 3] -> [B, size, size, 3]."""
    canvas_size = canvases.shape[2]
    steps = tf.range(size)
    rows = draws[:, TOP, None] + steps  # [B, S]
    mirrored = draws[:, MIRROR, None] * (size - 1 - 2 * steps)
    columns = draws[:, LEFT, None] + steps + mirrored  # [B, S]
    places = rows[:, :, None] * canvas_size + columns[:, None, :]  # [B, S, S]
    pixels = tf.reshape(canvases, [-1, canvas_size**2, 3])
    return tf.gather(pixels, places, batch_dims=1)


def _resized_crops(canvases: tf.Tensor, draws: tf.Tensor, size: int) -> tf.Tensor:
    """Cut squares of any side, resize and mirror them; rounds twice, as Pillow does."""
    canvas_size = canvases.shape[1]
    sides = draws[:, SIDE]
    down = _triangle_weights(draws[:, TOP], sides, canvas_size, size)
    across = _triangle_weights(draws[:, LEFT], sides, canvas_size, size)
    across = tf.where(draws[:, MIRROR, None, None] > 0, across[:, ::-1], across)
    levels = tf.cast(canvases, tf.float32)
    levels = _round(tf.einsum("bsh,bhwc->bswc", down, levels))
    levels = _round(tf.einsum("btw,bswc->bstc", across, levels))
    return tf.cast(levels, tf.uint8)


def _triangle_weights(
    starts: tf.Tensor, sides: tf.Tensor, canvas_size: int, size: int
) -> tf.Tensor:
    """Weigh the pixels of a line, in units of 1 / UNIT, float32 [B, size, canvas_size].

    Pillow's bilinear filter: a triangle around the middle of each new pixel, as wide as
    two old pixels or two new ones, whichever is wider. Positions are counted in
    1 / (2 * size) old pixels, which makes all of them integers.
    """
    sides = sides[:, None, None]
    middles = (2 * tf.range(size)[:, None] + 1) * sides  # [B, size, 1]
    pixels = tf.range(canvas_size) - starts[:, None, None]  # [B, 1, canvas_size]
    heights = 2 * tf.maximum(sides, size) - tf.abs(middles - (2 * pixels + 1) * size)
    is_inside = (pixels >= 0) & (pixels < sides)
    heights = tf.where(is_inside, tf.maximum(heights, 0), 0)
    weights = UNIT * heights // tf.reduce_sum(heights, axis=-1, keepdims=True)
    # What flooring lost goes to the highest, so that white stays white.
    lost = UNIT - tf.reduce_sum(weights, axis=-1)
    peaks = tf.one_hot(tf.argmax(heights, axis=-1), canvas_size, dtype=tf.int32)
    return tf.cast(weights + peaks * lost[..., None], tf.float32)


def _round(sums: tf.Tensor) -> tf.Tensor:
    return tf.floor((sums + UNIT // 2) / UNIT)


def _scale(levels: tf.Tensor, factor: tf.Tensor, center: tf.Tensor | int) -> tf.Tensor:
    """Move levels away from a center by a factor, and clip them to 0..255."""
    moved = center + ((levels - center) * factor + UNIT // 2) // UNIT
    return tf.clip_by_value(moved, 0, 255)


def _gray(levels: tf.Tensor) -> tf.Tensor:
    """Weigh the colors as the eye does, int32 [B, S, S, 1]."""
    weights = tf.constant([306, 601, 117])  # of UNIT: ITU-R 601
    return tf.reduce_sum(levels * weights, axis=-1, keepdims=True) // UNIT
