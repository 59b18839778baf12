"""The page holds what it shows; the cards hold only measured numbers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

from pixsent_tf.config import ModelConfig, Recipe
from pixsent_tf.evaluation.metrics import summarize
from pixsent_tf.studies.report.card import CONFIDENCE, data_card, model_card
from pixsent_tf.studies.report.page import Gallery, Picture, data_uri, render_report

AUDIT = {
    "num_examples": 431,
    "classes": {"negative": 170, "positive": 261},
    "unreadable": [{"id": "x.jpg", "reason": "truncated", "message": "x"}],
    "exact_pairs": 7,
    "near_pairs": 9,
    "crossing": 3,
    "conflicting": 2,
}


@pytest.fixture(scope="module")
def results():
    generator = np.random.default_rng(0)
    labels = (generator.random(430) < 0.6).astype(int)
    positive = np.clip(labels * 0.4 + generator.random(430) * 0.6, 0, 1)
    probs = np.stack([1 - positive, positive], axis=1)
    known = {"labels": labels, "class_names": ("negative", "positive")}
    return {
        **summarize(probs=probs, folds=np.arange(430) % 5, **known),
        "ten_crop": summarize(probs=probs**1.1 / 2, **known),
        "confidence": CONFIDENCE,
        "abstention": [
            {"target": 0.95, "precision": 0.9423, "coverage": 0.61, "num_answered": 262}
        ],
        "label_ceiling": 0.9623,
        "unreadable": [{"id": "x.jpg", "reason": "truncated", "message": "x"}],
        "audit": AUDIT,
        "suspects": [
            {
                **{"rank": rank, "id": f"picture {rank}.jpg", "path": None},
                **{"label": "negative", "answer": "positive", "is_believed": True},
                "prob_label": rank / 100,
            }
            for rank in range(1, 23)
        ],
    }


@pytest.fixture(scope="module")
def page(results):
    image = data_uri(np.full((30, 40, 3), 200, "uint8"))
    picture = Picture("<a&b>.jpg", "negative", "positive", 0.93, image, image)
    return render_report(
        title="Run <1>",
        subtitle="430 pictures",
        results=results,
        figures=[("Confusion", '<svg viewBox="0 0 9 9"></svg>')],
        galleries=[Gallery("Surest mistakes", "Look.", [picture])],
        commands=["pixsent-tf evaluate runs/mine"],
        environment={"python": "3.11", "packages": {"keras": "3"}, "command": ["x"]},
        recipe='{"seed": 0}',
        notes=["5 of them trained it."],
    )


class _Page(HTMLParser):
    """Collects the addresses that a browser would load, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        wanted = {"src", "href", "srcset", "data"}
        self.addresses += [value for name, value in attrs if name in wanted]
        assert tag != "script"

    def handle_data(self, data):
        self.text += data + " "


def test_the_page_loads_nothing_from_elsewhere(page):
    addresses = _Page(page).addresses

    assert len(addresses) > 2
    assert all(address.startswith("data:") for address in addresses)
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)


def test_the_page_tells_the_numbers_and_their_intervals(page, results):
    text = " ".join(_Page(page).text.split())

    low, high = results["accuracy_interval"]
    assert f"{results['accuracy']:.3f} 95 % interval {low:.3f} to {high:.3f}" in text
    assert f"Always “positive” {results['majority_rate']:.3f}" in text
    assert "another person reaches 0.962" in text
    assert "5 of them trained it." in text
    assert "0.950 0.942 61.0 % 262 of 430" in text


def test_the_page_lists_the_first_labels_to_look_at_again(page):
    text = " ".join(_Page(page).text.split())

    assert "the first 20 of 22" in text
    assert "1 picture 1.jpg negative positive 0.010" in text
    assert "picture 20.jpg" in text
    assert "picture 21.jpg" not in text


def test_names_of_files_are_text_not_markup(page):
    assert "<a&b>.jpg" in _Page(page).text
    assert "Run <1>" in _Page(page).text


def test_every_section_with_nothing_to_say_is_left_out(results):
    bare = results | {"audit": None, "abstention": []}

    page = render_report(
        title="t",
        subtitle="s",
        results=bare,
        figures=[],
        galleries=[Gallery("Least sure", "…", [])],
        commands=[],
        environment={},
    )

    assert "The data" not in page
    assert "Least sure" not in page
    assert "unsure" not in page


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="needs chromium")
def test_a_browser_has_nothing_to_complain_about(page, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(page)

    done = subprocess.run(
        [
            *("chromium", "--headless", "--no-sandbox", "--disable-gpu"),
            *("--enable-logging=stderr", "--virtual-time-budget=2000"),
            *("--dump-dom", path.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )

    assert "Surest mistakes" in done.stdout
    assert "CONSOLE" not in done.stderr


def _numbers(value) -> set[float]:
    """Every number of the results, as written to its last place."""
    if isinstance(value, dict):
        return set().union(*(_numbers(v) for v in value.values()), set())
    if isinstance(value, list):
        return {len(value)}.union(*(_numbers(v) for v in value))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return set()
    return {round(value, 3), round(100 * value)}


def _written(text: str) -> list[float]:
    """Numbers that stand alone, not those inside of names such as apache-2.0."""
    found = re.findall(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w-]|\.\d)", text)
    return [float(number) for number in found]


def test_every_number_of_the_model_card_is_in_the_results(results):
    results = json.loads(json.dumps(results))

    card = model_card(
        name="mine", dataset="photos", how="held out", results=results, recipe=Recipe()
    )

    written = _written(card)
    assert len(written) > 30
    assert set(written) <= _numbers(results)


def test_the_model_card_has_the_front_matter_of_the_hub(results):
    card = model_card(name="mine", dataset="photos", how="held out", results=results)

    _, front, body = card.split("---\n", 2)
    assert front.startswith("license: apache-2.0\nlibrary_name: keras\n")
    assert f"      value: {results['accuracy']:.3f}\n" in front
    assert body.lstrip().startswith("# mine\n")


def test_every_number_of_the_data_card_is_in_the_results(results):
    card = data_card(dataset="photos", results=results)

    written = _written(card)
    assert {431, 170, 261, 7, 9, 3, 2} <= set(written)
    assert set(written) <= _numbers(results)


@pytest.mark.parametrize(
    ("backbone", "is_told"),
    [("efficientnet_lite0", False), ("hub:siglip2_base_patch16_256", True)],
)
def test_the_card_says_how_pictures_of_a_preset_are_resized(results, backbone, is_told):
    card = model_card(
        name="mine",
        dataset="photos",
        how="held out",
        results=results,
        recipe=Recipe(model=ModelConfig(backbone=backbone)),
    )

    assert ("antialiased" in card) is is_told
