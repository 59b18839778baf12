"""What a folder sets aside to test does so, and trains nothing."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from pixsent_tf.cli import cli
from pixsent_tf.config import DataConfig
from pixsent_tf.data.copies.audit import audit, open_parts
from pixsent_tf.runs import Run
from tests.results import assert_told

COUNTS = {"train": 8, "val": 3, "test": 4}  # of each class


@pytest.fixture(scope="module")
def divided(tmp_path_factory):
    """Two classes in three splits; one test picture lies in train as well."""
    folder = tmp_path_factory.mktemp("divided")
    rng = np.random.default_rng(0)
    for split, count in COUNTS.items():
        for label, level in (("negative", 60), ("positive", 190)):
            (folder / split / label).mkdir(parents=True)
            for number in range(count):
                coarse = rng.integers(level - 60, level + 60, (6, 8, 3))
                image = Image.fromarray(coarse.astype("uint8")).resize((64, 48))
                image.save(folder / split / label / f"{number}.png")
    shutil.copy(folder / "test/positive/0.png", folder / "train/positive/copy.png")
    return folder


def test_audit_finds_the_copy_that_crosses(divided):
    findings = audit(open_parts(DataConfig(str(divided))))

    (part,) = findings["parts"]
    assert part["splits"] == {"test": 8, "train": 17, "val": 6}
    assert [(pair["ids"], pair["splits"]) for pair in part["crossing"]] == [
        (["test/positive/0.png", "train/positive/copy.png"], ["test", "train"])
    ]
    assert findings["has_leak"]


@pytest.fixture(scope="module")
def fitted(divided, tmp_path_factory):
    """What `fit` printed, and its folder."""
    out = tmp_path_factory.mktemp("runs") / "fit"
    said = CliRunner().invoke(cli, ["fit", str(divided), "--out", str(out), "--json"])
    assert said.exit_code == 0, said.output
    return said, out


def test_fit_tests_what_is_set_aside_and_leaves_its_copies_out(divided, fitted):
    said, out = fitted
    results = json.loads(said.stdout)

    assert_told("fit", results)
    tested = {row["id"] for row in Run(out).read_table("predictions.csv")}
    files = divided.glob("test/*/*.png")
    assert tested == {path.relative_to(divided).as_posix() for path in files}
    assert results["split_source"] == "given"
    assert results["copies_left_out"] == ["train/positive/copy.png"]
    assert "splits train 17, val 6, test 8; fit trains on train and val" in said.stderr
    assert "left out of the training, as copies of test pictures" in said.stderr
    assert results["notes"][0].endswith("evaluate judges by test")


def test_evaluate_judges_by_what_is_set_aside(divided, fitted, tmp_path):
    _, out = fitted
    arguments = ["evaluate", str(out), str(divided), "--fast", "--json"]
    arguments += ["--out", str(tmp_path / "report")]
    said = CliRunner().invoke(cli, arguments)

    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["num_examples"] == 8
    assert "evaluate judges by test" in said.stderr
    assert "trained this model" not in said.stderr
