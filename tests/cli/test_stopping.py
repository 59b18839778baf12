"""A command that is stopped says how to go on, and which signal stopped it."""

from __future__ import annotations

import signal
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from pixsent_tf.cli import cli, stopping

WAIT = (
    "import signal, sys, time\n"
    # whoever runs the tests in the background ignores Ctrl-C for all of them
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "from pixsent_tf.cli import main, doctor, stopping\n"
    "def wait():\n"
    "    if len(sys.argv) > 2: stopping.goes_on_in('runs/a b')\n"
    "    print('ready', flush=True)\n"
    "    time.sleep(60)\n"
    "doctor.command.callback = lambda **_: wait()\n"
    "main()"
)


@pytest.mark.parametrize(
    ("number", "options", "exit_code", "line"),
    [
        (signal.SIGINT, [], 130, "Stopped; nothing is half written. To start again: "),
        (signal.SIGTERM, [], 143, "Stopped; nothing is half written. To start again: "),
        (signal.SIGINT, ["--json"], 130, "Stopped; what is done is kept. To go on: "),
        (signal.SIGTERM, ["--json"], 143, "Stopped; what is done is kept. To go on: "),
    ],
)
def test_a_signal_ends_in_one_line_and_its_exit_code(number, options, exit_code, line):
    process = subprocess.Popen(
        [sys.executable, "-c", WAIT, "doctor", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    _, errors = process.communicate()

    assert process.returncode == exit_code
    command = "pixsent-tf doctor" + (" --json --out 'runs/a b'" if options else "")
    assert errors == f"{line}{command}\n"


@pytest.mark.parametrize("named", [["--out", "runs/a"], ["--out=runs/a"]])
def test_a_folder_that_was_named_is_not_named_again(named, monkeypatch):
    def stop(**_):
        stopping.goes_on_in("runs/a")
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["pixsent-tf", "fit", *named])
    monkeypatch.setattr(cli.get_command(click.Context(cli), "doctor"), "callback", stop)
    result = CliRunner().invoke(cli, ["doctor"])

    assert result.exit_code == 130
    assert result.stderr.endswith(f"To go on: pixsent-tf fit {' '.join(named)}\n")
