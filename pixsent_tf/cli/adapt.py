"""pixsent-tf adapt LABELS: a model for your own pictures, from a few labels."""

from __future__ import annotations

from typing import Any

import click

from pixsent_tf.cli import console
from pixsent_tf.cli.by_words import check_words, load_words, words_options
from pixsent_tf.cli.options import (
    GROUP,
    IMAGES,
    LEVEL,
    SEED,
    engine_options,
    model_option,
    output_options,
)
from pixsent_tf.cli.rating_words import describe_rating_adaptation
from pixsent_tf.cli.reading import data_config, reading_options
from pixsent_tf.cli.words import describe_adaptation


@click.command(name="adapt")
@click.argument("labels")
@model_option
@words_options
@click.option(
    "--pictures",
    multiple=True,
    metavar="ALL",
    help="The collection: a folder, a .txt list, a glob. It needs no labels.",
)
@LEVEL
@IMAGES
@GROUP
@reading_options
@SEED
@engine_options
@output_options
def command(
    labels: str,
    model: str | None,
    words: str | None,
    backbone: str | None,
    pictures: tuple[str, ...],
    seed: str | None,
    out: str | None,
    as_json: bool,
    quiet: bool,
    **named: Any,
) -> None:
    """Make a trained model one for your own pictures, by 10 to 1,000 labels.

    LABELS is any source that fit takes, such as a table with the columns path and
    label. Labels that train nothing decide whether the model is left as it is, gets
    another scale and threshold, or a head that is pulled to its own; others, which
    decide nothing either, tell how good it was before and is after. A model of ratings
    takes a table with columns of the same names, and fits its intervals anew.

    \b
    Example:
      pixsent-tf adapt labels.csv
      pixsent-tf adapt labels.csv --model runs/mine --pictures photos/ --out runs/ours
      pixsent-tf adapt ratings.csv --model runs/rated
      pixsent-tf predict photos/ --model runs/ours
      pixsent-tf adapt a.csv --words w.json --backbone hub:clip_vit_base_patch16
    """
    by_words = check_words(model, backbone, words)
    console.load_tensorflow()
    from pixsent_tf.cli.files import find_files
    from pixsent_tf.studies.adapt import adapt

    results = adapt(
        data_config(labels, **named),
        model=load_words(backbone, words) if by_words else model,
        pictures=find_files(pictures) if pictures else (),
        out=out,
        seed=int(seed or 0),
        progress=console.show_progress(quiet=quiet),
    )
    console.warn_unreadable(results["unreadable"])
    describe: Any = describe_adaptation
    if "differences" in results:
        describe = describe_rating_adaptation
    console.print_results(describe(results), results, as_json=as_json)
