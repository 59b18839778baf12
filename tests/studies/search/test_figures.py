"""The drawing of a search: every trial, every setting that varied."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from pixsent_tf.studies.search import figures


def row(fold, loss, *, is_winner=False, **settings):
    return {
        "fold": fold,
        "loss": loss,
        "is_winner": is_winner,
        "settings": settings,
    }


@pytest.fixture
def text():
    return figures.search(
        [
            row(1, 0.5, backbone="small", rate=1e-5, strategy="head"),
            row(1, 0.3, backbone="large", rate=1e-3, strategy="head", is_winner=True),
            row(2, 0.4, backbone="small", strategy="head", is_winner=True),
        ]
    )


def test_the_drawing_is_well_formed_svg(text):
    assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"


def test_settings_that_varied_are_named_and_others_are_not(text):
    words = "".join(ElementTree.fromstring(text).itertext())

    assert "inner loss" in words
    assert "backbone" in words
    assert "rate" in words
    assert "large" in words
    assert "strategy" not in words


def test_a_single_trial_can_be_drawn():
    assert "<svg" in figures.search([row(1, 0.5, backbone="small")])
