"""A training whose loss is no number ends at once and says where, on what, and why."""

from __future__ import annotations

import json

from click.testing import CliRunner

from pixsent_tf.cli import cli
from tests.tiny_network import tiny_backbone

__all__ = ["tiny_backbone"]


def test_a_fit_with_too_high_a_rate_saves_no_model_and_names_the_pictures(
    colored_folder, tmp_path
):
    out = tmp_path / "run"
    arguments = ["fit", str(colored_folder), "--out", str(out), "--backbone", "tiny"]
    arguments += ["--set", "model.weights=None", "--strategy", "all", "--quiet"]
    for setting in ("learning_rate=1e30", "optimizer=caffe_sgd", "batch_size=4"):
        arguments += ["--set", f"training.{setting}"]

    result = CliRunner().invoke(cli, arguments)

    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert "in epoch 1, step " in line
    assert "try --set training.learning_rate=1e+29 with another --out" in line
    assert line.endswith(f"{out / 'not-finite.json'} names the pictures.")
    told = json.loads((out / "not-finite.json").read_text())
    assert (told["fold"], told["epoch"]) == (1, 1)
    assert 1 <= len(told["ids"]) <= 4
    assert all((colored_folder / name).is_file() for name in told["ids"])
    assert not list(out.rglob("*.keras"))
    assert not (out / "results.json").exists()
