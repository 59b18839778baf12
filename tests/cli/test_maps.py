"""`maps`: pictures are drawn, stored, and checked."""

from __future__ import annotations

import json

import numpy as np
from click.testing import CliRunner

from pixsent_tf.cli import cli
from tests.results import assert_told


def invoke(*arguments: object):
    """Run the command in this process."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_maps_are_drawn_and_stored(run, colored_folder, tmp_path):
    out = tmp_path / "maps"
    pictures = sorted((colored_folder / "positive").iterdir())[:2]

    result = invoke(
        *("maps", *pictures, "--model", run, "--out", out, "--json", "--quiet")
    )

    assert result.exit_code == 0, result.output
    assert_told("maps", json.loads(result.stdout))
    names = sorted(path.name for path in out.iterdir())
    assert names == ["0000-00.png", "0001-01.png", "contact-sheet.png", "maps.npz"]
    with np.load(out / "maps.npz") as stored:
        assert stored["paths"].tolist() == [str(path) for path in pictures]
        assert stored["cells"].shape == (2, 14, 14, 2)  # canvases of 16, less 2
        assert (stored["probs"][:, 1] > 0.5).all()
        assert stored["cells"][..., 1].mean() > 0.5


def test_maps_of_no_picture_in_particular_are_of_those_held_out(run, tmp_path):
    result = invoke(
        "maps", "--model", run, "--limit", 3, "--check", "--json", "--quiet"
    )

    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert_told("maps", found, case=1)
    assert found["num_examples"] == 3
    assert set(found["deletion"]) >= {"map", "random", "center", "gain_over_random"}


def test_neither_pictures_nor_a_run_is_bad_usage():
    result = invoke("maps")

    assert result.exit_code == 2
    assert "Name pictures, or a run with --model" in result.stderr
