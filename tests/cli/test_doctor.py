"""`doctor`: names what works and fails on what does not."""

from __future__ import annotations

import json

from click.testing import CliRunner

from pixsent_tf.cli import cli
from pixsent_tf.models import efficientnet_lite
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

    monkeypatch.setattr(efficientnet_lite, "read_package", broken)
    result = CliRunner().invoke(cli, ["doctor"])

    assert result.exit_code == 1
    assert "FAILED: OSError: disk gone" in result.stdout
    assert "a JPEG decodes" in result.stdout
