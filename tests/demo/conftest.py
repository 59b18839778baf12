"""A small model that knows when it is unsure, and a browser to look at it with."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.demo.answers import Answerer
from pixsent_tf.inference.model import SentimentModel
from tests.serving.conftest import tiny_model

__all__ = ["answerer", "tiny_model"]

CHROMIUM = shutil.which("chromium")

# Right above 0.6, every other time below: so 0.95 are right above about 0.57.
HELD_OUT = [
    (float(sure), bool(sure > 0.6 or number % 2))
    for number, sure in enumerate(np.linspace(0.5, 0.99, 50))
]


@pytest.fixture(scope="session")
def answerer(tiny_model) -> Answerer:
    """The tiny model with held-out answers of its own."""
    classifier = tiny_model.classifier
    model = SentimentModel.build(
        classifier,
        PreprocessConfig(20, 16),
        ("negative", "positive"),
        temperature=1.5,
        held_out=HELD_OUT,
    )
    return Answerer(model, "tiny")


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium without a window."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield browser
        browser.close()
