"""Figures of tables: every row is there, and the file is one that opens."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image

from pixsent_tf.studies.paper.figures import OURS, PAPER, layers_figure, rows_figure

ROW = {"name": "a", "view": "center", "ours": 0.7, "interval": [0.6, 0.8]}
HISTORY = {"a": [{"fold": 1, "epoch": 1, "loss": 0.7}]}


def pixels_of(png, color):
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")) / 255
    return int((np.abs(pixels - to_rgb(color)).max(axis=-1) < 0.02).sum())


def test_ours_and_the_paper_are_drawn_in_their_colors():
    both = rows_figure("T", [{**ROW, "paper": 0.9}], {"five": 0.6}, HISTORY)
    alone = rows_figure("T", [{**ROW, "paper": None}], {"five": 0.6}, HISTORY)

    assert pixels_of(both, OURS) > 100
    assert pixels_of(both, PAPER) > pixels_of(alone, PAPER)  # the legend has one too


def test_a_table_without_rows_is_drawn():
    png = rows_figure("T", [], {}, {}, note="nothing was run")

    assert Image.open(io.BytesIO(png)).format == "PNG"


def test_the_same_table_gives_the_same_file():
    draw = [rows_figure("T", [{**ROW, "paper": 0.9}], {}, HISTORY) for _ in "12"]

    assert draw[0] == draw[1]


def test_a_layer_without_a_published_number_leaves_a_gap():
    curves = {"paper, svm": [0.6, None, 0.8], "svm": [0.5, 0.6, 0.7]}

    png = layers_figure("T", ["conv1", "conv2", "fc6"], curves, 0.6)

    assert Image.open(io.BytesIO(png)).format == "PNG"


def test_the_loss_of_an_epoch_is_the_mean_of_the_folds_that_tell_one():
    entries = [
        {"fold": 2, "epoch": 3, "loss": 0.9},  # the last epoch first
        {"fold": 1, "epoch": 1, "accuracy": 0.7},
        {"fold": 1, "epoch": 2, "loss": 0.25},
        {"fold": 3, "epoch": 2, "loss": 1.25},
        {"fold": 2, "epoch": 1, "loss": 2.0},
    ]
    means = [
        {"fold": 1, "epoch": 1, "loss": 2.0},
        {"fold": 1, "epoch": 2, "loss": 0.75},
        {"fold": 1, "epoch": 3, "loss": 0.9},
    ]

    drawn, expected, other = (
        rows_figure("T", [], {}, {"a": some}) for some in (entries, means, means[:2])
    )

    assert drawn == expected
    assert drawn != other


def test_every_rate_of_the_larger_class_is_a_line():
    row = [{**ROW, "paper": 0.9}]
    one = rows_figure("T", row, {"five": 0.65}, {})

    assert rows_figure("T", row, {"five": 0.65, "four": 0.65}, {}) == one
    assert rows_figure("T", row, {"five": 0.65, "four": 0.75}, {}) != one


def places_of(png: bytes, color: str) -> np.ndarray:
    """Rows and columns of the pixels of a color."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")) / 255
    return np.argwhere(np.abs(pixels - to_rgb(color)).max(axis=-1) < 0.02)


def test_rows_stand_from_above_with_their_own_intervals():
    wide = {**ROW, "interval": [0.2, 0.9], "ours": 0.25, "paper": None}
    narrow = {**ROW, "name": "b", "view": "ten_crop", "interval": [0.6, 0.7]}
    narrow = {**narrow, "ours": 0.65, "paper": None}

    places = places_of(rows_figure("T", [wide, narrow], {}, {}), OURS)

    widths = {}
    for row in np.unique(places[:, 0]):
        columns = places[places[:, 0] == row, 1]
        widths[int(row)] = int(np.ptp(columns))
    longest = sorted(widths, key=lambda row: -widths[row])[:2]
    below = [row for row in widths if row > max(longest) + 60]
    assert below  # the second row
    # .7 wide against .1: the first stands above
    assert widths[longest[0]] > 4 * max(widths[row] for row in below)


def test_a_gap_is_no_zero_and_what_the_paper_printed_is_hollow():
    def draw(name: str, value: float | None) -> bytes:
        return layers_figure("T", ["a", "b", "c"], {name: [0.6, value, 0.8]}, 0.6)

    assert draw("svm", None) != draw("svm", 0.0)
    assert draw("svm", None) == draw("svm", float("nan"))
    blue = "#1f77b4"  # the first color of the circle
    assert pixels_of(draw("paper", 0.7), blue) < pixels_of(draw("svm", 0.7), blue)


def test_the_note_and_the_line_of_the_larger_class_are_drawn():
    curves = {"svm": [0.5, 0.7]}
    plain = layers_figure("T", ["a", "b"], curves, 0.6)

    assert layers_figure("T", ["a", "b"], curves, 0.6, note="Smoke run") != plain
    assert layers_figure("T", ["a", "b"], curves, 0.55) != plain
    assert layers_figure("T", ["a", "c"], curves, 0.6) != plain
    assert rows_figure("T", [], {}, {}, note="x") != rows_figure("T", [], {}, {})
