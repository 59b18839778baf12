"""A comparison's page and table show each model's own answers, the surest first."""

from __future__ import annotations

import csv
import html
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import DataConfig, Recipe
from pixsent_tf.inference.pairing import Aligned
from pixsent_tf.runs import Run
from pixsent_tf.studies.compare import Comparison
from pixsent_tf.studies.report import comparison

CLASSES = ("sad", "odd", "glad")
COUNT = 20


def spread(label: int, right: float, wrong: float) -> list[float]:
    """Probabilities: of the label, of the class after it, and what is left."""
    parts = [0.0, 0.0, 0.0]
    parts[label], parts[(label + 1) % 3] = right, wrong
    parts[(label + 2) % 3] = 1 - right - wrong
    return parts


def aligned() -> Aligned:
    """Only <i>ours</i> is right on 0 to 13, only theirs on 14 to 16, neither on 17."""
    ours, theirs = [], []
    for i in range(COUNT):
        k = i % 3
        if i < 14:
            right = 0.6 + 0.02 * (5 * i % 14)  # no two alike, and in no order
            ours.append(spread(k, right, (1 - right) / 2))
            theirs.append(spread(k, 0.2, 0.7))
        elif i < 17:
            # of 15 the label differs most, .40 and .98; of the others what ours says
            ours.append(spread(k, *((0.4, 0.45) if i == 15 else (0.25, 0.65))))
            right = {14: 0.6, 15: 0.98, 16: 0.75}[i]
            theirs.append(spread(k, right, (1 - right) / 2))
        elif i == 17:
            ours.append(spread(k, 0.05, 0.9))
            theirs.append(spread(k, 0.05, 0.15))
        else:
            ours.append(spread(k, 0.4, 0.3))
            theirs.append(spread(k, 0.98, 0.01))
    return Aligned(
        names=("<i>ours</i>", "theirs"),
        ids=tuple(f"p{i:02}.png" for i in range(COUNT)),
        labels=np.arange(COUNT) % 3,
        probs=np.array([ours, theirs]),
        class_names=CLASSES,
        has_probs=(True, True),
        notes=(),
    )


def results() -> Any:
    pair = {
        **{"first": "<i>ours</i>", "second": "theirs"},
        **{"accuracy_difference": 0.55, "accuracy_difference_interval": [0.21, 0.83]},
        **{"only_first_right": 14, "only_second_right": 3, "mcnemar_p_holm": 0.013},
        **{"aucs": [0.9, 0.6], "auc_difference": -0.31, "delong_p_holm": 0.0004},
        "auc_difference_interval": [-0.44, -0.12],
    }
    differing = [
        {"id": f"p{i:02}.png", "label": CLASSES[i % 3], "answers": []}
        for i in (17, 3, 15, 0)
    ]
    return {"pairs": [pair], "differing": differing, "notes": ["Mind <this>."]}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that still has its pictures; 9 of them, which is shown, is damaged."""
    folder = tmp_path_factory.mktemp("compared")
    for i in range(COUNT):
        path = folder / "pictures" / CLASSES[i % 3] / f"p{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 14), (10 * i, 90, 30)).save(path)
        if i == 9:
            path.write_text("no picture")
    run = Run.create(folder / "run")
    run.write_recipe(Recipe(data=DataConfig(str(folder / "pictures"), level=None)))
    return run.path


@pytest.fixture(scope="module")
def out(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "here"
    found = comparison.write(
        Comparison(aligned(), results()),
        [folder.parent / "no run", source],
        Run.create(folder),
    )
    assert found == {**results(), "out": str(folder)}
    return folder


def galleries(out: Path) -> dict[str, list[str]]:
    """Names of the pictures by the title of their section."""
    page = (out / "compare.html").read_text()
    sections = re.findall(r"<section>\s*<h2>(.*?)</h2>(.*?)</section>", page, re.S)
    return {
        html.unescape(title): re.findall(r"<small>(p\d\d)\.png</small>", body)
        for title, body in sections
        if "figcaption" in body
    }


def test_the_table_has_the_answers_of_each_model_in_the_order_of_the_differences(
    out: Path,
) -> None:
    with (out / "differences.csv").open() as file:
        rows = list(csv.reader(file))

    # p17 is glad (17 = 2 of 3): ours says the class after it; theirs the one after that
    assert rows == [
        ["id", "label", "<i>ours</i>", "theirs"],
        ["p17.png", "glad", "sad 0.900", "odd 0.800"],
        ["p03.png", "sad", "sad 0.620", "odd 0.700"],
        ["p15.png", "sad", "odd 0.450", "sad 0.980"],
        ["p00.png", "sad", "sad 0.600", "odd 0.700"],
    ]


def test_each_gallery_shows_up_to_twelve_the_largest_difference_first(
    out: Path,
) -> None:
    first = sorted(range(14), key=lambda i: -(5 * i % 14))[:12]

    assert list(galleries(out).items()) == [
        ("Only <i>ours</i> is right", [f"p{i:02}" for i in first if i != 9]),
        ("Only theirs is right", ["p15", "p16", "p14"]),
    ]
    page = (out / "compare.html").read_text()
    assert "14 pictures, the largest differences first." in page
    assert "3 pictures, the largest differences first." in page


def test_captions_tell_the_label_and_what_each_model_says_how_surely(
    out: Path,
) -> None:
    page = html.unescape((out / "compare.html").read_text())

    # 16 is 1 of 3, odd: ours says the class after it
    assert "Labelled odd. <i>ours</i>: glad 65%; theirs: odd 75%" in page
    assert "Labelled sad. <i>ours</i>: odd 45%; theirs: sad 98%" in page


def test_the_page_tells_how_many_each_model_has_right(out: Path) -> None:
    page = " ".join((out / "compare.html").read_text().split())

    # 14 and two of both; 3 and two of both
    assert "<td>0.800</td> <td>16 of 20</td>" in page
    assert "<td>0.250</td> <td>5 of 20</td>" in page
    assert page.index("16 of 20") < page.index("5 of 20")
    assert "20 pictures that all of them answered, 4 of them differently" in page


def test_the_page_tells_differences_with_their_bounds_and_escapes_names(
    out: Path,
) -> None:
    page = " ".join((out / "compare.html").read_text().split())

    assert '+0.550 <small class="soft"> +0.210 to +0.830</small>' in page
    assert '−0.310 <small class="soft"> −0.440 to −0.120</small>' in page
    assert "<td>14 : 3</td> <td>0.013</td>" in page
    assert "Mind &lt;this&gt;." in page
    assert "<i>ours" not in page


def test_without_pictures_there_is_no_gallery_but_all_numbers(tmp_path: Path) -> None:
    out = Run.create(tmp_path / "out")

    comparison.write(Comparison(aligned(), results()), [tmp_path / "a.csv"], out)

    assert galleries(out.path) == {}
    assert "16 of 20" in (out.path / "compare.html").read_text()
    assert out.read_json("results.json")["out"] == str(out.path)
