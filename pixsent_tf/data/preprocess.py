"""How does a picture of any size become what a network reads?

Geometry only: colors are normalized by the first layers of each backbone. The one
`Preprocessor` of a model is used by the pipeline that trains it and, inside the
`ToCrop` layer, by every saved and exported form of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.crops import center_crop, ten_crop

# TensorFlow's names of the kernels.
KERNELS = {"bilinear": "triangle", "bicubic": "keyscubic"}
STRIP_PIXELS = 1 << 18


@dataclass(frozen=True)
class Preprocessor:
    """The geometry that one backbone was trained for.

    Attributes:
        config: Sizes, fit and interpolation.
    """

    config: PreprocessConfig

    def to_canvas(self, images: tf.Tensor) -> tf.Tensor:
        """Resize to the square canvas, antialiased as Pillow does.

        Args:
            images: One image, [H, W, 3], or images of one size, [B, H, W, 3]; uint8.

        Returns:
            uint8, [canvas, canvas, 3] or [B, canvas, canvas, 3]. Images that have this
            size already come back as they are.
        """
        side = self.config.canvas_size
        if tuple(images.shape[-3:-1]) == (side, side):
            return images
        if self.config.fit == "crop":
            images = _center_square(images)
        return _resize_to_square(images, side, self.config.resample)

    def to_canvas_in_strips(
        self,
        image: tf.Tensor | np.ndarray,
        to_rgb: Callable[[tf.Tensor | np.ndarray], tf.Tensor],
    ) -> tf.Tensor:
        """Resize a picture of many pixels with little more memory than it takes.

        Each direction is resized by itself anyway: the longer one first, in strips
        that each hold all of it, so that what is in between is small.

        Args:
            image: One image, uint8 [H, W, C]; an array is never copied whole.
            to_rgb: What each strip needs to be uint8 [h, w, 3].

        Returns:
            uint8, [canvas, canvas, 3]; a rounding apart from `to_canvas`.
        """
        side, kernel = self.config.canvas_size, KERNELS[self.config.resample]
        if self.config.fit == "crop":
            image = _center_square(image)
        height, width = sides(image)
        is_wide = width > height
        count, length = tf.minimum(height, width), tf.maximum(height, width)
        step = tf.maximum(1, STRIP_PIXELS // length)

        def resized(start: tf.Tensor) -> tf.Tensor:
            strip = tf.cond(
                is_wide,
                lambda: _swap_sides(to_rgb(image[start : start + step])),
                lambda: to_rgb(image[:, start : start + step]),
            )
            strip = tf.ensure_shape(strip, [None, None, 3])
            return _swap_sides(_resize_rows(strip, side, kernel))

        num_strips = (count + step - 1) // step
        strips = tf.TensorArray(
            tf.float32, num_strips, element_shape=[None, side, 3], infer_shape=False
        )
        _, strips = tf.while_loop(
            lambda i, _: i < num_strips,
            lambda i, strips: (i + 1, strips.write(i, resized(i * step))),
            [0, strips],
            parallel_iterations=1,
        )
        # [shorter, canvas, 3] -> [canvas, canvas, 3], the shorter direction first
        canvas = _to_levels(_resize_rows(strips.concat(), side, kernel))
        return tf.cond(is_wide, lambda: canvas, lambda: _swap_sides(canvas))

    def center_crop(self, canvases: tf.Tensor) -> tf.Tensor:
        """Cut the center that a network reads.

        Args:
            canvases: uint8, [B, canvas, canvas, 3].

        Returns:
            uint8, [B, crop, crop, 3].
        """
        return center_crop(canvases, self.config.crop_size)

    def ten_crop(self, canvases: tf.Tensor) -> tf.Tensor:
        """Cut the ten crops of oversampling.

        Args:
            canvases: uint8, [B, canvas, canvas, 3].

        Returns:
            uint8, [B, 10, crop, crop, 3], in the order of `crops.ten_crop`.
        """
        return ten_crop(canvases, self.config.crop_size)


def sides(images: tf.Tensor | np.ndarray) -> tuple[tf.Tensor, tf.Tensor]:
    """Tell how large pictures are, without a copy of them.

    Args:
        images: [..., H, W, C].

    Returns:
        H and W, int32.
    """
    shape = images.shape if isinstance(images, np.ndarray) else tf.shape(images)
    height, width = tf.unstack(tf.cast(shape[-3:-1], tf.int32))
    return height, width


def _center_square(images: tf.Tensor | np.ndarray) -> tf.Tensor | np.ndarray:
    height, width = sides(images)
    side = tf.minimum(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return images[..., top : top + side, left : left + side, :]


def _resize_to_square(images: tf.Tensor, side: int, resample: str) -> tf.Tensor:
    """Resize as `tf.image.resize(antialias=True)` does, in half the time.

    TensorFlow's kernel adds up whole rows by vector instructions and columns number by
    number. So both directions are done as rows, with a transposition after each.
    """
    kernel = KERNELS[resample]
    images = _resize_rows(_swap_sides(_resize_rows(images, side, kernel)), side, kernel)
    return _swap_sides(_to_levels(images))


def _to_levels(images: tf.Tensor) -> tf.Tensor:
    """Round to uint8; every kernel but the bilinear one leaves its inputs' range."""
    return tf.cast(tf.clip_by_value(images, 0.0, 255.0) + 0.5, tf.uint8)


def _resize_rows(images: tf.Tensor, height: int, kernel: str) -> tf.Tensor:
    """Resize [..., H, W, C] to [..., height, W, C] float32; a row is one pixel."""
    *outer, rows, width, channels = tf.unstack(tf.shape(images))
    resized = tf.raw_ops.ScaleAndTranslate(
        images=tf.reshape(images, [-1, rows, 1, width * channels]),
        size=[height, 1],
        scale=tf.stack([height / tf.cast(rows, tf.float32), 1.0]),
        translation=[0.0, 0.0],
        kernel_type=kernel,
        antialias=True,
    )
    resized = tf.reshape(resized, [*outer, height, width, channels])
    return tf.ensure_shape(resized, [*images.shape[:-3], height, *images.shape[-2:]])


def _swap_sides(images: tf.Tensor) -> tf.Tensor:
    batch = list(range(len(images.shape) - 3))
    rank = len(batch)
    return tf.transpose(images, [*batch, rank + 1, rank, rank + 2])


@keras.saving.register_keras_serializable(package="pixsent_tf")
class ToCrop(keras.layers.Layer):
    """The geometry as the first layer of a saved model.

    Takes images of any one size, uint8 [B, H, W, 3]; gives center crops, uint8
    [B, crop, crop, 3].

    Args:
        settings: The fields of a `PreprocessConfig`.
        kwargs: What every Keras layer takes.
    """

    def __init__(self, settings: dict[str, Any], **kwargs: Any) -> None:
        kwargs["dtype"] = "uint8"
        super().__init__(trainable=False, **kwargs)
        self.preprocessor = Preprocessor(PreprocessConfig(**settings))

    @classmethod
    def build_from(cls, preprocess: PreprocessConfig) -> ToCrop:
        """Make the layer for a backbone.

        Args:
            preprocess: The backbone's geometry.

        Returns:
            The layer, named `to_crop`.
        """
        return cls(dataclasses.asdict(preprocess), name="to_crop")

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Resize and cut.

        Args:
            images: uint8, [B, H, W, 3].

        Returns:
            uint8, [B, crop, crop, 3].
        """
        return self.preprocessor.center_crop(self.preprocessor.to_canvas(images))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Give the shape of the crops.

        Args:
            input_shape: (B, H, W, 3).

        Returns:
            (B, crop, crop, 3).
        """
        side = self.preprocessor.config.crop_size
        return (input_shape[0], side, side, 3)

    def get_config(self) -> dict[str, Any]:
        """Give what `from_config` needs.

        Returns:
            The layer's configuration.
        """
        base = super().get_config()
        base.pop("trainable")
        return {**base, "settings": dataclasses.asdict(self.preprocessor.config)}
