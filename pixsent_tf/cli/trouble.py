"""What does a user read when the machine, not the question, is at fault? One line.

A full disk, a folder that cannot be written to and whatever nobody has thought of: none
of them is a traceback. What a developer needs of the last stands in a file.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import os
import platform
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

import click

from pixsent_tf.errors import PixsentError, shown
from pixsent_tf.version import VERSION

LEAST_FREE_BYTES = 1_000_000
_HINTS = {
    errno.ENOSPC: "free some space, and run the same command again",
    errno.EDQUOT: "free some space, and run the same command again",
    errno.EFBIG: "raise the limit by `ulimit -f`, or name another place",
    errno.EROFS: "name a folder that can be written to",
    errno.EACCES: "ask for the right to, or name another place",
    errno.EPERM: "ask for the right to, or name another place",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOTDIR: "a part of the path is a file; name another place",
    errno.EISDIR: "name a file, not a folder",
    errno.EMFILE: "close some files, or raise the limit by `ulimit -n`",
}


class OutPath(click.ParamType):
    """Where something will be written, refused at once where that cannot be."""

    name = "text"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Look whether a path can be written to; nothing is made.

        Args:
            value: The path; one with "://" is left to whoever opens it.
            param: The option.
            ctx: Unused.

        Returns:
            The path.
        """
        problem = None if "://" in value else find_obstacle(value)
        if problem is not None:
            self.fail(problem, param, ctx)
        return value


class OutFile(OutPath):
    """Where a file will be written, in place of none or of another file."""

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Look whether a file can be written; nothing is made.

        Args:
            value: The path.
            param: The option.
            ctx: Unused.

        Returns:
            The path.
        """
        if "://" not in value and os.path.isdir(value):
            self.fail(f"{shown(value)} is a folder; name a file.", param, ctx)
        return super().convert(value, param, ctx)


def find_obstacle(path: str) -> str | None:
    """Say what keeps a path from being written, as far as that can be known.

    Args:
        path: A file or a folder that need not exist.

    Returns:
        What is wrong, in a line; None if nothing is.
    """
    place = Path(path)
    try:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.stat(path)  # an over-long name, a loop of links, a NUL byte
        while not os.path.lexists(place):
            place = place.parent
        if place != Path(path) and not place.is_dir():
            return f"{shown(path)} cannot be: {shown(place)} is a file, not a folder."
        if not os.access(place, os.W_OK):
            return f"{shown(place)} cannot be written to; name another place."
        if shutil.disk_usage(place).free < LEAST_FREE_BYTES:
            return f"The disk of {shown(place)} is full; free some space."
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or error
        return f"{shown(path)[:200]} cannot be written to: {what}."
    return None


def describe_os_error(error: OSError) -> str:
    """Say in a line what the operating system refused.

    Args:
        error: What it said.

    Returns:
        The path, the refusal, and what would do.
    """
    what = error.strerror or str(error) or type(error).__name__
    name = "" if error.filename is None else f"{shown(os.fsdecode(error.filename))}: "
    hint = _HINTS.get(error.errno or 0)
    return f"{name}{what}{'; ' + hint if hint else ''}."


def describe_unexpected(error: Exception) -> str:
    """Say in a line that something is wrong with the program, and keep the details.

    Args:
        error: What nobody has thought of.

    Returns:
        The line, with the path of a file that holds the traceback.
    """
    text = " ".join(str(error).split())[:200]
    kind = type(error).__name__
    where = _write_details(error)
    details = f"the details are in {where}" if where else "no file could be written"
    return (
        f"This should not have happened ({kind}: {text}); {details}. Please report it."
    )


def _write_details(error: Exception) -> Path | None:
    from pixsent_tf.runs import cache_folder, write_text

    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    lines = [
        f"pixsent-tf {VERSION}, Python {platform.python_version()}, "
        f"{platform.platform()}\n",
        f"{' '.join(map(shown, sys.argv))}\n\n",
        *traceback.format_exception(error),
    ]
    # names of any bytes may be in it
    text = "".join(lines).encode("utf-8", "backslashreplace").decode()
    for folder in (cache_folder("errors"), Path(tempfile.gettempdir())):
        path = folder / f"pixsent-tf-{now}-{os.getpid()}.txt"
        try:
            write_text(path, text)
        except OSError:
            continue
        return path
    return None


def line_of(error: Exception) -> tuple[str, int] | None:
    """Say in a line what went wrong, and how the command ends.

    Args:
        error: Whatever a verb raised.

    Returns:
        The line and the exit code; None for what click itself knows how to say.
    """
    if isinstance(error, PixsentError):
        return str(error), error.exit_code
    if isinstance(error, click.ClickException | click.exceptions.Exit | click.Abort):
        return None
    if isinstance(error, OSError):
        if error.errno == errno.EPIPE:  # whoever read has enough
            return None
        return describe_os_error(error), 1
    return describe_unexpected(error), 1
