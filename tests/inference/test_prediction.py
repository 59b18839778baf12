"""What is said of one file: the answer, its columns and its status."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.errors import ImageError
from pixsent_tf.inference.prediction import (
    Prediction,
    answer_cells,
    answer_columns,
    find_positive,
    name_answer,
    read_status,
)

NAMES = ("positive", "neutral", "negative")  # not in the order of the alphabet


@pytest.mark.parametrize(
    ("probs", "threshold", "answer"),
    [
        ([0.5, 0.2, 0.3], 0.0, "positive"),
        ([0.2, 0.3, 0.5], 0.5, "negative"),  # as sure as the threshold
        ([0.25, 0.5, 0.25], 0.51, "unsure"),
        ([0.4, 0.4, 0.2], 0.0, "positive"),  # the first of the likeliest
        ([1 / 3, 1 / 3, 1 / 3], 0.0, "unsure"),  # no photograph
    ],
)
def test_the_likeliest_class_is_the_answer_where_it_is_sure_enough(
    probs, threshold, answer
):
    given = np.array(probs, "float32")

    assert name_answer(given, NAMES, threshold=threshold) == answer
    one = Prediction("a.jpg", given, class_names=NAMES, threshold=threshold)
    assert one.answer == answer
    assert one.prob_positive == pytest.approx(probs[0])


def test_a_file_that_cannot_be_read_has_neither_answer_nor_probability():
    one = Prediction("a.jpg", None, ImageError("a.jpg is empty.", "empty"))

    assert (one.answer, one.prob_positive) == (None, None)


def test_classes_of_which_none_is_positive_have_no_positive_probability():
    one = Prediction("a.jpg", np.array([0.1, 0.9]), class_names=("awe", "fear"))

    assert find_positive(("awe", "fear")) is None
    assert (one.answer, one.prob_positive) == ("fear", None)


def test_cells_stand_below_their_columns_in_the_order_of_the_classes():
    row = {
        "path": "a.jpg",
        "answer": "neutral",
        "probs": {"negative": 0.1, "neutral": 0.7, "positive": 0.2},
        "status": "ok",
    }
    unread = {"path": "b.jpg", "answer": None, "probs": None, "status": "empty"}

    columns = answer_columns(NAMES)

    assert columns == [
        *("path", "answer", "prob_positive", "prob_neutral", "prob_negative"),
        "status",
    ]
    assert answer_cells(row, NAMES) == ["a.jpg", "neutral", 0.2, 0.7, 0.1, "ok"]
    assert answer_cells(unread, NAMES) == ["b.jpg", None, None, None, None, "empty"]


def test_a_jpeg_without_its_end_is_told_as_repaired(tmp_path: Path):
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (20, 30, 3), "uint8")
    Image.fromarray(noise).save(buffer, "JPEG")
    whole, ended = tmp_path / "whole.jpg", tmp_path / "unended.jpg"
    whole.write_bytes(buffer.getvalue())
    ended.write_bytes(buffer.getvalue()[:-2])

    assert read_status(str(whole)) == "ok"
    assert read_status(str(ended)) == "ok (repaired)"
    assert read_status("bytes 0") == "ok"  # a picture in memory
