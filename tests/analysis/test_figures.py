"""Figures are SVG that stands inside a page, in the page's colors."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from pixsent_tf.analysis import figures

BINS = np.array([0.1, np.nan, 0.9])

DRAWN = {
    "confusion": lambda: figures.confusion(np.array([[5, 1], [2, 8]]), ("no", "yes")),
    "roc": lambda: figures.roc(np.array([0, 0.2, 1]), np.array([0, 0.9, 1]), area=0.85),
    "reliability": lambda: figures.reliability(BINS, BINS, np.array([4, 0, 6])),
    "history": lambda: figures.history(
        [{"epoch": i, "loss": 1 / (i + 1), "accuracy": 0.5} for i in range(3)]
    ),
}


@pytest.fixture(scope="module", params=DRAWN)
def drawn(request):
    return request.param, DRAWN[request.param]()


def test_a_figure_is_one_svg_element_without_a_fixed_size(drawn):
    _, text = drawn
    root = ElementTree.fromstring(text)

    assert root.tag.endswith("svg")
    assert "viewBox" in root.attrib
    assert not {"width", "height"} & set(root.attrib)


def test_ids_of_two_figures_never_meet(drawn):
    name, text = drawn

    ids = re.findall(r'\bid="([^"]*)"', text)
    uses = re.findall(r'(?:url\(#|href="#)([^")]*)', text)
    assert ids
    assert all(found.startswith(f"{name}-") for found in ids + uses)
    assert set(uses) <= set(ids)


def test_text_takes_the_color_of_the_page(drawn):
    _, text = drawn

    assert "currentColor" in text
    assert figures.INK not in text


def test_the_same_numbers_give_the_same_bytes():
    assert DRAWN["roc"]() == DRAWN["roc"]()


def test_confusion_tells_counts_and_shares():
    text = DRAWN["confusion"]()

    for written in ("83.3%", "16.7%", "20.0%", "80.0%"):
        assert written in text


def test_confusion_of_many_classes_tells_counts_and_turns_their_names():
    counts = np.diag([11, 12, 13, 14])
    counts[0, 3] = 55

    text = figures.confusion(counts, ("amusement", "awe", "contentment", "excitement"))

    for written in ("11", "14", "55"):
        assert f">{written}<" in text
    assert ">0<" not in text
    assert text.count("rotate(-45 ") == 4


def test_a_history_of_penalties_has_a_logarithmic_axis():
    rows = [
        {"fold": fold, "inverse_penalty": 10.0**-i, "inner_log_loss": 0.5 + i}
        for fold in (1, 2)
        for i in range(3)
    ]

    text = figures.history(rows)

    assert "inverse penalty" in text
    assert text.count("inner log loss") == 1  # one legend entry for all folds
