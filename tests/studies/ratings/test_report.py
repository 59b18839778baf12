"""What stands on the page and the card of ratings, and which pictures are shown?"""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.analysis import rating_figures
from pixsent_tf.config import DataConfig, ModelConfig, Recipe
from pixsent_tf.data.lists.rated import Ratings
from pixsent_tf.data.table import Dataset
from pixsent_tf.inference.predictions import Failure
from pixsent_tf.inference.rated import RatedTable
from pixsent_tf.results.ratings import RatingEvaluation
from pixsent_tf.runs import Run
from pixsent_tf.studies.ratings.evaluate import RatedSubject
from pixsent_tf.studies.ratings.outcome import measure_table
from pixsent_tf.studies.ratings.report import NUM_PICTURES, draw, write

NAMES = tuple("jbhdfaciegklmnopqrst")  # a cannot be read any more, q has no file at all
COUNT = len(NAMES)
# How much more than raters said; one way for valence, the other for arousal
OFF = np.array([[0.13 * (i - 11), 0.07 * ((i * 7) % COUNT - 4)] for i in range(COUNT)])
LABELS = np.array([[4 + i % 3, 3.5 + i % 4 / 2] for i in range(COUNT)])


def color_of(name: str) -> tuple[int, int, int]:
    """Far enough from each other to be told apart in a JPEG."""
    place = ord(name) - ord("a")
    return 10 + 12 * place, 240 - 12 * place, 60


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Pictures in the order of the alphabet, not of the table."""
    names = [name for name in sorted(NAMES) if name != "q"]
    for name in names:
        Image.new("RGB", (16, 12), color_of(name)).save(tmp_path / f"{name}.png")
    (tmp_path / "a.png").write_bytes(b"no picture")
    values = np.stack([LABELS[NAMES.index(name)] for name in names])
    unknown = np.full_like(values, np.nan)
    return Dataset(
        name="drawn",
        ids=tuple(names),
        paths=tuple(str(tmp_path / f"{name}.png") for name in names),
        labels=np.arange(len(names), dtype="int32") % 2,
        class_names=("low", "high"),
        ratings=Ratings(("valence", "arousal"), values, (1, 7), unknown, unknown),
    )


@pytest.fixture
def subject(dataset: Dataset) -> RatedSubject:
    """A bare model, asked about them."""
    answers = LABELS + OFF
    table = RatedTable(
        name="model",
        ids=NAMES,
        targets=("valence", "arousal"),
        answers=answers,
        labels=LABELS,
        low=answers - np.array([0.5, 1.25]),
        high=answers + np.array([0.5, 1.25]),
        failures=(Failure("u", "empty", "u is empty."),),
    )
    return RatedSubject("model.keras on drawn", table, (1, 7), dataset, None, None)


def numbers_of(subject: RatedSubject) -> RatingEvaluation:
    said = subject.table
    return {
        **measure_table(said, None, subject.scale),
        "coverage": COUNT / (COUNT + 1),
        "unreadable": [one.to_json() for one in said.failures],
        "notes": ["Mind the gap & more."],
    }


@pytest.fixture
def page(subject: RatedSubject, tmp_path: Path) -> str:
    write(subject, numbers_of(subject), Run.create(tmp_path / "out"))
    return (tmp_path / "out" / "report.html").read_text("utf-8")


def galleries(page: str) -> dict[str, list[tuple[str, str, np.ndarray]]]:
    """Title to caption, name and mean color of each picture, as the page shows them."""
    found = {}
    for section in re.findall(r"<section>(.*?)</section>", page, flags=re.S):
        title = re.search(r"<h2>(.*?)</h2>", section)
        shown = []
        for figure in re.findall(r"<figure class=.card.>(.*?)</figure>", section, re.S):
            data = re.search(r"data:image/jpeg;base64,([^\"]+)\" alt=\"(.*?)\"", figure)
            caption = re.search(r"<figcaption>\s*(.*?)<br>", figure, flags=re.S)
            if data and caption:
                image = Image.open(io.BytesIO(base64.b64decode(data[1])))
                color = np.asarray(image).mean(axis=(0, 1))
                shown.append((caption[1].strip(), data[2], color))
        if title and shown:
            found[title[1]] = shown
    return found


def test_the_farthest_are_shown_by_target_and_side_the_farthest_first(
    page: str,
) -> None:
    found = galleries(page)

    assert list(found) == [
        *("Valence rated too high", "Valence rated too low"),
        *("Arousal rated too high", "Arousal rated too low"),
    ]
    for title, shown in found.items():
        k, sign = int("Arousal" in title), -1 if "high" in title else 1
        ordered = sorted(range(COUNT), key=lambda i: sign * OFF[i, k])
        chosen = [i for i in ordered if sign * OFF[i, k] < 0][:NUM_PICTURES]
        expected = [i for i in chosen if NAMES[i] not in "aq"]
        assert [name for _, name, _ in shown] == [NAMES[i] for i in expected]
        for (caption, name, color), i in zip(shown, expected, strict=True):
            answer, rating = LABELS[i, k] + OFF[i, k], LABELS[i, k]
            assert caption == f"answer {answer:.2f}, raters {rating:.2f}"
            np.testing.assert_allclose(color, color_of(name), atol=4)


def test_the_page_tells_what_was_measured_and_how_it_was_kept_apart(page: str) -> None:
    assert "model.keras on drawn" in page
    assert (
        f"{COUNT} pictures of drawn, which chose nothing in the model, as far as no "
        f"note says otherwise"
    ) in page
    assert "Mind the gap &amp; more." in page
    assert "pairs of copies" in page  # the audit
    assert "scatter-valence" in page
    assert "Pearson r" in page


def test_results_predictions_and_the_environment_lie_beside_the_page(
    subject: RatedSubject, tmp_path: Path
) -> None:
    out = Run.create(tmp_path / "out")

    results = write(subject, numbers_of(subject), out)

    assert json.loads((out.path / "results.json").read_text()) == results
    assert results["out"] == str(out.path)
    assert Path(results["report"]) == out.path / "report.html"
    assert results["audit"] is not None
    assert results["audit"]["num_examples"] == COUNT - 1
    assert [one["id"] for one in results["audit"]["unreadable"]] == ["a"]
    assert "packages" in json.loads((out.path / "environment.json").read_text())
    rows = out.read_table("predictions.csv")
    assert [row["id"] for row in rows] == [*NAMES, "u"]
    assert rows[3]["label_arousal"] == f"{LABELS[3, 1]:.6f}"


def test_the_card_names_the_model_without_the_pictures_it_was_tested_on(
    subject: RatedSubject, tmp_path: Path
) -> None:
    recipe = Recipe(
        data=DataConfig("x.csv", target=("valence",)), model=ModelConfig("keras:Tiny")
    )
    for name, known in (("bare", None), ("known", recipe)):
        write(
            replace(subject, recipe=known),
            numbers_of(subject),
            Run.create(tmp_path / name),
            with_pictures=False,
        )
    bare = (tmp_path / "bare" / "MODEL_CARD.md").read_text("utf-8")
    card = (tmp_path / "known" / "MODEL_CARD.md").read_text("utf-8")

    assert "\n# model.keras\n" in card
    assert f"Measured on {COUNT} pictures of `drawn`, which chose nothing" in card
    assert "The network is `keras:Tiny`" in card
    assert "The network is" not in bare
    assert "1 of the pictures could not be read" in card
    rmse = np.sqrt((OFF[:, 1] ** 2).mean())
    arousal = card[card.index("### Arousal") :]
    assert f"| RMSE | {rmse:.3f} |" in arousal
    page = (tmp_path / "known" / "report.html").read_text("utf-8")
    assert "keras:Tiny" in page
    assert "keras:Tiny" not in (tmp_path / "bare" / "report.html").read_text("utf-8")


def test_without_pictures_none_is_examined_or_shown_and_the_data_is_named_still(
    subject: RatedSubject, tmp_path: Path
) -> None:
    out = Run.create(tmp_path / "out")

    results = write(subject, numbers_of(subject), out, with_pictures=False)

    assert results["audit"] is None
    page = (out.path / "report.html").read_text("utf-8")
    assert galleries(page) == {}
    assert f"{COUNT} pictures of drawn" in page


@pytest.mark.parametrize(
    ("folds", "words"),
    [
        ([4] * COUNT, "held out from training"),
        (
            [1, 2] * (COUNT // 2),
            "each rated by a model that had not seen it (cross-validation)",
        ),
    ],
)
def test_folds_say_how_pictures_were_kept_apart(
    subject: RatedSubject, tmp_path: Path, folds: list[int], words: str
) -> None:
    run = Run.create(tmp_path / "run")
    run.write_json("environment.json", {"command": ["pixsent-tf", "fit", "a b.csv"]})
    table = replace(subject.table, folds=np.array(folds))
    gone = replace(subject, table=table, dataset=None, run=run)

    results = write(gone, numbers_of(gone), Run.create(tmp_path / "out"))

    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert f"{COUNT} pictures of its test pictures, {words}" in page
    assert "pixsent-tf fit &#39;a b.csv&#39;" in page  # how the run began
    assert results["audit"] is None
    assert words in (tmp_path / "out" / "MODEL_CARD.md").read_text("utf-8")


def test_each_target_is_drawn_from_its_own_columns_with_its_widest_interval(
    subject: RatedSubject,
) -> None:
    said = subject.table
    assert said.low is not None
    low, answers = said.low.copy(), said.answers
    low[5, 1] -= 1  # half of 1.25 + 2.25 is the widest
    low[::2, 0] = answers[::2, 0]  # cut by an end of the scale

    drawn = draw(replace(subject, table=replace(said, low=low)))

    assert [caption for caption, _ in drawn] == [
        "Valence: answers over ratings",
        "Valence: how far off, and the mean of each fifth",
        "Arousal: answers over ratings",
        "Arousal: how far off, and the mean of each fifth",
    ]
    expected = []
    for k, (target, half) in enumerate((("valence", 0.5), ("arousal", 1.75))):
        columns = LABELS[:, k], answers[:, k]
        expected += [
            rating_figures.rating_scatter(
                *columns, scale=(1, 7), target=target, half_width=half
            ),
            rating_figures.residuals(*columns, target=target),
        ]
    for (_, svg), one in zip(drawn, expected, strict=True):
        assert svg == one


@pytest.mark.parametrize("ends", [{"low": None}, {"high": None}])
def test_no_band_is_drawn_where_an_end_of_the_intervals_is_unknown(
    subject: RatedSubject, ends: dict[str, None]
) -> None:
    said = replace(subject.table, targets=("arousal",), **ends)

    (_, scatter), _ = draw(replace(subject, table=said))

    columns = LABELS[:, 0], said.answers[:, 0]
    assert scatter == rating_figures.rating_scatter(
        *columns, scale=(1, 7), target="arousal"
    )


def test_pictures_on_the_right_side_are_not_shown_as_too_high_however_few(
    subject: RatedSubject, tmp_path: Path
) -> None:
    kept = slice(9, 14)  # two too low in valence, one right, two too high
    said = subject.table
    assert said.low is not None
    assert said.high is not None
    few = replace(
        said,
        ids=NAMES[kept],
        answers=said.answers[kept],
        labels=LABELS[kept],
        low=said.low[kept],
        high=said.high[kept],
    )
    small = replace(subject, table=few)

    write(small, numbers_of(small), Run.create(tmp_path / "out"))

    found = galleries((tmp_path / "out" / "report.html").read_text("utf-8"))
    names = {title: [name for _, name, _ in one] for title, one in found.items()}
    assert names["Valence rated too high"] == [NAMES[13], NAMES[12]]
    assert names["Valence rated too low"] == [NAMES[9], NAMES[10]]
