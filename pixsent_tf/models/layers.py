"""Which layers does Caffe have that Keras has not?

Each is made of plain TensorFlow operations: nothing here becomes an XLA function,
which a server without XLA refuses, or a custom operation, which TFLite refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

CAFFE_MEAN = (104.00699, 116.66877, 122.67891)  # BGR, 0..255

Shape = tuple[int | None, ...]


@keras.saving.register_keras_serializable("pixsent_tf")
class CaffeInput(keras.layers.Layer):
    """Turn RGB pixels into what Caffe's networks were trained on.

    The channels are reversed to BGR and the mean color is subtracted; the pixels stay
    in the range of 0..255 that they come in.

    Args:
        mean: Mean color, BGR, 0..255.
        **kwargs: What every Keras layer takes.
    """

    def __init__(self, mean: Sequence[float] = CAFFE_MEAN, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mean = tuple(mean)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Convert pixels [B, H, W, 3] of any dtype; the result floats, BGR."""
        bgr = tf.reverse(tf.cast(inputs, "float32"), axis=[-1])
        return tf.cast(bgr - tf.constant(self.mean), self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape that came."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds this layer."""
        return {**super().get_config(), "mean": list(self.mean)}


@keras.saving.register_keras_serializable("pixsent_tf")
class GroupedConv2D(keras.layers.Conv2D):
    """Convolve each group of channels with filters of its own.

    Keras compiles a `Conv2D` with `groups` by XLA when it runs on a CPU. This one
    splits, convolves and concatenates, which gives the same numbers everywhere. The
    weights are those of `Conv2D`: one kernel [kh, kw, C / groups, filters].
    """

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """Convolve [B, H, W, C] group by group."""
        if self.groups == 1:
            return super().convolution_op(inputs, kernel)
        axis = -1 if self.data_format == "channels_last" else 1
        convolved = [
            super(GroupedConv2D, self).convolution_op(part, filters)
            for part, filters in zip(
                tf.split(inputs, self.groups, axis=axis),
                tf.split(kernel, self.groups, axis=-1),
                strict=True,
            )
        ]
        return tf.concat(convolved, axis=axis)


@keras.saving.register_keras_serializable("pixsent_tf")
class CeilMaxPooling2D(keras.layers.Layer):
    """Pool as Caffe does: the last window may hang over the right and lower edge.

    Keras' "valid" drops such a window, and "same" shifts the first one as well. Where
    the windows divide the map exactly, this is Keras' "valid" pooling.

    Args:
        pool_size: Side of the window, in cells.
        strides: Step between windows, in cells, at most `pool_size`.
        **kwargs: What every Keras layer takes.

    Raises:
        ValueError: If the windows would leave cells out.
    """

    def __init__(self, pool_size: int = 3, strides: int = 2, **kwargs: Any) -> None:
        if not 0 < strides <= pool_size:
            raise ValueError(
                f"strides={strides} leaves gaps between windows of {pool_size}; "
                "use 1 to pool_size."
            )
        super().__init__(**kwargs)
        self.pool_size = pool_size
        self.strides = strides

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Take the maximum of each window of [B, H, W, C]."""
        sides = inputs.shape[1:3]
        known = sides.is_fully_defined()
        if not known:
            sides = tf.unstack(tf.shape(inputs)[1:3])
        overhang = [(self.pool_size - side) % self.strides for side in sides]
        if not known or any(overhang):
            paddings = [[0, 0], [0, overhang[0]], [0, overhang[1]], [0, 0]]
            inputs = tf.pad(inputs, paddings, constant_values=inputs.dtype.min)
        return tf.nn.max_pool2d(inputs, self.pool_size, self.strides, "VALID")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return [B, h, w, C] for [B, H, W, C]."""
        batch, *sides, channels = input_shape
        pooled = [
            None if side is None else -((self.pool_size - side) // self.strides) + 1
            for side in sides
        ]
        return (batch, *pooled, channels)

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds this layer."""
        settings = {"pool_size": self.pool_size, "strides": self.strides}
        return {**super().get_config(), **settings}


@keras.saving.register_keras_serializable("pixsent_tf")
class LocalResponseNormalization(keras.layers.Layer):
    """Divide each activation by the energy of its neighbor channels, as Caffe does.

    x / (bias + alpha / size * sum x^2) ^ beta, where the sum runs over `size` channels
    around x. TensorFlow's own `local_response_normalization` does not divide by the
    size, and its gradient takes twice as long on a CPU as this product with a band
    matrix.

    Args:
        size: Number of channels in the sum, odd.
        alpha: Weight of the sum.
        beta: Exponent.
        bias: What keeps the divisor from zero.
        **kwargs: What every Keras layer takes.

    Raises:
        ValueError: If `size` is even or below one.

    Reference:
        Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural
        Networks", NIPS 2012, section 3.3.
    """

    def __init__(
        self,
        size: int = 5,
        alpha: float = 1e-4,
        beta: float = 0.75,
        bias: float = 1.0,
        **kwargs: Any,
    ) -> None:
        if size < 1 or size % 2 == 0:
            raise ValueError(f"size={size} has no middle channel; use an odd number.")
        super().__init__(**kwargs)
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.bias = bias

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Normalize [B, H, W, C] over C."""
        images = tf.cast(inputs, "float32")  # a square overflows half precision
        channels = images.shape[-1]
        index = np.arange(channels)
        near = np.abs(index[:, None] - index) <= self.size // 2
        band = tf.constant(near * (self.alpha / self.size), "float32")
        squares = tf.reshape(tf.square(images), [-1, channels])
        divisor = self.bias + tf.reshape(squares @ band, tf.shape(images))
        if self.beta == 0.75:  # two roots cost a tenth of a power
            root = tf.math.rsqrt(divisor)
            scale = root * tf.sqrt(root)
        else:
            scale = divisor**-self.beta
        return tf.cast(images * scale, self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape that came."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds this layer."""
        settings = {
            "size": self.size,
            "alpha": self.alpha,
            "beta": self.beta,
            "bias": self.bias,
        }
        return {**super().get_config(), **settings}
