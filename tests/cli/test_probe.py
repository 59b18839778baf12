"""`features` and `probe`: activations by name, from the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from pixsent_tf.cli import cli
from tests.results import assert_told


def invoke(*arguments: object):
    """Run the command in this process."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


LITE = ("--backbone", "efficientnet_lite0", "--weights", "None")


def test_features_are_written_in_the_order_of_the_files(colored_folder, tmp_path):
    out = tmp_path / "features.npz"
    pictures = [colored_folder / name / "00.png" for name in ("positive", "negative")]

    result = invoke(
        *("features", *pictures, *LITE, "--layers", "stage1,features", "--pool"),
        *("--out", out, "--json", "--quiet"),
    )

    assert result.exit_code == 0, result.output
    shapes = {"stage1": [2, 16], "features": [2, 1280]}
    assert_told("features", json.loads(result.stdout))
    assert json.loads(result.stdout)["layers"] == shapes
    with np.load(out) as stored:
        assert stored["paths"].tolist() == [str(path) for path in pictures]
        assert {name: list(stored[name].shape) for name in shapes} == shapes
    assert [path.name for path in tmp_path.iterdir()] == ["features.npz"]


def test_a_picture_that_cannot_be_read_is_left_out(colored_folder, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"")
    good = colored_folder / "positive" / "00.png"

    result = invoke(
        *("features", tmp_path / "bad.jpg", good, *LITE, "--layers", "features"),
        *("--out", tmp_path / "f.npz", "--quiet"),
    )

    assert result.exit_code == 1
    assert "It is left out" in result.stderr
    with np.load(tmp_path / "f.npz") as stored:
        assert stored["paths"].tolist() == [str(good)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Give either --model RUN or --backbone NAME"),
        ((*LITE, "--layers", "fc7"), "has no layer 'fc7'"),
        ((*LITE, "--out", "f.txt"), "must end in .npz"),
    ],
)
def test_bad_usage_is_told(colored_folder, arguments, message, tmp_path):
    defaults = ("--layers", "features", "--out", tmp_path / "f.npz", "--quiet")
    picture = colored_folder / "positive" / "00.png"

    result = invoke("features", picture, *defaults, *arguments)

    assert result.exit_code == 2
    assert message in result.stderr


def test_a_probe_tells_dark_from_bright_and_draws_units(colored_folder, tmp_path):
    out = tmp_path / "probe"

    result = invoke(
        *("probe", colored_folder, *LITE, "--layers", "features,stage1"),
        *("--units", "0,3", "--out", out, "--json", "--quiet"),
    )

    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert_told("probe", found)
    assert found["num_examples"] == 24
    assert [row["name"] for row in found["layers"]] == ["features", "stage1"]
    assert found["layers"][1]["accuracy"] > 0.9
    names = sorted(path.name for path in out.iterdir())
    assert names == [
        *("folds", "pictures.csv", "results.json", "study.json"),
        *("tsne-stage1.svg", "units-stage1.png"),
    ]
