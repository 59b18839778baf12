"""Pixels of overlays by hand."""

from __future__ import annotations

import numpy as np

from pixsent_tf.analysis.drawing import (
    GAP,
    THUMBNAIL,
    cells_overlay,
    contact_sheet,
    panel,
    smooth_overlay,
    thumbnail,
)

GRAY = np.full((40, 60, 3), 100, dtype="uint8")


def test_the_papers_cells_are_red_and_green_half_transparent():
    drawn = cells_overlay(GRAY, np.array([[0.0, 1.0]]))

    assert drawn[0, 29].tolist() == [178, 50, 50]  # (100 + 255) / 2, to the even
    assert drawn[0, 30].tolist() == [50, 178, 50]


def test_an_undecided_map_leaves_the_gray_picture():
    drawn = smooth_overlay(GRAY, np.full((7, 7), 0.5))

    assert np.array_equal(drawn, GRAY)


def test_a_sure_map_is_pink_or_green():
    red, green, _ = smooth_overlay(GRAY, np.zeros((7, 7)))[0, 0].tolist()
    assert red > green + 50
    red, green, _ = smooth_overlay(GRAY, np.ones((7, 7)))[0, 0].tolist()
    assert green > red + 30


def test_a_thumbnail_keeps_the_shape_of_the_picture():
    assert thumbnail(np.zeros((400, 800, 3), "uint8")).shape == (128, 256, 3)


def test_a_sheet_has_each_picture_in_its_place():
    pictures = [np.full((256, 256, 3), value, "uint8") for value in (10, 20, 30)]

    sheet = contact_sheet(pictures, ["a", "b", "long " * 40], columns=2)

    middle, step = GAP + THUMBNAIL // 2, THUMBNAIL + GAP
    assert sheet[middle, middle, 0] == 10
    assert sheet[middle, middle + step, 0] == 20
    assert sheet[middle + step + 18, middle, 0] == 30


def test_a_panel_shows_the_picture_and_two_maps():
    drawn = panel(GRAY, np.eye(7), np.eye(14), title="holiday.jpg")

    assert drawn.dtype == np.uint8
    assert drawn.std() > 10
