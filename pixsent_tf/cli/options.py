"""Which options do several verbs share?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from pixsent_tf.config import LEVELS, Recipe, override
from pixsent_tf.errors import ConfigError

Command = Callable[..., Any]


def data_options(function: Command) -> Command:
    """Add the options that say what the data is.

    Args:
        function: A click command's function.

    Returns:
        The function with `--level`, `--images`, `--join` and `--labels`.
    """
    for option in (
        click.option(
            "--labels",
            type=click.Choice(["hard", "votes"]),
            help="Train on the majority label or on the share of the votes.",
        ),
        click.option(
            "--join",
            "join_weight",
            type=float,
            metavar="WEIGHT",
            help="Let a DeepSent folder's pictures of lower agreement train too, with "
            "this weight; they never test.",
        ),
        click.option(
            "--images", help="Folder that the names in a list are relative to."
        ),
        click.option(
            "--level",
            help=f"Agreement level of a DeepSent folder: {', '.join(LEVELS)}.",
        ),
    ):
        function = option(function)
    return function


def training_options(function: Command) -> Command:
    """Add the options that say what is trained.

    Args:
        function: A click command's function.

    Returns:
        The function with `--recipe`, `--backbone`, `--weights`, `--strategy`,
        `--epochs`, `--ensemble`, `--seed` and `--set`.
    """
    for option in (
        click.option(
            "--set",
            "settings",
            multiple=True,
            metavar="NAME=VALUE",
            help="Change any setting of the recipe, such as training.batch_size=64.",
        ),
        click.option("--seed", type=int, help="Of shuffles, splits, crops, weights."),
        click.option(
            "--ensemble", type=int, help="Trainings, by seeds of their own, to average."
        ),
        click.option("--epochs", type=int, help="Passes over the training part."),
        click.option(
            "--strategy", help="What to train: head (default), last-blocks, all, lp-ft."
        ),
        click.option("--weights", help="imagenet (default), a file, or None."),
        click.option(
            "--recipe",
            default="default",
            help="default (cheap) or best (needs pixsent-tf[backbones]).",
        ),
        click.option("--backbone", help="Network; efficientnet_lite0 by default."),
    ):
        function = option(function)
    return function


def output_options(function: Command) -> Command:
    """Add the options that say where the answer goes.

    Args:
        function: A click command's function.

    Returns:
        The function with `--out`, `--json` and `--quiet`.
    """
    for option in (
        click.option("--quiet", is_flag=True, help="Show no progress."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
        click.option("--out", help="Run folder to make; below runs/ by default."),
    ):
        function = option(function)
    return function


def model_option(function: Command) -> Command:
    """Add the option that says which model answers.

    Args:
        function: A click command's function.

    Returns:
        The function with `--model`.
    """
    text = "A run folder or its .keras file; the model that ships by default."
    return click.option("--model", help=text)(function)


NAMES = {
    "data": "data.source",
    "level": "data.level",
    "images": "data.images",
    "labels": "data.labels",
    "join_weight": "data.join_weight",
    "backbone": "model.backbone",
    "weights": "model.weights",
    "strategy": "training.strategy",
    "epochs": "training.epochs",
    "ensemble": "training.ensemble_size",
    "seed": "seed",
    "num_folds": "data.num_folds",
    "test_fraction": "evaluation.test_fraction",
}


def read_recipe(base: Recipe, settings: tuple[str, ...], **named: Any) -> Recipe:
    """Apply the options of a command line to a recipe.

    Args:
        base: The recipe to start from.
        settings: Texts like `training.epochs=3`.
        named: Values of options by their name in `NAMES`; None changes nothing.

    Returns:
        The recipe to run.

    Raises:
        ConfigError: If a setting does not exist or a value does not fit.
    """
    changes = {NAMES[name]: value for name, value in named.items() if value is not None}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ConfigError(f"--set {setting!r} is not of the form NAME=VALUE.")
        changes[name] = value
    return override(base, changes)
