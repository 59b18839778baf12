"""Does `pixsent-tf audit` answer as a program and a person need?"""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from pixsent_tf.cli import cli
from tests.results import assert_told


@pytest.fixture
def folder(tmp_path):
    """Two classes of three noisy pictures, one of them broken, one in both classes."""
    rng = np.random.default_rng(0)
    for label in ("negative", "positive"):
        (tmp_path / label).mkdir()
        for number in range(3):
            pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).resize((80, 80)).save(
                tmp_path / label / f"{number}.png"
            )
    (tmp_path / "negative/2.png").write_bytes(b"")
    copy = (tmp_path / "negative/0.png").read_bytes()
    (tmp_path / "positive/0.png").write_bytes(copy)
    return tmp_path


@pytest.fixture
def leaky_folder(folder):
    """The DeepSent layout with a copy across two test folds."""
    names = [f"{label}/{n}" for label in ("negative", "positive") for n in range(3)]
    (folder / "images").mkdir()
    lines = []
    for number, name in enumerate(names):
        data = (folder / f"{name}.png").read_bytes() or b"broken"
        (folder / "images" / f"{number}.png").write_bytes(data)
        lines.append(f"{number}.png {int(number > 2)}\n")
    (folder / "twitter_five_agrees.txt").write_text("".join(lines))
    for fold in range(1, 6):
        truth = folder / f"ground_truth/five_agrees/test{fold}"
        truth.mkdir(parents=True)
        (truth / "test.txt").write_text(lines[fold - 1])
    return folder


def run(*args):
    return CliRunner().invoke(cli, ["audit", *map(str, args)])


def test_table_names_counts_copies_and_broken_files(folder):
    result = run(folder, "--quiet")

    assert result.exit_code == 0
    rows = dict(
        line.split("  ", 1) for line in result.stdout.splitlines() if "  " in line
    )
    values = {name: value.strip() for name, value in rows.items()}
    assert values["pictures"] == "6"
    assert values["classes"] == "3 negative, 3 positive"
    assert values["unreadable"] == "1 empty"
    assert values["byte-identical pairs"] == "1"
    assert values["pairs with two labels"] == "1"
    assert "negative/2.png is empty (0 bytes)" in result.stdout
    assert "No leak was found." in result.stdout


def test_json_is_one_object_and_nothing_else(folder):
    result = run(folder, "--json", "--quiet")

    findings = json.loads(result.stdout)
    assert_told("audit", findings)
    assert findings["parts"][0]["unreadable_by_reason"] == {"empty": 1}
    assert findings["has_leak"] is False


def test_leak_exits_with_one_only_if_asked(leaky_folder):
    assert run(leaky_folder, "--quiet").exit_code == 0
    result = run(leaky_folder, "--quiet", "--fail-on", "leak")
    assert result.exit_code == 1
    assert "exact folds 1 4 negative/positive  0.png  3.png" in result.stdout
    assert "Warning: Training holds test pictures" in result.stderr


def test_no_leak_exits_with_zero(folder):
    assert run(folder, "--quiet", "--fail-on", "leak").exit_code == 0


def test_page_is_written_where_asked_and_nothing_else_is(folder, tmp_path):
    before = set(tmp_path.rglob("*"))

    run(folder, "--quiet", "--out", tmp_path / "audit.html")

    assert set(tmp_path.rglob("*")) - before == {tmp_path / "audit.html"}
    assert "Pairs of one picture" in (tmp_path / "audit.html").read_text("utf-8")


def test_missing_data_is_one_line_and_exit_one(tmp_path):
    result = run(tmp_path / "gone")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1


def test_unknown_subset_exits_with_two(leaky_folder):
    assert run(leaky_folder, "--level", "six_agrees").exit_code == 2


def test_audit_loads_no_tensorflow(folder):
    code = (
        "import sys; from pixsent_tf.cli import cli;"
        f"cli(['audit', {str(folder)!r}, '--quiet'], standalone_mode=False);"
        "sys.exit('tensorflow' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], stdout=-3).returncode == 0


@pytest.fixture(scope="module")
def doubtful(tmp_path_factory):
    """Red is negative, green is positive; one of each lies in the other's folder."""
    folder = tmp_path_factory.mktemp("doubtful")
    rng = np.random.default_rng(0)
    for label, channel in (("negative", 0), ("positive", 1)):
        (folder / label).mkdir()
        for number in range(12):
            shown = 1 - channel if number == 5 else channel
            blocks = rng.integers(0, 100, (6, 6, 3))
            blocks[..., shown] += 150
            pixels = np.kron(blocks, np.ones((8, 8, 1))).astype("uint8")
            Image.fromarray(pixels).save(folder / label / f"{number}, <b>.png")
    return folder


def test_suspects_are_listed_and_put_on_the_page(doubtful, tmp_path):
    out = tmp_path / "audit.html"

    result = run(doubtful, "--suspects", "--json", "--quiet", "--out", out)

    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert_told("audit", told)
    first = {one["id"] for one in told["parts"][0]["suspects"][:2]}
    assert first == {"negative/5, <b>.png", "positive/5, <b>.png"}
    text = out.read_text("utf-8")
    assert "labelled negative" in text
    assert "<b>.png" not in text


def test_people_read_which_labels_to_look_at_again(doubtful):
    result = run(doubtful, "--suspects", "--quiet")

    assert "labels to look at again" in result.stdout
    assert "  1 " in result.stdout
    assert ", answered " in result.stdout


def test_without_being_asked_no_label_is_doubted(doubtful):
    result = run(doubtful, "--json", "--quiet")

    assert json.loads(result.stdout)["parts"][0]["suspects"] is None


def test_a_run_without_suspects_does_nothing_and_is_refused(doubtful):
    result = run(doubtful, "--run", "runs/x")

    assert result.exit_code == 2
    assert "--run does nothing without --suspects" in result.output
