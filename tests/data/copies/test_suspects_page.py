"""The page in a browser: suspects are decided on by keys, and the list comes out."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import DataConfig
from pixsent_tf.data.copies import page
from pixsent_tf.data.copies.audit import audit, open_parts
from tests.demo.conftest import CHROMIUM, browser

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="needs chromium"),
]
__all__ = ["browser"]
NAMES = ('a, "quoted".png', "b.png", "c.png", "d.png")


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    """A page with three suspects of four pictures, in groups."""
    folder = tmp_path_factory.mktemp("doubted")
    rng = np.random.default_rng(0)
    lines = io.StringIO()
    table = csv.writer(lines)
    table.writerow(["path", "label", "group"])
    for number, name in enumerate(NAMES):
        pixels = rng.integers(0, 256, (6, 9, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((360, 240)).save(folder / name)
        table.writerow([name, ("negative", "positive")[number % 2], f"g{number // 2}"])
    (folder / "labels.csv").write_text(lines.getvalue())
    parts = open_parts(DataConfig(str(folder / "labels.csv")))
    findings = audit(parts)
    findings["parts"][0]["suspects"] = [
        {
            "rank": rank,
            "id": NAMES[i],
            "path": str(folder / NAMES[i]),
            "label": ("negative", "positive")[i % 2],
            "answer": ("positive", "negative")[i % 2],
            "prob_label": 0.1 * rank,
            "is_believed": rank == 1,
        }
        for rank, i in enumerate((1, 0, 3), start=1)
    ]
    text = page.render(findings, title="mine", parts=parts)
    (folder / "audit.html").write_text(text, "utf-8")
    return (folder / "audit.html").as_uri()


@pytest.fixture
def tab(browser, address):
    """The page, freshly opened by somebody new; an error in it fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(address)
    yield opened
    context.close()
    assert errors == []


def download(tab) -> list[list[str]]:
    with tab.expect_download() as waiting:
        tab.click("text=Download the corrected list")
    text = Path(waiting.value.path()).read_text("utf-8")
    return list(csv.reader(io.StringIO(text)))


def status(tab) -> str:
    return tab.inner_text("[role=status]")


def test_keys_decide_and_go_on(tab):
    tab.focus(".suspect >> nth=0")
    tab.keyboard.press("1")  # b: positive becomes negative
    tab.keyboard.press("1")  # a stays negative
    tab.keyboard.press("x")  # d goes

    assert status(tab) == "1 kept, 1 changed, 1 removed, 0 to go"
    rows = download(tab)
    assert rows[0] == ["path", "label", "group"]
    found = [(Path(path).name, label, group) for path, label, group in rows[1:]]
    assert found == [
        (NAMES[0], "negative", "g0"),
        (NAMES[1], "negative", "g0"),
        (NAMES[2], "negative", "g1"),
    ]


def test_the_list_is_one_that_fit_takes(tab, tmp_path):
    rows = download(tab)
    with (tmp_path / "corrected.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)

    (part,) = open_parts(DataConfig(str(tmp_path / "corrected.csv")))

    assert len(part) == 4
    assert part.groups.tolist() == [0, 0, 1, 1]


def test_a_decision_is_taken_back(tab):
    tab.focus(".suspect >> nth=1")
    tab.keyboard.press("x")
    tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("u")

    assert status(tab) == "0 kept, 0 changed, 0 removed, 3 to go"


def test_a_click_decides_too_and_a_reload_forgets_nothing(tab):
    tab.click(".suspect >> nth=2 >> button[data-choice=negative]")
    tab.reload()

    assert status(tab) == "0 kept, 1 changed, 0 removed, 2 to go"
    pressed = tab.locator("[aria-pressed=true]")
    assert pressed.all_inner_texts() == ["negative"]


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_is_wider_than_the_window(browser, address, width):
    with browser.new_context(viewport={"width": width, "height": 900}) as context:
        opened = context.new_page()
        opened.goto(address)
        wide = opened.evaluate("document.documentElement.scrollWidth")

    assert wide <= width
