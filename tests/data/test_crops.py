"""Which pixels a crop holds."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.data.crops import CENTER, NUM_CROPS, center_crop, ten_crop

NUMBERED = np.arange(16, dtype="float32").reshape(1, 4, 4, 1)  # in reading order


def test_corners_center_and_mirrors_in_documented_order():
    top_left_pixels = ten_crop(NUMBERED, crop_size=2)[0, :, 0, 0, 0]

    assert top_left_pixels.numpy().tolist() == [0, 2, 8, 10, 5, 1, 3, 9, 11, 6]


def test_there_are_ten_and_the_center_is_where_it_is_said_to_be():
    crops = ten_crop(NUMBERED, crop_size=2)

    assert crops.shape[1] == NUM_CROPS
    np.testing.assert_array_equal(crops[:, CENTER], center_crop(NUMBERED, 2))


def test_the_center_of_an_odd_margin_lies_above_and_to_the_left():
    crop = np.asarray(center_crop(NUMBERED, 3))

    assert crop.ravel().tolist() == [0, 1, 2, 4, 5, 6, 8, 9, 10]


def test_the_whole_picture_is_its_own_center():
    np.testing.assert_array_equal(center_crop(NUMBERED, 4), NUMBERED)


def test_pictures_keep_their_dtype_and_do_not_mix():
    images = np.arange(32, dtype="uint8").reshape(2, 4, 4, 1)

    crops = ten_crop(images, crop_size=2).numpy()

    assert crops.dtype == np.uint8
    assert crops[0].max() < 16 <= crops[1].min()


@pytest.mark.parametrize("cut", [center_crop, ten_crop])
def test_crop_larger_than_the_image_is_refused(cut):
    with pytest.raises(ValueError, match="crop_size=5 does not fit images of 4x4"):
        cut(NUMBERED, 5)


def test_each_side_has_a_center_of_its_own():
    wide = np.arange(24, dtype="float32").reshape(1, 3, 8, 1)

    crops = ten_crop(wide, crop_size=2)[0, :5, 0, 0, 0]

    assert crops.numpy().tolist() == [0, 6, 8, 14, 3]
    assert center_crop(wide, 2)[0, 0, 0, 0] == 3
