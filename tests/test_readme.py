"""The README's commands and numbers: run as they stand."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from pixsent_tf.cli import cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = dict(enumerate(re.findall(r"```(\w+)\n(.*?)```", README, flags=re.S)))
SHELL = "\n".join(text for kind, text in BLOCKS.values() if kind == "bash")


def commands() -> list[list[str]]:
    """Give every `pixsent-tf` command of the shell blocks, in order."""
    lines = [part.strip() for line in SHELL.splitlines() for part in line.split("&&")]
    return [shlex.split(line)[1:] for line in lines if line.startswith("pixsent-tf")]


def test_the_shell_blocks_install_and_run_nothing_else():
    lines = [part.strip() for line in SHELL.splitlines() for part in line.split("&&")]
    others = [line for line in lines if line and not line.startswith("pixsent-tf")]

    assert others == ["pip install .", "pip install -e '.[test]'", "pytest"]


@pytest.mark.journey
def test_every_command_works_as_written(colored_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(colored_folder, "pictures")
    shutil.copytree(colored_folder, "holiday")
    assert commands()[0] == ["fit"]  # on the drawn sample: below, with the Python block
    for arguments in commands()[1:]:
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == 0, f"{arguments}: {result.output}"


@pytest.mark.journey
def test_the_python_block_works_as_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = (text for kind, text in BLOCKS.values() if kind == "python")
    names: dict = {}
    exec(code, names)

    assert names["results"]["accuracy"] >= 0.95
    assert names["model"].class_names == ("negative", "positive")


def test_ci_runs_the_test_line():
    assert "pip install -e '.[test]' && pytest" in README
    assert "pip install -e '\\.\\[test\\]' && pytest" in (ROOT / ".ci/run").read_text()


def test_the_readme_stays_short():
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize("name", ["LICENSE", "CHANGELOG.md", "CONTRIBUTING.md"])
def test_what_the_readme_leans_on_is_there(name):
    assert (ROOT / name).stat().st_size > 0
