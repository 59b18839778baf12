"""Shares as points with intervals."""

from __future__ import annotations

import pytest

from pixsent_tf.analysis.share_figure import draw


def cell(by, corrected, *, borrowed=False):
    share = {
        "plain": 0.6,
        "corrected": corrected,
        "interval": None if corrected is None else [corrected - 0.1, corrected + 0.1],
        "bounds": None,
    }
    return {
        "by": by,
        "num_examples": 9,
        "num_labels": 5,
        "num_unreadable": 0,
        "borrowed": borrowed,
        "shares": {"negative": share, "positive": share},
    }


def test_each_cell_has_its_share_and_its_interval():
    (axes,) = draw([cell({"tag": "a"}, 0.3), cell({"tag": "b"}, None)]).axes

    (interval,) = axes.collections
    assert interval.get_segments()[0][:, 1] == pytest.approx([0.2, 0.4])
    heights = [y for line in axes.lines for y in line.get_ydata()]
    assert heights == [0.6, 0.3, 0.6]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["a", "b"]
    assert axes.get_ylabel() == "share negative"


def test_without_labels_nothing_is_called_corrected():
    (axes,) = draw([cell({}, None)]).axes

    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "plain count"
    ]


def test_borrowed_labels_are_marked():
    (axes,) = draw([cell({}, 0.3, borrowed=True)]).axes

    assert axes.lines[1].get_markerfacecolor() == "white"
