"""The small run and export that the tests of `serving` use, and one trained run."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from pixsent_tf.cli import cli
from tests.serving.conftest import tiny_export, tiny_model, tiny_run
from tests.small_network import SMALL, small

__all__ = ["run", "small", "tiny_export", "tiny_model", "tiny_run"]


@pytest.fixture(scope="session")
def run(colored_folder, small, tmp_path_factory):
    """The folder of a run that tells dark from bright."""
    out = tmp_path_factory.mktemp("runs") / "fit"
    arguments = ["fit", str(colored_folder), *SMALL, "--out", str(out), "--quiet"]
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    return out
