"""`doctor`: names what works and fails on what does not."""

from __future__ import annotations

import json

from click.testing import CliRunner

from pixsent_tf.cli import cli
from pixsent_tf.models import packages
from tests.results import assert_told


def test_a_healthy_machine_is_reported_as_one():
    result = CliRunner().invoke(cli, ["doctor", "--json"])
    report = json.loads(result.stdout)

    assert result.exit_code == 0
    assert_told("doctor", report)
    assert report["healthy"] is True
    assert report["weights"].startswith("efficientnet_lite0 loads, 3,413,024 numbers")
    assert report["decoder"] == "a JPEG decodes"
    assert report["engine"].startswith("litert 2.")
    assert report["packages"]["tensorflow"].startswith("2.")


def test_weights_that_do_not_load_fail_and_the_rest_is_still_reported(monkeypatch):
    def broken(*_):
        raise OSError("disk gone")

    monkeypatch.setattr(packages, "read_state_dict", broken)
    result = CliRunner().invoke(cli, ["doctor"])

    assert result.exit_code == 1
    assert "FAILED: OSError: disk gone" in result.stdout
    assert "a JPEG decodes" in result.stdout


def test_the_cache_is_cleared_of_what_comes_back_by_itself(monkeypatch, tmp_path):
    monkeypatch.setenv("PIXSENT_CACHE", str(tmp_path))
    for name in ("features/net/a.npy", "engines/b.tflite", "smileys/c.png", "mine.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(1_000_000))
    command = ["doctor", "--json"]

    before = json.loads(CliRunner().invoke(cli, command).stdout)
    after = json.loads(CliRunner().invoke(cli, [*command, "--clear-cache"]).stdout)

    assert before["cache"] == f"{tmp_path}, 2.0 MB"
    assert after["cache"] == f"{tmp_path}, 0.0 MB"
    assert (tmp_path / "smileys/c.png").exists()
    assert (tmp_path / "mine.txt").exists()
