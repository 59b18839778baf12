"""Which options say how a source is read?"""

from __future__ import annotations

from typing import Any

import click

from pixsent_tf.cli.options import (
    GROUP,
    IMAGES,
    LEVEL,
    STRICT_LISTS,
    Command,
    add_options,
    setting,
)
from pixsent_tf.config import DataConfig, Recipe, override
from pixsent_tf.config.use import FLAGS

COLUMNS = setting(
    "data.columns",
    "Which column of a table holds what, such as path=img,label=mood.",
)
CLASSES = setting(
    "data.classes", "Which labels mean a class, such as negative=neg|sad,positive=joy."
)
SKIP_UNLABELLED = click.option(
    FLAGS["data.skip_unlabelled"],
    is_flag=True,
    callback=lambda _ctx, _param, value: True if value else None,
    help="Leave pictures of a table out that have no label, instead of refusing it.",
)


def data_options(function: Command) -> Command:
    """Add the options that say what the data is.

    Args:
        function: A click command's function.

    Returns:
        The function with `--level`, `--images`, `--group`, `--columns`, `--classes`,
        `--skip-unlabelled`, `--join-weight`, `--labels` and `--strict`.
    """
    return add_options(
        function,
        LEVEL,
        IMAGES,
        GROUP,
        COLUMNS,
        CLASSES,
        SKIP_UNLABELLED,
        setting(
            "data.join_weight",
            "Let a DeepSent folder's pictures of lower agreement train too, with this "
            "weight; they never test.",
        ),
        setting(
            "data.labels", "Train on the majority label or on the share of the votes."
        ),
        STRICT_LISTS,
    )


def reading_options(function: Command) -> Command:
    """Add the options that say how a table is read, for `data_config`.

    Args:
        function: A click command's function.

    Returns:
        The function with `--columns`, `--classes` and `--skip-unlabelled`.
    """
    return add_options(function, COLUMNS, CLASSES, SKIP_UNLABELLED)


def data_config(source: str, **named: Any) -> DataConfig:
    """Say what the data is, for a verb without a recipe.

    Args:
        source: What the command line names.
        named: Options by name, those of `reading_options` among them; None changes
            nothing.

    Returns:
        The source and how to read it.

    Raises:
        ConfigError: If a value does not fit.
    """
    changes = {f"data.{name}": each for name, each in named.items() if each is not None}
    return override(Recipe(), {"data.source": source, **changes}).data
