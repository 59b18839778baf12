"""Which options do several verbs share, and what may an option hold?"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from typing import Any

import click
from click.core import ParameterSource

from pixsent_tf.cli.trouble import OutPath
from pixsent_tf.config import Recipe, override
from pixsent_tf.config.changes import kind_of_setting
from pixsent_tf.config.use import FLAGS
from pixsent_tf.config.values import Count, Kind, kind_of
from pixsent_tf.data.lists.strays import STRICT
from pixsent_tf.errors import ConfigError, UsageError
from pixsent_tf.machine import ENGINE, ENGINES, FEATURES_GB

Command = Callable[..., Any]
_TYPED = ParameterSource.COMMANDLINE


class Value(click.ParamType):
    """What an option may hold, said as the annotation of a setting says it.

    What does not fit is refused in one line when the command line is read.

    Args:
        hint: The annotation.
    """

    name = "value"

    def __init__(self, hint: Any) -> None:
        self.kind = kind_of(hint)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Read the text of an option.

        Args:
            value: The text, or a default that is a value already.
            param: The option.
            ctx: Unused.

        Returns:
            The value.

        Raises:
            ConfigError: If it does not fit.
        """
        read = self.kind.read(value) if isinstance(value, str) else value
        return self.kind.fit(read, param.opts[0] if param else self.name)

    def get_metavar(
        self, param: click.Parameter, ctx: click.Context | None = None
    ) -> str:
        """Name the value in the help.

        Args:
            param: The option.
            ctx: Unused; click gives it since 8.2.

        Returns:
            The choices, or a word for the type.
        """
        (item,) = self.kind.items if self.kind.type is tuple else (self.kind,)
        words = {int: "INTEGER", float: "NUMBER"}
        word = "|".join(item.options) or words.get(item.type, "TEXT")
        return f"{word},..." if self.kind.type is tuple else word


class SettingText(Value):
    """The text of a setting, which fits; `override` reads it.

    So "None" stays apart from an option that is not given.

    Args:
        kind: Of the setting.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Check the text of an option.

        Args:
            value: The text.
            param: The option.
            ctx: Unused.

        Returns:
            The text.
        """
        super().convert(value, param, ctx)
        return value


COUNT = Value(Count)
NUMBERS = Value(tuple[Count, ...])
NAMES = Value(tuple[str, ...])


def setting(name: str, text: str) -> Command:
    """Make the option that stands for a setting of a recipe.

    Args:
        name: Of the setting, one of `FLAGS`.
        text: Its help.

    Returns:
        A click option that refuses what the setting refuses.
    """
    return click.option(FLAGS[name], type=SettingText(kind_of_setting(name)), help=text)


LEVEL = setting("data.level", "Agreement level of a DeepSent folder.")
IMAGES = setting("data.images", "Folder that the names in a list are relative to.")
GROUP = setting(
    "data.group",
    "Keep pictures of one group on one side of every split: a column of a table, a "
    'feature of a TFDS set, "folder" within the classes, "user" of DeepSent.',
)
NUM_FOLDS = setting("data.num_folds", "Folds to make; published folds stand.")
TARGET = setting(
    "data.target",
    "Answer with numbers instead of classes: columns of ratings, such as "
    "valence,arousal.",
)
SCALE = setting(
    "data.scale", "Lowest and highest rating, such as 1:7; else those around the data."
)
AS_CLASSES = setting(
    "data.threshold",
    "Take a table's pictures for positive from this valence, and for negative below.",
)
SEED = setting("seed", "Of shuffles, splits, crops, weights.")
SETTINGS = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Change any setting of the recipe, such as training.batch_size=64.",
)


def _be_strict(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """Have lists refused whose names lead out of their folder, as long as this runs."""
    if value:
        before = os.environ.get(STRICT)
        os.environ[STRICT] = "1"  # processes of their own read it, too
        ctx.call_on_close(lambda: _restore(before))


def _restore(before: str | None) -> None:
    if before is None:
        os.environ.pop(STRICT, None)
    else:
        os.environ[STRICT] = before


STRICT_LISTS = click.option(
    "--strict",
    is_flag=True,
    expose_value=False,
    callback=_be_strict,
    help="Refuse lists that name files by absolute paths or by '..', and JPEGs that "
    "lack their end.",
)


def sources(*, required: bool) -> Callable[[Command], Command]:
    """Take labelled pictures by place or by name: `A B`, or `--data A --data B`.

    Args:
        required: Refuse a command line that names none.

    Returns:
        A decorator; the function gets `data`, a tuple of the sources.
    """

    def keep(ctx: click.Context, _: click.Parameter, value: tuple[str, ...]) -> None:
        ctx.meta["data"] = value

    def join(
        ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
    ) -> tuple[str, ...]:
        found = (*value, *ctx.meta.get("data", ()))
        if required and not found:
            raise click.MissingParameter(ctx=ctx, param=param)
        return found

    by_place = click.argument("data", nargs=-1, callback=join)
    by_name = click.option(
        "--data",
        "named_data",
        multiple=True,
        metavar="DATA",
        is_eager=True,  # before the argument, which joins both
        expose_value=False,
        callback=keep,
        help="The same as DATA; repeat it to train on several sources.",
    )
    return lambda function: by_place(by_name(function))


def rating_options(function: Command) -> Command:
    """Add the options that say what is done with ratings.

    Args:
        function: A click command's function.

    Returns:
        The function with `--target`, `--scale` and `--threshold`.
    """
    return add_options(function, TARGET, SCALE, AS_CLASSES)


THRESHOLD = click.option(
    "--threshold",
    type=Value(float),
    help="Let a model of ratings answer positive from this valence, else negative.",
)


def training_options(function: Command) -> Command:
    """Add the options that say what is trained.

    Args:
        function: A click command's function.

    Returns:
        The function with `--recipe`, `--backbone`, `--weights`, `--strategy`,
        `--epochs`, `--ensemble-size`, `--seed` and `--set`.
    """
    return add_options(
        function,
        setting("model.backbone", "Network; efficientnet_lite0 by default."),
        click.option(
            "--recipe",
            default="default",
            help="default, best, finetuned, or what ships: shipped, shipped-best.",
        ),
        setting("model.weights", "imagenet (default), a file, or None."),
        setting("training.strategy", "What to train; only the head by default."),
        setting(
            "training.epochs", "Passes over the training part; not for strategy head."
        ),
        setting(
            "training.ensemble_size", "Trainings, by seeds of their own, to average."
        ),
        SEED,
        SETTINGS,
    )


def output_options(function: Command) -> Command:
    """Add the options that say where the answer goes.

    Args:
        function: A click command's function.

    Returns:
        The function with `--out`, `--json` and `--quiet`.
    """
    return add_options(
        function,
        click.option(
            "--out", type=OutPath(), help="Run folder to make; below runs/ by default."
        ),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
        click.option("--quiet", is_flag=True, help="Show no progress."),
    )


def engine_options(function: Command) -> Command:
    """Add the options that say what computes and what is kept, which change no answer.

    They hold while the command runs, for the processes that it starts too.

    Args:
        function: A click command's function.

    Returns:
        The function with `--engine`, `--no-cache` and `--verbose`, which it does not
        see.
    """
    return add_options(
        engine_option(function),
        click.option(
            "--no-cache",
            is_flag=True,
            expose_value=False,
            callback=_set_no_cache,
            help="Neither recall nor keep features of pictures.",
        ),
    )


def engine_option(function: Command) -> Command:
    """Add the option that says what computes, for commands that keep no features.

    Args:
        function: A click command's function.

    Returns:
        The function with `--engine` and `--verbose`, which it does not see.
    """
    return add_options(
        function,
        click.option(
            "--engine",
            type=click.Choice(ENGINES),
            expose_value=False,
            callback=_set_engine,
            help=f"What computes frozen networks; also ${ENGINE}.",
        ),
        click.option(
            "--verbose",
            is_flag=True,
            expose_value=False,
            callback=_set_verbose,
            help="Say on standard error what is chosen on the way.",
        ),
    )


def _set_engine(ctx: click.Context, _: click.Parameter, engine: str | None) -> None:
    if engine is not None:
        set_variable(ctx, ENGINE, engine)


def _set_no_cache(ctx: click.Context, _: click.Parameter, is_off: bool) -> None:
    if is_off:
        set_variable(ctx, FEATURES_GB, "0")


def set_variable(ctx: click.Context, name: str, value: str) -> None:
    """Set a variable of the environment until the command ends.

    Args:
        ctx: Of the command.
        name: Of the variable.
        value: What it shall be.
    """
    before = os.environ.get(name)
    os.environ[name] = value

    def restore() -> None:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before

    ctx.call_on_close(restore)


def _set_verbose(ctx: click.Context, _: click.Parameter, is_verbose: bool) -> None:
    if not is_verbose:
        return
    log, handler = logging.getLogger("pixsent_tf"), logging.StreamHandler()
    level = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)

    def restore() -> None:
        log.removeHandler(handler)
        log.setLevel(level)

    ctx.call_on_close(restore)


def model_option(function: Command) -> Command:
    """Add the option that says which model answers.

    Args:
        function: A click command's function.

    Returns:
        The function with `--model`.
    """
    text = "A run folder or its .keras file; shipped (the default) or shipped-best."
    return click.option("--model", help=text)(function)


def network_options(function: Command) -> Command:
    """Add the options that say whose layers are looked at.

    Args:
        function: A click command's function.

    Returns:
        The function with `--model`, `--backbone` and `--weights`.
    """
    return add_options(
        function,
        click.option("--model", help="A run folder or its .keras file."),
        click.option("--backbone", help="A network as it comes, instead of a model."),
        click.option(
            "--weights",
            default="imagenet",
            help="Of the backbone: imagenet, a file, or None.",
        ),
    )


def refuse_idle(names: Iterable[str], why: str) -> None:
    """Refuse options of the running command that it has no use for.

    Args:
        names: Parameters that do nothing now.
        why: Completes "--option does nothing".

    Raises:
        UsageError: If one of them stands on the command line.
    """
    ctx = click.get_current_context()
    for param in ctx.command.params:
        is_given = ctx.get_parameter_source(param.name or "") is _TYPED
        if param.name in names and is_given:
            raise UsageError(f"{param.opts[0]} does nothing {why}; leave it out.")


def read_recipe(base: Recipe, settings: tuple[str, ...], **named: Any) -> Recipe:
    """Apply the options of a command line to a recipe.

    Args:
        base: The recipe to start from.
        settings: Texts like `training.epochs=3`.
        named: Values of the options in `FLAGS`, and `data`, a source or several; None
            changes nothing.

    Returns:
        The recipe to run.

    Raises:
        ConfigError: If a setting does not exist, or a value does not fit or does
            nothing.
    """
    known = {_parameter(flag): name for name, flag in FLAGS.items()}
    known |= {"data": "data.source", "more": "data.more_sources"}
    if isinstance(named.get("data"), tuple):
        named["data"], *more = named["data"]
        named["more"] = tuple(more) or None
    changes = {known[name]: value for name, value in named.items() if value is not None}
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"--set {text!r} is not of the form NAME=VALUE.")
        changes[name] = value
    return override(base, changes)


def add_options(function: Command, *options: Command) -> Command:
    """Add options in the order in which the help lists them.

    Args:
        function: A click command's function.
        options: What to add.

    Returns:
        The function with the options.
    """
    for option in reversed(options):
        function = option(function)
    return function


def _parameter(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")
