"""`demo`: the page is there while the command runs, and ends with Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from pixsent_tf.cli import cli
from pixsent_tf.demo import server

ROOT = Path(__file__).parents[2]
ADDRESS = r"The page is at (http://127\.0\.0\.1:\d+/) \(Ctrl-C ends it\)\.\n"
# Where the tests run in the background, Ctrl-C would be ignored by inheritance.
START = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from pixsent_tf.cli import main
main()
"""


@pytest.mark.journey
def test_the_page_is_there_until_ctrl_c():
    from sklearn.datasets import load_sample_images

    flower = Path(load_sample_images().filenames[1]).read_bytes()
    with subprocess.Popen(
        [sys.executable, "-c", START, "demo", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            line = process.stdout.readline()
            found = re.fullmatch(ADDRESS, line)
            assert found, line + process.stderr.read()
            address = found[1]
            with urllib.request.urlopen(address, timeout=30) as response:
                assert "<title>" in response.read().decode()
            request = urllib.request.Request(
                address + "predict?name=flower.jpg",
                data=flower,
                headers={"Content-Type": "application/octet-stream"},
            )
            with urllib.request.urlopen(request, timeout=30) as response:
                answer = json.load(response)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                rest, errors = process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise

    assert answer["answer"] == "positive"
    assert (process.returncode, rest, errors) == (0, "", "")


class StandIn:
    """A server that has already ended."""

    port = 1234

    def serve_forever(self):
        pass


@pytest.fixture
def opened(monkeypatch):
    """What `open_server` is asked for; nothing listens."""
    asked = {}

    def open_server(app, **more):
        asked.update(more, app=app)
        return StandIn()

    monkeypatch.setattr(server, "open_server", open_server)
    return asked


def invoke(*arguments: object):
    """Run the command in this process."""
    return CliRunner().invoke(cli, ["demo", *(str(one) for one in arguments)])


def test_it_listens_on_this_machine_only_unless_told(run, opened):
    result = invoke("--model", run)

    assert result.exit_code == 0, result.output
    assert (opened["host"], opened["port"]) == ("127.0.0.1", 7860)
    assert "localhost" in opened["app"].hosts
    assert opened["app"].max_bytes == 20_000_000
    assert opened["app"].answerer.name == run.name
    assert result.stderr == ""


def test_a_page_that_others_can_reach_comes_with_a_warning(run, opened):
    result = invoke("--model", run, "--host", "::", "--max-mb", 3)

    assert opened["app"].hosts is None
    assert opened["app"].max_bytes == 3_000_000
    assert "The page is at http://[::]:1234/" in result.stdout
    assert ":: is open to the network: whoever reaches it may ask." in result.stderr


def test_a_port_that_is_taken_ends_it_in_one_line(run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = invoke("--model", run, "--port", taken.getsockname()[1])

    assert result.exit_code == 2
    assert "(Address already in use); choose another --port" in result.stderr
    assert len(result.stderr.splitlines()) == 1
