"""Without TensorFlow a picture has the pixels that it has with it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.decode import canvas
from pixsent_tf.data.decode.canvas import read_crop, resize
from pixsent_tf.data.pipeline import CanvasReader
from pixsent_tf.data.preprocess import Preprocessor

SIZES = [(640, 480), (333, 500), (1700, 1201), (90, 61), (64, 64), (3000, 200)]


def picture(width, height):
    coarse = np.random.default_rng(width).integers(0, 256, (40, 60, 3), dtype="uint8")
    return Image.fromarray(coarse).resize((width, height), Image.BICUBIC)


def differences(path, config):
    preprocessor = Preprocessor(config)
    whole = CanvasReader(preprocessor).read(path)
    expected = np.asarray(preprocessor.center_crop(whole[None]))[0]
    return np.abs(read_crop(path, config).astype(int) - expected.astype(int))


@pytest.mark.parametrize("fit", ["squash", "crop"])
@pytest.mark.parametrize("size", SIZES)
def test_a_jpeg_of_any_size_has_the_same_pixels(tmp_path, size, fit):
    path = tmp_path / "a.jpg"
    picture(*size).save(path, quality=90)

    found = differences(path, PreprocessConfig(canvas_size=64, crop_size=57, fit=fit))

    assert found.shape == (57, 57, 3)
    assert found.max() <= 1
    assert (found > 0).mean() < 0.01


@pytest.mark.parametrize("resample", ["bilinear", "bicubic"])
@pytest.mark.parametrize("suffix", ["png", "gif", "bmp", "webp"])
def test_other_formats_have_the_same_pixels(tmp_path, suffix, resample):
    path = tmp_path / f"a.{suffix}"
    picture(200, 130).save(path)
    config = PreprocessConfig(canvas_size=64, crop_size=64, resample=resample)

    assert differences(path, config).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright_first(tmp_path, orientation):
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture(300, 200).save(path, quality=95, exif=exif)

    config = PreprocessConfig(canvas_size=64, crop_size=48, fit="crop")

    assert differences(path, config).max() <= 1


def test_a_constant_picture_stays_as_it_is():
    gray = np.full((37, 91, 3), 77, "uint8")

    for resample in ("bilinear", "bicubic"):
        np.testing.assert_array_equal(resize(gray, 20, resample), 77)


def test_a_large_picture_in_strips_is_the_same_to_the_last_level(monkeypatch):
    image = np.random.default_rng(0).integers(0, 256, (301, 407, 3), dtype="uint8")
    whole = resize(image, 40, "bicubic")

    monkeypatch.setattr(canvas, "_STRIP_PIXELS", 407 * 50)

    np.testing.assert_array_equal(resize(image, 40, "bicubic"), whole)


@pytest.mark.data
def test_photographs_have_the_same_pixels(shared_data):
    images = sorted((shared_data / "deepsent" / "images").glob("*.jpg"))[::60]
    config = PreprocessConfig(canvas_size=288, crop_size=288)

    worst = [differences(path, config) for path in images]

    assert max(each.max() for each in worst) <= 1
    assert max((each > 0).mean() for each in worst) < 0.01
