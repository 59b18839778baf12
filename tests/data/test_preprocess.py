"""One geometry for training, evaluation and the saved model, and it is Pillow's."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data import preprocess
from pixsent_tf.data.preprocess import Preprocessor, ToCrop

SQUASH = PreprocessConfig(canvas_size=32, crop_size=24)
CROP = PreprocessConfig(canvas_size=32, crop_size=24, fit="crop")
FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}


def picture(width, height):
    coarse = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype="uint8")
    return Image.fromarray(coarse).resize((width, height), Image.BICUBIC)


@pytest.mark.parametrize("resample", FILTERS)
@pytest.mark.parametrize("size", [(120, 75), (50, 90), (20, 20)])
def test_the_canvas_is_what_pillow_makes_of_the_picture(resample, size):
    image = picture(*size)
    config = PreprocessConfig(canvas_size=32, crop_size=24, resample=resample)

    canvas = Preprocessor(config).to_canvas(np.asarray(image)).numpy().astype(int)

    expected = np.asarray(image.resize((32, 32), FILTERS[resample]))
    assert np.abs(canvas - expected).mean() < 0.7
    # Where a cubic is enlarged over an edge, Pillow weighs what lies outside anew.
    assert np.abs(canvas - expected).max() <= (3 if resample == "bilinear" else 6)


@pytest.mark.parametrize("size", [(120, 75), (75, 120)])
def test_fitting_by_crop_cuts_the_longer_side_around_its_center(size):
    image = picture(*size)

    canvas = Preprocessor(CROP).to_canvas(np.asarray(image)).numpy().astype(int)

    left, top = (max(0, (side - 75) // 2) for side in size)
    square = image.crop((left, top, left + 75, top + 75))
    expected = np.asarray(square.resize((32, 32), Image.BILINEAR))
    assert np.abs(canvas - expected).max() <= 3


def test_a_picture_of_the_canvas_size_comes_back_as_it_is():
    pixels = np.asarray(picture(32, 32))

    np.testing.assert_array_equal(Preprocessor(SQUASH).to_canvas(pixels), pixels)


def test_a_batch_gives_what_its_pictures_give_alone():
    images = np.stack([np.asarray(picture(50, 40)), np.asarray(picture(50, 40))[::-1]])
    preprocessor = Preprocessor(SQUASH)

    together = preprocessor.to_canvas(images).numpy()

    alone = [preprocessor.to_canvas(image).numpy() for image in images]
    np.testing.assert_array_equal(together, alone)


def test_crops_are_cut_from_the_canvas():
    canvas = np.asarray(picture(32, 32))[None]
    preprocessor = Preprocessor(SQUASH)

    np.testing.assert_array_equal(
        preprocessor.center_crop(canvas), canvas[:, 4:28, 4:28]
    )
    np.testing.assert_array_equal(
        preprocessor.ten_crop(canvas)[:, 3], canvas[:, 8:, 8:]
    )


def test_the_layer_does_what_the_preprocessor_does():
    images = np.asarray(picture(50, 40))[None]
    preprocessor = Preprocessor(CROP)

    crops = ToCrop.build_from(CROP)(images)

    expected = preprocessor.center_crop(preprocessor.to_canvas(images))
    np.testing.assert_array_equal(crops, expected)


def test_the_layer_survives_saving(tmp_path):
    images = keras.Input((None, None, 3), dtype="uint8")
    model = keras.Model(images, ToCrop.build_from(CROP)(images))
    model.save(tmp_path / "model.keras")

    loaded = keras.models.load_model(tmp_path / "model.keras")

    pixels = np.asarray(picture(50, 40))[None]
    np.testing.assert_array_equal(loaded(pixels), model(pixels))
    assert loaded.output_shape == (None, 24, 24, 3)
    assert loaded(pixels).dtype == "uint8"


@pytest.mark.parametrize("resample", FILTERS)
@pytest.mark.parametrize("size", [(120, 75), (20, 20)])
def test_levels_are_rounded_not_cut_off(resample, size):
    image = picture(*size).point(lambda level: 64 + level // 2)  # nothing overshoots
    config = PreprocessConfig(canvas_size=32, crop_size=24, resample=resample)

    canvas = Preprocessor(config).to_canvas(np.asarray(image)).numpy()

    exact = [
        np.asarray(Image.fromarray(part).resize((32, 32), FILTERS[resample]))
        for part in np.asarray(image).astype("float32").transpose(2, 0, 1)
    ]
    off = canvas - np.stack(exact, axis=-1)
    assert abs(off.mean()) < 0.1  # what is cut off lacks half a level


def test_a_cubic_that_overshoots_black_and_white_stays_within():
    pixels = np.zeros((20, 20, 3), dtype="uint8")
    pixels[5:15, 5:15] = 255
    config = PreprocessConfig(canvas_size=32, crop_size=24, resample="bicubic")

    canvas = Preprocessor(config).to_canvas(pixels).numpy().astype(int)

    expected = np.asarray(Image.fromarray(pixels).resize((32, 32), Image.BICUBIC))
    assert np.abs(canvas - expected).max() <= 20  # a level that wraps is off by 200
    # next to the edge a cubic asks for less than 0 and more than 255
    assert canvas[6, 16].tolist() == [0] * 3
    assert canvas[9, 16].tolist() == [255] * 3


@pytest.mark.parametrize("size", [(32, 50), (50, 32)])
def test_a_picture_with_one_side_of_the_canvas_is_resized_along_the_other(size):
    image = picture(*size)

    canvas = Preprocessor(SQUASH).to_canvas(np.asarray(image)).numpy().astype(int)

    expected = np.asarray(image.resize((32, 32), Image.BILINEAR))
    assert canvas.shape == (32, 32, 3)
    assert np.abs(canvas - expected).max() <= 3


@pytest.mark.parametrize("config", [SQUASH, CROP])
@pytest.mark.parametrize("size", [(90, 41), (41, 90), (50, 50)])
def test_strips_make_the_canvas_that_the_whole_picture_makes(size, config, monkeypatch):
    monkeypatch.setattr(preprocess, "STRIP_PIXELS", 90 * 7)  # the last is not full
    image, preprocessor = np.asarray(picture(*size)), Preprocessor(config)

    strips = preprocessor.to_canvas_in_strips(image, tf.identity).numpy().astype(int)

    assert np.abs(strips - preprocessor.to_canvas(image).numpy()).max() <= 1


@pytest.mark.parametrize("shape", [(1500, 300, 3), (300, 1500, 3)])
def test_strips_hold_few_pixels_and_together_all(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, "uint8")
    seen: list[int] = []

    def to_rgb(strip):
        seen.append(strip.shape[0] * strip.shape[1])
        return tf.convert_to_tensor(strip)

    Preprocessor(PreprocessConfig(8, 8)).to_canvas_in_strips(image, to_rgb)

    assert len(seen) == 2  # 174 lines of 1500 pixels, and 126
    assert max(seen) <= 2**18
    assert sum(seen) == 1500 * 300
