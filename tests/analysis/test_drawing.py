"""Pixels of overlays by hand."""

from __future__ import annotations

import numpy as np

from pixsent_tf.analysis.drawing import (
    CAPTION,
    GAP,
    THUMBNAIL,
    cells_overlay,
    contact_sheet,
    map_sheet,
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


def test_a_row_is_as_high_as_its_highest_picture():
    flat = np.full((64, 256, 3), 10, "uint8")

    sheet = contact_sheet([flat, flat, flat], ["", "", ""], columns=2)

    assert len(sheet) == 2 * (64 + CAPTION + GAP) + GAP
    assert sheet[GAP + 64 + CAPTION + GAP, GAP, 0] == 10


def test_a_map_stands_below_its_picture_and_the_colors_below_all():
    images = [np.full((64, 256, 3), value, "uint8") for value in (60, 90, 120)]
    maps = [np.full((7, 7), value) for value in (0.0, 0.5, 1.0)]

    sheet = map_sheet(
        images, maps, ["", "", ""], ["", "", ""], low="less", high="more", columns=2
    )

    step_x, step_y = THUMBNAIL + GAP, 64 + CAPTION + GAP
    assert sheet[GAP, GAP].tolist() == [60, 60, 60]
    assert sheet[GAP + step_y, GAP + step_x].tolist() == [90, 90, 90]  # undecided
    red, green, _ = sheet[GAP + step_y, GAP].tolist()
    assert red > green + 50
    red, green, _ = sheet[GAP + 3 * step_y, GAP].tolist()
    assert green > red + 30
    legend = sheet[GAP + 4 * step_y : -GAP].astype(int)
    colored = legend[np.ptp(legend, axis=-1).max(axis=1) > 50]
    most_pink, most_green = (
        np.argmax(colored[0, :, 0] - colored[0, :, 1]),
        np.argmax(colored[0, :, 1] - colored[0, :, 0]),
    )
    assert most_pink < most_green


def test_one_narrow_map_has_its_colors_too():
    sheet = map_sheet([GRAY], [np.ones((7, 7))], ["a"], ["b"], low="less", high="more")

    assert sheet.shape[1] == THUMBNAIL + 2 * GAP
    assert np.ptp(sheet[-2 * GAP :].astype(int), axis=-1).max() > 50


def test_a_panel_shows_the_picture_and_its_maps():
    black, white = np.zeros_like(GRAY), np.full_like(GRAY, 255)

    one, nine = (
        panel([("a", black)] * count, title="holiday.jpg", low="less", high="more")
        for count in (1, 9)
    )

    assert one.dtype == np.uint8
    assert (nine == 0).all(axis=2).sum() > 6 * (one == 0).all(axis=2).sum()
    shown = panel([("a", white)], title="", low="less", high="more")
    assert (shown == 0).all(axis=2).sum() < (one == 0).all(axis=2).sum() / 10
