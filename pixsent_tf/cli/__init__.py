"""Which verbs does the command `pixsent-tf` have?

This module and `--help` load no TensorFlow: each verb's module is read when the verb is
named, and loads what is heavy inside its function.
"""

from __future__ import annotations

import importlib
import signal
from typing import Any, NoReturn

import click

from pixsent_tf.cli.stopping import stoppable, terminate
from pixsent_tf.cli.trouble import line_of
from pixsent_tf.version import VERSION

VERBS = (
    "fit",
    "crossval",
    "evaluate",
    "compare",
    "predict",
    "adapt",
    "maps",
    "features",
    "probe",
    "reproduce",
    "tune",
    "demo",
    "export",
    "score",
    "label",
    "share",
    "audit",
    "inspect",
    "doctor",
)


class _Verbs(click.Group):
    """A group whose commands are modules of this package, read when named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        return importlib.import_module(f"pixsent_tf.cli.{name}").command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with stoppable(ctx):
                return super().invoke(ctx)
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else ctx.command_path
            message = f"{error.format_message()} See {path} --help."
            raise _OneLine(message, error.exit_code) from error
        except Exception as error:
            found = line_of(error)
            if found is None:
                raise
            raise _OneLine(*found) from error


class _OneLine(click.ClickException):
    """An error in one line, with the exit code that it carries."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(" ".join(message.split()))
        # click declares it for the class; here each error brings its own
        vars(self)["exit_code"] = exit_code


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="pixsent-tf")
def cli() -> None:
    """Predict whether pictures feel negative or positive.

    \b
    Example:
      pixsent-tf fit                      train on the drawn sample
      pixsent-tf fit pictures/            train on your own labelled folders
      pixsent-tf predict photo.jpg --model runs/fit-pictures-1
    """


def main() -> NoReturn:
    """Run the command.

    It exits with 0 on success, 1 on failure, 2 on bad usage, 130 after Ctrl-C and 143
    after SIGTERM.
    """
    signal.signal(signal.SIGTERM, terminate)
    cli(prog_name="pixsent-tf")
    raise SystemExit(0)
