"""pixsent-tf crossval DATA: train and test on every fold."""

from __future__ import annotations

from typing import Any, Literal

import click

from pixsent_tf.cli import console
from pixsent_tf.cli.options import (
    NUM_FOLDS,
    NUMBERS,
    engine_options,
    output_options,
    rating_options,
    refuse_idle,
    sources,
    training_options,
)
from pixsent_tf.cli.reading import data_options
from pixsent_tf.cli.train import (
    AUTO,
    BATCH_SIZE,
    DISTRIBUTE_OPTION,
    read_sized_recipe,
    run_study,
)
from pixsent_tf.recipes import find_recipe


@click.command(name="crossval")
@sources(required=True)
@data_options
@rating_options
@training_options
@NUM_FOLDS
@click.option("--folds", type=NUMBERS, help="Test some folds only, such as 1,3.")
@click.option(
    "--leave-source-out",
    is_flag=True,
    help="Test each source with what all others train, instead of folds.",
)
@click.option(
    "--keep-models/--discard-models",
    default=True,
    help="Save the model of each fold, for ten crops and maps of test pictures.",
)
@BATCH_SIZE
@DISTRIBUTE_OPTION
@engine_options
@output_options
def command(
    recipe: str,
    folds: tuple[int, ...] | None,
    leave_source_out: bool,
    keep_models: bool,
    out: str | None,
    as_json: bool,
    quiet: bool,
    settings: tuple[str, ...],
    batch_size: int | Literal["auto"] | None,
    **named: Any,
) -> None:
    """Train and test on every fold; report the pooled predictions.

    Published folds are used where the data has them, stratified ones otherwise.
    Nothing is chosen on a test fold. A killed run goes on when it is started again with
    the same --out: finished folds are kept.

    With several DATA, or a table with a column `source`, the results are told for each
    source. How good the answers are on pictures of another kind than those that
    trained, --leave-source-out tells.

    With --target ratings are what is learnt and tested, as in `fit`.

    \b
    Example:
      pixsent-tf crossval pictures/ --num-folds 10
      pixsent-tf crossval deepsent/ --level five_agrees
      pixsent-tf crossval tweets/ holiday.csv --leave-source-out
      pixsent-tf crossval ratings.csv --target valence,arousal --scale 1:7
    """
    if leave_source_out:
        refuse_idle(["num_folds"], "with --leave-source-out")
    chosen = read_sized_recipe(find_recipe(recipe), settings, batch_size, **named)
    console.load_tensorflow()
    from pixsent_tf.studies.crossval import crossval

    run_study(
        crossval,
        chosen,
        out=out,
        as_json=as_json,
        quiet=quiet,
        halves=batch_size == AUTO,
        folds=folds,
        leave_source_out=leave_source_out,
        keep_models=keep_models,
    )
