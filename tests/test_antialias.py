"""Lines are resized as TensorFlow and Pillow resize them."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pixsent_tf.antialias import line_weights


def test_a_line_of_three_halves_each_new_pixel_by_its_distance():
    # Centers of the new pixels at .75 and 2.25 of the old line, reach 1.5 pixels.
    expected = np.array([[5, 3, 0], [0, 3, 5]]) / 8

    np.testing.assert_allclose(line_weights(3, 2), expected, atol=1e-7)


@pytest.mark.parametrize("resample", ["bilinear", "bicubic"])
@pytest.mark.parametrize(("size", "side"), [(380, 320), (300, 64), (64, 64), (20, 33)])
def test_lines_come_out_as_tensorflow_resizes_them(size, side, resample):
    line = np.random.default_rng(size).uniform(0, 255, (size, 1, 1)).astype("float32")

    found = line_weights(size, side, resample) @ line[:, 0, 0]

    kernel = {"bilinear": "triangle", "bicubic": "keyscubic"}[resample]
    resized = tf.raw_ops.ScaleAndTranslate(
        images=line[None],
        size=[side, 1],
        scale=[side / size, 1.0],
        translation=[0.0, 0.0],
        kernel_type=kernel,
    )
    np.testing.assert_allclose(found, resized[0, :, 0, 0], rtol=2e-5, atol=2e-4)


def test_lines_come_out_as_pillow_resizes_them():
    line = np.random.default_rng(0).uniform(0, 255, 380).astype("float32")

    found = line_weights(380, 320) @ line

    resized = Image.fromarray(line[None]).resize((320, 1), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(found, np.asarray(resized)[0], rtol=1e-5, atol=1e-4)
