"""The page in a browser: pictures go in, answers, maps and a table come out."""

from __future__ import annotations

import csv
import re
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.demo.server import DemoApp, local_hosts, open_server
from tests.demo.conftest import CHROMIUM
from tests.float32 import assert_close_float32
from tests.serving.conftest import OPERATIONS

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="needs chromium"),
]
LIMIT = 1_000_000
NAMES = ("wide <b>.png", "high, or so.jpg", "small.webp")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> list[Path]:
    """Three pictures of different kinds, with names that need care."""
    folder = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(3)
    paths = []
    for name, shape in zip(NAMES, ((60, 240), (300, 200), (20, 20)), strict=True):
        color, slope = generator.integers(0, 200, 3), np.linspace(0, 55, shape[1])
        pixels = (np.ones((*shape, 1)) * color) + slope[None, :, None]
        paths.append(folder / name)
        Image.fromarray(pixels.astype("uint8")).save(paths[-1])
    return paths


@pytest.fixture(scope="module")
def broken(tmp_path_factory) -> Path:
    """A file that only looks like a photograph."""
    path = tmp_path_factory.mktemp("broken") / "broken.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0 and nothing more")
    return path


@pytest.fixture(scope="module")
def address(answerer):
    """Where the page is, as long as the tests of this module run."""
    app = DemoApp(answerer, max_bytes=LIMIT, hosts=local_hosts("127.0.0.1"))
    server = open_server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/"
    server.shutdown()
    thread.join(10)


@pytest.fixture
def page(browser, address):
    """The page; afterwards nothing may have been complained of or asked elsewhere."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    context.on("request", lambda request: requests.append(request.url))
    page.goto(address)
    expect(page.locator("#limit")).to_contain_text("1 MB each")
    yield page
    context.close()
    assert complaints == []
    elsewhere = [url for url in requests if not url.startswith((address, "data:"))]
    assert [url for url in elsewhere if not url.startswith(f"blob:{address}")] == []
    assert len(requests) > 3


def expect(what):
    """Wait until something is so, for a machine that is busy."""
    sync_api.expect.set_options(timeout=30_000)
    return sync_api.expect(what)


def add(page, *paths: Path) -> None:
    """Choose files, and wait until all have their answers."""
    page.locator("#files").set_input_files([str(path) for path in paths])
    expect(page.locator("#rows tr").last).not_to_contain_text("waiting")


def scroll_width(page) -> int:
    """Width that the page needs."""
    return page.locator("html").evaluate("html => html.scrollWidth")


def test_several_pictures_are_answered_in_a_table(page, pictures, answerer):
    add(page, *pictures)

    expect(page.locator("#status")).to_have_text("3 pictures done.")
    rows = page.locator("#rows tr")
    expect(rows).to_have_count(3)
    for number, (path, expected) in enumerate(
        zip(pictures, answerer.model.predict(pictures), strict=True)
    ):
        name, label, prob = (
            rows.nth(number).locator("td").nth(column).text_content()
            for column in range(3)
        )
        unsure = expected.probs.max() < answerer.describe()["threshold"]
        assert name == path.name
        assert label == ("unsure" if unsure else expected.answer)
        shown = float(re.search(r"[\d.]+", prob)[0])
        assert shown == pytest.approx(100 * expected.probs[1], abs=0.51)


def test_the_first_picture_is_shown_with_its_map(page, pictures):
    add(page, *pictures)

    expect(page.locator("#name")).to_have_text(NAMES[0])
    overlay = page.get_by_role("img", name="Sentiment map of wide")
    expect(overlay).to_be_visible()
    smooth = overlay.get_attribute("src")
    assert smooth.startswith("data:image/jpeg")
    assert overlay.evaluate("image => image.naturalWidth") == 240
    page.get_by_label("cells").check()
    assert overlay.get_attribute("src") not in (smooth, None)
    page.get_by_label("picture", exact=True).check()
    expect(overlay).to_be_hidden()
    assert page.locator("#picture").evaluate("image => image.naturalWidth") == 240


def test_another_picture_is_shown_when_its_row_is_chosen(page, pictures):
    add(page, *pictures)

    page.get_by_role("button", name=NAMES[1]).click()

    expect(page.locator("#name")).to_have_text(NAMES[1])
    expect(page.get_by_role("img", name="Sentiment map of high")).to_be_visible()
    assert page.locator("tr[aria-current=true]").count() == 1


def test_the_table_comes_as_the_csv_of_predict(
    page, pictures, broken, answerer, tmp_path
):
    add(page, *pictures, broken)

    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download CSV").click()
    waiting.value.save_as(tmp_path / "table.csv")

    assert waiting.value.suggested_filename == "predictions.csv"
    with open(tmp_path / "table.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        *("path", "answer", "prob_negative", "prob_positive", "status")
    ]
    assert [row["path"] for row in rows] == [*NAMES, "broken.jpg"]
    for row, expected in zip(rows[:3], answerer.model.predict(pictures), strict=True):
        assert_close_float32(
            float(row["prob_positive"]),
            expected.prob_positive,
            operations=OPERATIONS,
            scale=1,
        )
        assert row["status"] == "ok"
    assert list(rows[3].values()) == ["broken.jpg", "", "", "", "truncated"]


def test_a_broken_file_gets_a_message_and_the_others_their_answers(
    page, pictures, broken
):
    add(page, broken, pictures[0])

    status = page.get_by_role("status")
    expect(status).to_contain_text("broken.jpg")
    expect(status).to_have_class("wrong")
    assert "/tmp" not in status.text_content()
    expect(page.locator("#name")).to_have_text(NAMES[0])
    page.get_by_role("button", name="broken.jpg").click()
    expect(page.locator("#answer")).to_have_text("not readable")
    expect(page.locator("#picture")).to_be_hidden()


def test_an_empty_file_and_one_that_is_too_large_get_messages(page, tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "large.jpg").write_bytes(bytes(LIMIT + 1))
    add(page, tmp_path / "empty.jpg", tmp_path / "large.jpg")

    expect(page.locator("#rows tr").nth(0)).to_contain_text("is empty (0 bytes).")
    expect(page.locator("#rows tr").nth(1)).to_contain_text("the limit is 1 MB.")
    expect(page.get_by_role("status")).to_contain_text("2 files could not be read")


def test_the_band_of_unsure_is_moved_with_the_slider(page, pictures, answerer):
    add(page, *pictures)
    slider = page.get_by_role("slider")
    expect(page.locator("#threshold-note")).to_contain_text("right on 95")
    threshold = answerer.describe()["threshold"]
    expect(page.locator("#threshold-value")).to_have_text(f"{100 * threshold:.1f} %")

    slider.fill("1")

    expect(page.locator("#answer")).to_have_text("unsure")
    expect(page.locator("#counts")).to_have_text("3 pictures: 3 unsure.")
    slider.fill("0.5")
    expect(page.locator("#counts")).not_to_contain_text("unsure")


def test_the_table_is_put_in_order_of_the_answers(page, pictures, answerer):
    add(page, *pictures)
    probs = [one.prob_positive for one in answerer.model.predict(pictures)]

    page.get_by_label("Order").select_option(label="most positive first")

    names = page.locator("#rows button").all_text_contents()
    assert names == [NAMES[number] for number in np.argsort(probs)[::-1]]


def test_everything_can_be_done_from_the_keyboard(page, pictures, broken):
    page.keyboard.press("Tab")
    with page.expect_file_chooser() as waiting:
        page.keyboard.press("Enter")
    waiting.value.set_files([str(path) for path in (*pictures, broken)])
    expect(page.get_by_role("status")).to_contain_text("broken.jpg")
    expect(page.locator("#views")).to_be_visible()

    stops = []
    for _ in range(14):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        stops.append(focused.evaluate("e => e.id || e.name || e.textContent"))
        if stops[-1] == "view":
            page.keyboard.press("ArrowRight")
            expect(page.get_by_label("cells")).to_be_checked()
        if stops[-1] == "threshold":
            before = page.locator("#threshold-value").text_content()
            page.keyboard.press("ArrowRight")
            assert page.locator("#threshold-value").text_content() != before
        if stops[-1] == NAMES[2]:
            page.keyboard.press("Enter")
            break

    assert stops[:2] == ["folder", "view"]
    assert {"threshold", "order", "csv", "clear"} < set(stops)
    expect(page.locator("#name")).to_have_text(NAMES[2])
    expect(page.locator("#answer")).to_be_focused()


def test_every_control_has_a_name_for_a_screen_reader(page, pictures):
    add(page, *pictures)

    tree = page.locator("body").aria_snapshot()

    for control in ("button", "radio", "slider", "combobox", "heading", "region"):
        assert re.search(rf'- {control} "[^"]+"', tree), control
        assert not re.search(rf"- {control}(:|$| \[)", tree, re.MULTILINE), control
    assert "From negative to positive:" in tree


def test_a_folder_that_is_dropped_is_walked(page, pictures):
    (pictures[0].parent / "notes.txt").write_text("no picture")
    session = page.context.new_cdp_session(page)
    data = {
        "items": [],
        "files": [str(pictures[0].parent)],
        "dragOperationsMask": 1,
    }
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send(
            "Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 200, "data": data}
        )

    expect(page.get_by_role("status")).to_have_text("3 pictures done.")
    assert sorted(page.locator("#rows button").all_text_contents()) == sorted(NAMES)


def test_clearing_makes_room_for_the_next_pictures(page, pictures):
    add(page, *pictures)

    page.get_by_role("button", name="Clear").click()

    expect(page.locator("#results")).to_be_hidden()
    add(page, pictures[2])
    expect(page.locator("#name")).to_have_text(NAMES[2])
    expect(page.locator("#rows tr")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_page_needs_no_sideways_scrolling(page, pictures, broken, scheme):
    page.set_viewport_size({"width": 400, "height": 800})
    page.emulate_media(color_scheme=scheme)
    assert scroll_width(page) == 400

    add(page, *pictures, broken)

    expect(page.locator("#overlay")).to_be_visible()
    assert scroll_width(page) == 400
    assert page.locator("#picture").bounding_box()["width"] == 240
