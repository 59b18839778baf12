"""Whatever goes wrong, a user reads one line."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pixsent_tf import cli as cli_package
from pixsent_tf.cli import VERBS, cli, trouble
from pixsent_tf.cli.trouble import OutFile, OutPath, describe_os_error, find_obstacle


def raising(error: BaseException):
    """A verb that fails."""

    @click.command()
    def command() -> None:
        raise error

    return command


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run a verb that raises something."""
    monkeypatch.setenv("PIXSENT_CACHE", str(tmp_path / "cache"))

    def invoke(error: BaseException):
        verbs = type(cli)
        monkeypatch.setattr(verbs, "get_command", lambda *_: raising(error))
        return CliRunner().invoke(cli, ["doctor"])

    return invoke


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "runs/a: No space left on device; free some space"),
        (errno.EROFS, "runs/a: Read-only file system; name a folder"),
        (errno.EACCES, "runs/a: Permission denied; ask for the right"),
        (errno.ENOTDIR, "runs/a: Not a directory; a part of the path is a file"),
        (errno.EIO, "runs/a: Input/output error."),
    ],
)
def test_what_the_system_refuses_is_one_line(number, words, run):
    result = run(OSError(number, os.strerror(number), "runs/a"))

    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {words}")
    assert result.output.count("\n") == 1


def test_a_name_of_any_bytes_is_shown_escaped():
    error = OSError(errno.EACCES, "Permission denied", os.fsdecode(b"a\xff\nb"))

    assert describe_os_error(error).startswith(r"a\xff\nb: Permission denied")


def test_the_unexpected_is_one_line_and_a_file_with_the_details(run, tmp_path):
    result = run(RuntimeError("two\nlines"))

    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "This should not have happened (RuntimeError: two lines)" in result.output
    path = Path(re.search(r"the details are in (\S+)\.", result.output)[1])
    assert path.parent == tmp_path / "cache" / "errors"
    text = path.read_text()
    assert "Traceback" in text
    assert "RuntimeError: two\nlines" in text


def test_the_details_go_elsewhere_where_the_cache_cannot_be_written(
    run, tmp_path, monkeypatch
):
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setattr(trouble.tempfile, "gettempdir", lambda: str(tmp_path / "temp"))

    result = run(RuntimeError("odd"))

    assert f"the details are in {tmp_path / 'temp'}" in result.output


def test_what_click_says_it_says_itself(run):
    assert run(click.Abort()).output == "Aborted!\n"
    assert run(click.exceptions.Exit(3)).exit_code == 3


def test_every_option_out_is_looked_at_before_the_work():
    missing = []
    for verb in VERBS:
        command = cli_package.cli.get_command(None, verb)
        for param in command.params:
            if param.name == "out" and not isinstance(param.type, OutPath):
                missing.append(verb)

    assert missing == []


def test_a_folder_is_no_place_for_a_table(tmp_path):
    verbs = [
        verb
        for verb in VERBS
        for param in cli_package.cli.get_command(None, verb).params
        if isinstance(param.type, OutFile)
    ]

    assert verbs == ["predict", "features", "score", "label", "audit"]
    result = CliRunner().invoke(cli, ["predict", "a.jpg", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert f"{tmp_path} is a folder; name a file." in result.output


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("file/below/it", "is a file, not a folder"),
        ("x" * 300, "File name too long"),
        ("loop/a", "Too many levels of symbolic links"),
        ("nul\0byte", "null byte"),
    ],
)
def test_a_place_that_cannot_be_is_known_before(path, words, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")

    assert words in find_obstacle(f"{tmp_path}/{path}")


def test_a_place_that_can_be_is_no_obstacle(tmp_path):
    assert find_obstacle(str(tmp_path / "new" / "folder")) is None
    assert find_obstacle("/dev/null") is None


def test_a_full_disk_is_known_before(tmp_path, monkeypatch):
    usage = trouble.shutil.disk_usage(tmp_path)._replace(free=0)
    monkeypatch.setattr(trouble.shutil, "disk_usage", lambda _: usage)

    assert "is full; free some space" in find_obstacle(str(tmp_path / "new"))


def test_an_obstacle_is_bad_usage(tmp_path):
    (tmp_path / "file").write_text("")

    result = CliRunner().invoke(
        cli, ["features", "a.jpg", "--out", f"{tmp_path}/file/x"]
    )

    assert result.exit_code == 2
    assert "is a file, not a folder" in result.output
    assert result.output.count("\n") == 1


def test_rights_that_are_missing_are_known_before(tmp_path, monkeypatch):
    monkeypatch.setattr(trouble.os, "access", lambda *_: False)  # root may everything

    obstacle = find_obstacle(str(tmp_path / "new"))

    assert obstacle == f"{tmp_path} cannot be written to; name another place."
