"""The page of an evaluation: which pictures are shown, and what is said of them."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.data.table import Dataset
from pixsent_tf.inference.predictions import Predictions
from pixsent_tf.progress import NO_PROGRESS
from pixsent_tf.runs import Run
from pixsent_tf.studies.evaluate import measure
from pixsent_tf.studies.report import report
from pixsent_tf.studies.subjects import Subject
from tests.heard import Heard

NAMES = ("positive", "negative")  # against the alphabet
# Probability of negative of n00, n01, ...: the even ones are labelled positive.
NEGATIVE = np.array(
    [
        *(0.95, 0.9, 0.2, 0.15, 0.7, 0.52, 0.6, 0.3, 0.45, 0.4, 0.85, 0.8),
        *(0.55, 0.75, 0.65, 0.05, 0.99, 0.98, 0.51, 0.97),
    ]
)
COUNT = len(NEGATIVE)
LABELS = np.arange(COUNT) % 2
PROBS = np.stack([1 - NEGATIVE, NEGATIVE], axis=1)
IDS = tuple(f"n{i:02}" for i in range(COUNT))
SAID = Predictions("mine", IDS, PROBS, NAMES, LABELS)
# Wrong: 0, 3, 4, 6, 7, 9, 10, 12, 14, 15, 16, 18; by sureness of the answer:
WRONG_SUREST_FIRST = [16, 0, 15, 3, 10, 4, 7, 14]  # eight of the twelve


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture for each: noise about a level of its own."""
    folder = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(0)
    for number, name in enumerate(IDS):
        noise = generator.integers(-25, 26, (32, 48, 3))
        pixels = (30 + number * 10 + noise).astype("uint8")
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder


def table(folder: Path, **columns: Any) -> Dataset:
    """The pictures in the order against that of the answers."""
    ids = IDS[::-1]
    labels = LABELS[::-1].astype("int32")
    paths = tuple(str(folder / f"{name}.png") for name in ids)
    columns = {"labels": labels, "class_names": NAMES, **columns}
    return Dataset(name="drawn", ids=ids, paths=paths, **columns)


def subject(said: Predictions = SAID, **parts: Any) -> Subject:
    known = {"dataset": None, "models": {}, "recipe": None, "run": None, "notes": []}
    return Subject("mine", said, **{**known, **parts})


def level_of(uri: str) -> int:
    """Read the gray that a picture in a page has, from 0 to 19."""
    content = base64.b64decode(uri.partition(",")[2])
    with Image.open(io.BytesIO(content)) as image:
        return round((float(np.asarray(image.convert("L")).mean()) - 30) / 10)


def places(pictures: Sequence[Any]) -> list[int]:
    return [int(picture.id[1:]) for picture in pictures]


def test_the_surest_mistakes_are_shown_surest_first(folder: Path) -> None:
    errors, _ = report._galleries(subject(dataset=table(folder)), NO_PROGRESS)

    assert places(errors.pictures) == WRONG_SUREST_FIRST
    for place, picture in zip(WRONG_SUREST_FIRST, errors.pictures, strict=True):
        answer = int(NEGATIVE[place] > 0.5)
        assert picture.answer == NAMES[answer]
        assert picture.label == NAMES[1 - answer]
        assert picture.prob == pytest.approx(PROBS[place, answer])
        assert level_of(picture.image) == place
        assert picture.map is None  # no model was kept
    assert (errors.low, errors.high) == NAMES


def test_the_least_sure_are_shown_right_or_wrong_and_none_twice(folder: Path) -> None:
    heard = Heard()
    errors, unsure = report._galleries(subject(dataset=table(folder)), heard)

    # .51, .52, .55, .55, .6, .6; .65 and .7 are among the mistakes; .75, .8
    assert places(unsure.pictures) == [18, 5, 12, 8, 9, 6, 13, 11]
    assert not set(places(unsure.pictures)) & set(places(errors.pictures))
    assert heard.steps == [(16, "drawing")]
    assert sum(heard.counts) == 16


def test_a_picture_that_is_gone_or_damaged_is_left_out(
    folder: Path, tmp_path: Path
) -> None:
    for name in IDS:
        (tmp_path / f"{name}.png").write_bytes((folder / f"{name}.png").read_bytes())
    (tmp_path / "n16.png").unlink()  # first
    (tmp_path / "n03.png").write_bytes(b"no picture")  # in the middle

    errors, _ = report._galleries(subject(dataset=table(tmp_path)), NO_PROGRESS)

    assert places(errors.pictures) == [0, 15, 10, 4, 7, 14]


def test_more_than_two_classes_have_no_two_ends(folder: Path) -> None:
    probs = np.stack([PROBS[:, 0] / 2, PROBS[:, 1], PROBS[:, 0] / 2], axis=1)
    names = ("joy", "anger", "fear")
    said = Predictions("mine", IDS, probs, names, LABELS)
    pictures = table(folder, class_names=names)

    for gallery in report._galleries(subject(said, dataset=pictures), NO_PROGRESS):
        assert (gallery.low, gallery.high) == ("against the answer", "for it")


def captions(one: Subject) -> list[str]:
    return [caption.partition(";")[0] for caption, _ in report.draw(one, measure(one))]


def test_two_classes_have_a_curve_and_three_have_none() -> None:
    probs = np.stack([PROBS[:, 0] / 2, PROBS[:, 1], PROBS[:, 0] / 2], axis=1)
    three = Predictions("mine", IDS, probs, ("joy", "anger", "fear"), LABELS)

    assert captions(subject()) == ["Confusion", "ROC", "Reliability"]
    assert captions(subject(three)) == ["Confusion", "Reliability"]


def test_the_history_of_a_run_is_drawn_by_its_numbers(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    (run.path / "results.json").write_text("{}")
    (run.path / "history.csv").write_text("epoch,loss,note\n1,.5,warm\n2,.25,\n")

    assert captions(subject(run=run))[-1] == "Training"


@pytest.mark.parametrize(
    ("folds", "words"),
    [
        (None, "as far as no note says otherwise"),
        (np.full(COUNT, 3), "held out from training"),
        (LABELS + 1, "each predicted by a model that had not seen it"),
    ],
)
def test_it_is_said_how_pictures_were_kept_apart(folds: Any, words: str) -> None:
    assert words in report._how(subject(replace(SAID, folds=folds)))


def audited(folder: Path, folds: Any, said: Predictions = SAID) -> Any:
    """The sixth picture is a copy of the first, and labelled otherwise."""
    paths = [str(folder / f"{name}.png") for name in IDS[::-1]]
    copy = folder / "copy.png"
    copy.write_bytes((folder / "n00.png").read_bytes())
    paths[COUNT - 1 - 5] = str(copy)
    pictures = replace(table(folder), paths=tuple(paths), folds=LABELS % 2 + 1)
    return report.audit_of(pictures, replace(said, folds=folds), NO_PROGRESS)


def test_copies_are_counted_between_the_folds_of_the_run(folder: Path) -> None:
    apart = np.where(np.arange(COUNT) == 5, 2, 1)

    found = audited(folder, apart)
    together = audited(folder, np.where(np.arange(COUNT) == 9, 2, 1))

    assert (found["num_examples"], found["exact_pairs"]) == (COUNT, 1)
    assert (found["crossing"], together["crossing"]) == (1, 0)
    assert found["conflicting"] == together["conflicting"] == 1


def test_what_a_fit_did_not_test_has_trained_it(folder: Path) -> None:
    tested = [i for i in range(COUNT) if i % 5 == 0 and i != 5]
    said = Predictions(
        "mine", tuple(IDS[i] for i in tested), PROBS[tested], NAMES, LABELS[tested]
    )

    found = audited(folder, np.ones(len(tested), int), said)

    assert found["crossing"] == 1  # the copy is in no fold, and so it trained
