"""Every table of the paper, run small; a study that is killed goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from pixsent_tf.errors import RunError
from pixsent_tf.recipes import finetuning
from pixsent_tf.studies.paper import reproduce
from pixsent_tf.studies.paper.plan import Plan
from tests.results import assert_told

ROOT = Path(__file__).parents[3]
STUDY = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.studies.small_rows import use_small_rows
use_small_rows()
from pixsent_tf.studies.paper.plan import Plan
from pixsent_tf.studies.paper.reproduce import reproduce
from tests.heard import Heard
reproduce(Plan({source!r}, tables=("2",)), Path({out!r}), progress=Heard(print))
"""


def use_small_rows(patch: pytest.MonkeyPatch) -> None:
    """Put two rows on the mean color of a picture into Table 2."""
    from tests.studies.small_rows import ROWS, register

    register(patch.setitem)
    patch.setattr(finetuning, "ROWS", ROWS)


@pytest.fixture
def small_rows(monkeypatch):
    use_small_rows(monkeypatch)


def study(plan: Plan, out: Path):
    with pytest.MonkeyPatch.context() as patch:
        use_small_rows(patch)
        return reproduce.reproduce(plan, out)


@pytest.fixture(scope="module")
def whole(colored_folder, tmp_path_factory):
    """What a study of both rows found."""
    out = tmp_path_factory.mktemp("reproduce") / "whole"
    return study(Plan(str(colored_folder), tables=("2",)), out)


@pytest.fixture(scope="module")
def five(colored_folder, tmp_path_factory):
    """Plan, folder and results of a study of one of them."""
    plan = Plan(str(colored_folder), tables=("2",), only=("*-five",))
    out = tmp_path_factory.mktemp("reproduce") / "five"
    return plan, out, study(plan, out)


@pytest.mark.journey
def test_each_row_stands_beside_what_the_paper_printed(whole):
    table = whole["tables"]["2"]

    assert [(row["name"], row["view"]) for row in table["rows"]] == [
        ("dark-five", "center"),
        ("dark-five", "ten_crop"),
        ("dark-three", "center"),
        ("dark-three", "ten_crop"),
    ]
    assert [row["paper"] for row in table["rows"]] == [0.817, 0.83, None, None]
    assert [row["ours"] for row in table["rows"]] == [1.0] * 4  # dark against bright
    # seven tenths of each class in each fold: 2 of 3, twice, and 1 of 2, three times
    assert [row["num_examples"] for row in table["rows"]] == [14, 14, 24, 24]
    assert table["majority"] == {"five_agrees": 0.5, "three_agrees": 0.5}


def test_the_table_is_written_for_people_programs_and_eyes(five):
    _, out, results = five

    found = results["tables"]["2"]
    told = json.loads((out / "table-2.json").read_text("utf-8"))
    assert told == found
    assert_told("reproduce", results)
    text = (out / "table-2.md").read_text("utf-8")
    assert "| dark-five | ten crops | 0.830 | 1.000 ± 0.000 |" in text
    assert "nested stand-ins" in text  # these pictures were never voted on
    assert "Only some rows were asked for: dark-five." in text
    assert "dark-three" not in text
    with Image.open(out / "table-2.png") as figure:
        assert min(figure.size) > 200


def test_rows_without_their_weights_say_so_and_others_are_never_taken(
    colored_folder, tmp_path
):
    plan = Plan(str(colored_folder), tables=("3", "4", "maps"), weights_dir=tmp_path)

    found = reproduce.reproduce(plan, tmp_path / "study")["tables"]

    assert not any(table["rows"] for table in found.values())
    for table in found.values():
        for row in table["missing"]:
            assert (
                f"put caffenet.caffemodel (or .npz, .weights.h5) into {tmp_path}"
                in (row["reason"])
            )
    names = [row["name"] for row in found["4"]["missing"]]
    assert names == ["fc7-2", "fc6-2", "fc7-4096", "fc6-4096", "fc8-1000"]
    assert "No paired tests to caffenet-five" in found["4"]["remarks"][0]
    assert "fc6-2 was not run" in (tmp_path / "study" / "table-4.md").read_text("utf-8")


def test_a_folder_of_another_study_is_left_alone(small_rows, five):
    plan, out, _ = five

    with pytest.raises(
        RunError, match=r"differs in example_fraction: 1\.0 there, 0\.5"
    ):
        reproduce.reproduce(replace(plan, example_fraction=0.5), out)


@pytest.mark.journey
def test_a_killed_study_goes_on_and_runs_no_finished_fold_again(
    whole, small_rows, colored_folder, tmp_path
):
    out = tmp_path / "killed"
    folds = out / "rows" / "dark-five" / "folds"
    code = STUDY.format(root=str(ROOT), source=str(colored_folder), out=str(out))
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    try:
        deadline = time.monotonic() + 120
        while not (folds / "fold-2.json").is_file():
            assert child.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.005)
    finally:
        if child.poll() is None:
            os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert child.returncode == -signal.SIGKILL
    assert not (out / "table-2.json").exists()
    before = {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in folds.glob("fold-*.json")
    }

    after = reproduce.reproduce(Plan(str(colored_folder), tables=("2",)), out)

    assert after["tables"] == whole["tables"]
    assert len(before) >= 2
    for path, known in before.items():
        assert (path.stat().st_mtime_ns, path.read_bytes()) == known
    assert len(list(folds.glob("fold-*.json"))) == 5


@pytest.mark.journey
def test_every_table_runs_small_from_end_to_end(tmp_path):
    plan = Plan("smileys", tables=("2", "3", "4", "5", "6", "maps")).quick()
    out = tmp_path / "study"

    found = reproduce.reproduce(plan, out)["tables"]

    names = {
        key: [row["name"] for row in table["rows"]] for key, table in found.items()
    }
    assert {key: len(rows) for key, rows in names.items()} == {
        **{"2": 12, "3": 52, "4": 10, "5": 20, "6": 4, "maps": 0},
    }
    assert not any(table["missing"] for table in found.values())
    printed = {
        key: [row["paper"] for row in table["rows"] if row["paper"] is not None]
        for key, table in found.items()
    }
    assert printed["2"] == [0.817, 0.830, 0.782, 0.787, 0.739, 0.749] * 2
    assert printed["4"] == [0.784, 0.797, 0.651, 0.676]
    assert printed["5"][:4] == [0.817, 0.830, 0.823, 0.823]
    assert printed["6"] == [0.795, 0.803, 0.702, 0.694]
    assert sum(printed["3"]) == pytest.approx(9.793 + 9.805)
    for key, table in found.items():
        text = (out / f"table-{key}.md").read_text("utf-8")
        assert "Smoke run" in text
        assert "started at random" in text
        assert "Only these of the 5 folds were tested: 1, 2." in text
        assert all(row["difference"] is None for row in table["rows"])  # not comparable
        assert json.loads((out / f"table-{key}.json").read_text("utf-8")) == table
        with Image.open(out / f"table-{key}.png") as figure:
            assert min(figure.size) > 100
