"""How does a file become a canvas without TensorFlow? The same pixels, by Pillow.

For few pictures: TensorFlow decodes hundreds in the time that it takes to load.
"""

from __future__ import annotations

import os

import numpy as np
from PIL import Image

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.decode.bounds import useful_side
from pixsent_tf.data.decode.files import read_image

KERNELS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}
_STRIP_PIXELS = 1 << 21  # of a picture that is more than one strip


def read_crop(path: str | os.PathLike[str], config: PreprocessConfig) -> np.ndarray:
    """Read the center crop of a file.

    Args:
        path: The file.
        config: The geometry.

    Returns:
        uint8, [crop, crop, 3]: what TensorFlow gives, but for single gray levels.

    Raises:
        ImageError: If Pillow cannot read it.
    """
    side, crop = config.canvas_size, config.crop_size
    image = read_image(path, target_side=useful_side(side))
    if config.fit == "crop":
        image = _center(image, min(image.shape[:2]))
    if image.shape[:2] != (side, side):
        image = resize(image, side, config.resample)
    return _center(image, crop)


def resize(image: np.ndarray, side: int, resample: str) -> np.ndarray:
    """Resize to a square, antialiased, as `tf.image.resize` does.

    Args:
        image: uint8, [H, W, 3].
        side: Of the square, in pixels.
        resample: "bilinear" or "bicubic".

    Returns:
        uint8, [side, side, 3].
    """
    # In floats: of whole gray levels Pillow would round twice, between the directions.
    # Rows first, some at a time: the floats of a large picture are never there at once.
    kernel, step = KERNELS[resample], max(1, _STRIP_PIXELS // image.shape[1])
    square = np.empty((side, side, 3), "float32")
    for channel in range(3):
        lines = np.empty((len(image), side), "float32")
        for top in range(0, len(image), step):
            strip = Image.fromarray(image[top : top + step, :, channel]).convert("F")
            lines[top : top + step] = strip.resize((side, strip.height), kernel)
        square[..., channel] = Image.fromarray(lines).resize((side, side), kernel)
    return (np.clip(square, 0, 255) + 0.5).astype("uint8")


def _center(image: np.ndarray, side: int) -> np.ndarray:
    top, left = (np.array(image.shape[:2]) - side) // 2
    return image[top : top + side, left : left + side]
