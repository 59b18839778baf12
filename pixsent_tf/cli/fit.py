"""pixsent-tf fit [DATA]: train on labelled pictures, test on a held-out part."""

from __future__ import annotations

from typing import Any, Literal

import click

from pixsent_tf.cli import console
from pixsent_tf.cli.options import (
    engine_options,
    output_options,
    rating_options,
    setting,
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


@click.command(name="fit")
@sources(required=False)
@data_options
@rating_options
@training_options
@setting("evaluation.test_fraction", "Share to hold out; 0.2 by default.")
@BATCH_SIZE
@DISTRIBUTE_OPTION
@engine_options
@output_options
def command(
    recipe: str,
    data: tuple[str, ...],
    out: str | None,
    as_json: bool,
    quiet: bool,
    settings: tuple[str, ...],
    batch_size: int | Literal["auto"] | None,
    **named: Any,
) -> None:
    """Train on labelled pictures and test on a held-out part.

    DATA is a folder with one subfolder per class, a list file (`name label` a line), a
    table (CSV, JSON Lines or parquet with columns such as path,label), a DeepSent
    folder, tfds:NAME, or smileys, the drawn sample that is used when nothing is given.
    Several of them train together; `--set data.balance=both` lets each class of each
    weigh the same.

    With --target the model answers with numbers: a CSV file has a column of ratings for
    each target, and where they are known TARGET_sd and TARGET_n, deviation and number
    of the raters. Numbered series (dog_1.jpg, dog_2.jpg) stay on one side of every
    split, unless a column `group` or --group says otherwise.

    \b
    Example:
      pixsent-tf fit
      pixsent-tf fit pictures/ --out runs/mine
      pixsent-tf fit tweets/ holiday.csv --set data.balance=both
      pixsent-tf fit ratings.csv --target valence,arousal --scale 1:7
    """
    chosen = read_sized_recipe(
        find_recipe(recipe), settings, batch_size, data=data or None, **named
    )
    console.load_tensorflow()
    from pixsent_tf.studies.fit import fit

    run_study(
        fit, chosen, out=out, as_json=as_json, quiet=quiet, halves=batch_size == AUTO
    )
