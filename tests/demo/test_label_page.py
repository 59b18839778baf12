"""Labelling in a browser: keys are pressed, and the table holds what was pressed."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.demo.conftest import CHROMIUM

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="needs chromium"),
]
ROOT = Path(__file__).parents[2]
COUNT = 30
LABELS = ("negative", "positive", "skip")
PRESSED = {
    who: [int(i) for i in np.random.default_rng(seed).integers(0, 3, COUNT)]
    for seed, who in enumerate(("ada", "bob"))
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Forty pictures, of which no two are alike, in a folder that tells their label."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "negative").mkdir()
    for number in range(40):
        color = (6 * number, 255 - 6 * number, 90)
        Image.new("RGB", (60, 40), color).save(folder / f"negative/{number:02}.png")
    return folder


class Labelling:
    """`pixsent-tf label` as a process, and its page."""

    def __init__(self, folder: Path, annotator: str, *more: str) -> None:
        command = [sys.executable, "-m", "pixsent_tf", "label", "negative"]
        command += ["--out", "labels.csv", "-n", str(COUNT), "--port", "0"]
        self.process = subprocess.Popen(
            [*command, "--annotator", annotator, *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # where --json leaves the page's address
            text=True,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        line = self.process.stdout.readline()
        self.address = re.search(r"http://[\d.:]+/", line)[0]

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=30)

    def end(self) -> str:
        output, _ = self.process.communicate(timeout=30)
        assert self.process.returncode == 0
        return output


@pytest.fixture
def start(folder, request):
    """Start labelling; whatever still runs at the end is ended."""
    begun: list[Labelling] = []

    def start(annotator: str, *more: str) -> Labelling:
        begun.append(Labelling(folder, annotator, *more))
        return begun[-1]

    yield start
    for one in begun:
        if one.process.poll() is None:
            one.kill()


@pytest.fixture
def page(browser):
    """A page; afterwards nothing may have been complained of or asked elsewhere."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    context.on("request", lambda request: requests.append(request.url))
    yield page
    context.close()
    refused = "409 (CONFLICT)"  # what a second window gets to hear
    assert [one for one in complaints if refused not in one] == []
    strange = r"http://127\.0\.0\.1:\d+/|data:"
    assert [url for url in requests if not re.match(strange, url)] == []


def expect(what):
    """Wait until something is so, for a machine that is busy."""
    sync_api.expect.set_options(timeout=30_000)
    return sync_api.expect(what)


def wait_for(page, number: int) -> None:
    """Wait until a picture is on the page, to be labelled."""
    name = f"Picture {number + 1} of {COUNT}"
    expect(page.get_by_role("img", name=name)).to_be_visible()
    expect(page.locator("#view")).to_have_attribute("aria-busy", "false")


def press(page, number: int, choice: int) -> None:
    wait_for(page, number)
    page.keyboard.press(str(choice + 1))
    done = page.locator("#progress")
    expect(done).to_have_attribute("aria-valuetext", f"{number + 1} of {COUNT}")


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "labels.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_thirty_pictures_by_two_people_with_undo_and_a_kill(start, page, folder):
    ada = start("ada")
    page.goto(ada.address)
    for number in range(12):
        press(page, number, PRESSED["ada"][number])
    # a wrong key, taken back: by the letter, then by the other key
    for undo in ("u", "Backspace"):
        press(page, 12, (PRESSED["ada"][12] + 1) % 3)
        page.keyboard.press(undo)
        wait_for(page, 12)
    assert len(rows(folder)) == 12
    ada.kill()
    assert len(rows(folder)) == 12
    ada = start("ada", "--json")
    page.goto(ada.address)
    for number in range(12, COUNT):
        press(page, number, PRESSED["ada"][number])
    expect(
        page.get_by_role("heading", name="All pictures are labelled")
    ).to_be_visible()
    page.get_by_role("button", name="Finish").click()
    told = json.loads(ada.end())
    assert (told["left"], told["agreement"]) == (0, None)

    bob = start("bob")
    page.goto(bob.address)
    for number in range(COUNT):
        press(page, number, PRESSED["bob"][number])
    page.get_by_role("button", name="Finish").click()
    output = bob.end()

    found = rows(folder)
    order = [row["path"] for row in found[:COUNT]]
    assert len(set(order)) == COUNT
    for who, part in (("ada", found[:COUNT]), ("bob", found[COUNT:])):
        assert [row["path"] for row in part] == order
        assert [LABELS.index(row["label"]) for row in part] == PRESSED[who]
        assert {row["annotator"] for row in part} == {who}
        assert {row["probability"] for row in part} == {"0.75"}
        assert all(0 <= float(row["seconds"]) < 60 for row in part)
    both = [pair for pair in zip(*PRESSED.values(), strict=True) if 2 not in pair]
    agree = np.mean([a == b for a, b in both])
    assert f"shared                {len(both)} pictures" in output
    assert f"all agree             {agree:.1%}" in output


def test_a_narrow_page_and_a_reader_of_the_screen(start, page, folder):
    session = start("cleo")
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto(session.address)
    wait_for(page, 0)

    html = page.locator("html")
    size = [html.evaluate(f"html => html.scroll{side}") for side in ("Width", "Height")]
    assert size == [400, 800]
    status = page.get_by_role("status")
    expect(status).to_have_text(
        f"Picture 1 of {COUNT}. Keys: 1 negative, 2 positive, 3 skip, u undo, z zoom."
    )
    page.get_by_role("button", name="positive").click()
    expect(status).to_have_text(f"Saved: positive. Picture 2 of {COUNT}.")
    wait_for(page, 1)
    tree = page.locator("body").aria_snapshot()
    for control in ("button", "heading", "progressbar", "img", "group"):
        assert re.search(rf'- {control} "[^"]+"', tree), control
    assert "negative/" not in page.content()  # a folder's name would tell


def test_zoom_makes_the_picture_larger_and_the_next_one_starts_whole(start, page):
    page.goto(start("dora").address)
    wait_for(page, 0)
    image = page.locator("#view img")
    before = image.bounding_box()["width"]

    page.keyboard.press("z")

    expect(page.get_by_role("button", name="Zoom")).to_have_attribute(
        "aria-pressed", "true"
    )
    assert image.bounding_box()["width"] > before
    press(page, 0, 1)
    wait_for(page, 1)
    assert not page.locator("#view.zoomed").count()
    page.keyboard.press("u")
    wait_for(page, 0)
    assert image.bounding_box()["width"] == before


def test_a_second_window_does_not_label_a_picture_twice(start, page, folder):
    session = start("eve")
    page.goto(session.address)
    wait_for(page, 0)
    other = page.context.new_page()
    other.goto(session.address)
    press(other, 0, 0)

    page.keyboard.press("2")

    wait_for(page, 1)
    own = [row["label"] for row in rows(folder) if row["annotator"] == "eve"]
    assert own == ["negative"]


def test_ctrl_c_ends_it_and_says_what_is_left(start, page):
    session = start("finn")
    page.goto(session.address)
    press(page, 0, 0)
    session.process.send_signal(signal.SIGINT)

    assert f"left                  {COUNT - 1}; start it again" in session.end()
