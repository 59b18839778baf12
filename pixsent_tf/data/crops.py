"""Which squares of a canvas does a network look at?"""

from __future__ import annotations

import tensorflow as tf

NUM_CROPS = 10
CENTER = 4  # its place among them


def center_crop(images: tf.Tensor, crop_size: int) -> tf.Tensor:
    """Cut the center of each image.

    Args:
        images: Images of one size, [B, H, W, C], any dtype and value range.
        crop_size: Side of the square crop, in pixels.

    Returns:
        Crops, [B, crop_size, crop_size, C], in the dtype of `images`. Where the margin
        is odd, the smaller part lies above and to the left.

    Raises:
        ValueError: If `crop_size` exceeds the height or the width of `images`.
    """
    height, width = _checked_size(images, crop_size)
    top, left = (height - crop_size) // 2, (width - crop_size) // 2
    return images[:, top : top + crop_size, left : left + crop_size]


def ten_crop(images: tf.Tensor, crop_size: int) -> tf.Tensor:
    """Cut the four corners and the center of each image, and mirror them.

    Averaging the predictions of these crops ("oversampling") removes most of the
    variance that comes from where a single crop happens to fall.

    Args:
        images: Images of one size, [B, H, W, C], any dtype and value range.
        crop_size: Side of the square crop, in pixels.

    Returns:
        Crops grouped by image, [B, 10, crop_size, crop_size, C], in the dtype of
        `images`. Axis 1 holds top-left, top-right, bottom-left, bottom-right and
        center, then the left-right mirrors of these five in the same order.

    Raises:
        ValueError: If `crop_size` exceeds the height or the width of `images`.

    Example:
        >>> ten_crop(tf.zeros([2, 256, 256, 3]), crop_size=227).shape
        TensorShape([2, 10, 227, 227, 3])

    Reference:
        Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural
        Networks", NIPS 2012, section 4.1.
    """
    height, width = _checked_size(images, crop_size)
    bottom, right = height - crop_size, width - crop_size
    corners = [(0, 0), (0, right), (bottom, 0), (bottom, right)]
    center = (bottom // 2, right // 2)
    crops = tf.stack(
        [
            images[:, y : y + crop_size, x : x + crop_size]
            for y, x in [*corners, center]
        ],
        axis=1,
    )  # [B, 5, S, S, C]
    mirrored = tf.reverse(crops, axis=[3])
    return tf.concat([crops, mirrored], axis=1)


def _checked_size(images: tf.Tensor, crop_size: int) -> tuple[int, int]:
    height, width = images.shape[1:3]
    if crop_size > min(height, width):
        raise ValueError(
            f"crop_size={crop_size} does not fit images of {height}x{width} pixels."
        )
    return height, width
