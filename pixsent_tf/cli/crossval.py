"""pixsent-tf crossval DATA: train and test on every fold."""

from __future__ import annotations

from typing import Any

import click

from pixsent_tf.cli.options import (
    data_options,
    output_options,
    read_recipe,
    training_options,
)
from pixsent_tf.cli.train import run_study
from pixsent_tf.recipes import find_recipe


@click.command(name="crossval")
@click.argument("data")
@data_options
@training_options
@click.option("--folds", type=int, help="Folds to make; published folds stand.")
@output_options
def command(
    recipe: str,
    out: str | None,
    as_json: bool,
    quiet: bool,
    settings: tuple[str, ...],
    **named: Any,
) -> None:
    r"""Train and test on every fold; report the pooled predictions.

    Published folds are used where the data has them, stratified ones otherwise.
    Nothing is chosen on a test fold.

    \b
    Example:
      pixsent-tf crossval pictures/ --folds 10
      pixsent-tf crossval deepsent/ --subset five_agrees
    """
    chosen = read_recipe(find_recipe(recipe), settings, **named)
    run_study("crossval", chosen, out=out, as_json=as_json, quiet=quiet)
