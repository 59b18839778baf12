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
