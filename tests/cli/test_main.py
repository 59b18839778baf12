"""The command: starts at once, fails in one line with the right exit code."""

from __future__ import annotations

import resource
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from pixsent_tf.cli import VERBS, cli
from pixsent_tf.version import VERSION


def run(*arguments: str) -> subprocess.CompletedProcess:
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "pixsent_tf", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_help_and_version_load_no_tensorflow():
    code = (
        "import sys\n"
        "from pixsent_tf.cli import cli\n"
        "cli(['--help'], standalone_mode=False)\n"
        "cli(['--version'], standalone_mode=False)\n"
        "sys.exit(bool({'tensorflow', 'keras', 'numpy'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_help_answers_at_once():
    # The processor's time, the best of three: other processes may hold the machine.
    seconds = []
    for _ in range(3):
        started = processor_seconds()
        assert run("--help").returncode == 0
        seconds.append(processor_seconds() - started)

    assert min(seconds) < 0.5


def processor_seconds() -> float:
    """How long processes that this one started have computed, as far as they ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_version_is_the_package_version():
    assert run("--version").stdout.split()[-1] == VERSION


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_with_an_example(verb):
    result = CliRunner().invoke(cli, [verb, "--help"])

    assert result.exit_code == 0
    # On a line of its own, not wrapped into the text around it.
    example = result.output.split("\n  Example:\n")[1]
    assert example.startswith(f"    pixsent-tf {verb}")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_a_click_command_of_its_own_name(verb):
    context = click.Context(cli)

    assert cli.get_command(context, verb).name == verb


def test_an_unknown_verb_is_bad_usage():
    result = run("fitt")

    assert result.returncode == 2
    assert "No such command 'fitt'" in result.stderr


def test_a_missing_folder_is_one_line_and_exit_code_one():
    result = run("fit", "no/such/folder")

    assert result.returncode == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: no/such/folder does not exist; give a folder")
