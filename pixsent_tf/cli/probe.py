"""pixsent-tf probe DATA: how much does each layer know?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pixsent_tf.cli import console, words
from pixsent_tf.cli.options import (
    GROUP,
    IMAGES,
    LEVEL,
    NAMES,
    Value,
    engine_options,
    network_options,
    refuse_idle,
)
from pixsent_tf.cli.reading import data_config, reading_options
from pixsent_tf.cli.stopping import goes_on_in
from pixsent_tf.cli.trouble import OutPath
from pixsent_tf.config.values import Seed, Whole
from pixsent_tf.errors import ConfigError

UNITS = Value(tuple[Whole, ...])


@click.command(name="probe")
@click.argument("data")
@network_options
@click.option(
    "--layers",
    type=NAMES,
    help="Names, such as conv5,fc7; all named stages by default.",
)
@click.option("--flatten", is_flag=True, help="Keep every cell, as the paper does.")
@click.option(
    "--units",
    type=UNITS,
    help="Show what excites these units of the last layer: 0,7.",
)
@LEVEL
@IMAGES
@GROUP
@reading_options
@click.option(
    "--seed", type=Value(Seed), default=0, help="Of folds, where none are published."
)
@click.option(
    "--out",
    type=OutPath(),
    help="Folder to make; the next free one below runs/ by default.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@engine_options
@click.option("--quiet", is_flag=True, help="Show no progress.")
def command(
    data: str,
    model: str | None,
    backbone: str | None,
    weights: str,
    layers: tuple[str, ...] | None,
    flatten: bool,
    units: tuple[int, ...] | None,
    seed: int,
    out: str | None,
    as_json: bool,
    quiet: bool,
    **named: Any,
) -> None:
    """Test a linear classifier on each layer of a network, by cross-validation.

    With --units also draws the pictures that excite units of the last layer named, and
    the part of them that the unit sees, and a t-SNE of all pictures. A killed probe
    goes on when it is started again with the same --out: finished folds are kept.

    \b
    Example:
      pixsent-tf probe pictures/ --backbone efficientnet_lite0
      pixsent-tf probe pictures/ --model runs/mine --layers stage3,stage7 --units 0,1,2
    """
    if model is not None:
        refuse_idle(["weights"], "with --model, which has its own")
    console.load_tensorflow()
    from pixsent_tf.analysis.networks import open_network
    from pixsent_tf.data.sources import open_dataset
    from pixsent_tf.runs import Run, next_folder
    from pixsent_tf.studies import probe

    progress = console.show_progress(quiet=quiet)
    source = data_config(data, **named)
    dataset = open_dataset(source, seed=seed, progress=progress)
    network = open_network(model, backbone, None if weights == "None" else weights)
    names = layers or network.stages
    if not names:
        raise ConfigError(f"{network.model.name} has no named stages; give --layers.")
    folder = Path(out) if out else next_folder(f"probe-{dataset.name}")
    run = Run.begin(folder, probe.identity(network, names, flatten=flatten, seed=seed))
    goes_on_in(folder)
    results = probe.probe(
        network, dataset, names, run, flatten=flatten, seed=seed, progress=progress
    )
    console.warn_unreadable(results["unreadable"])
    if units:
        probe.write_pictures(network, dataset, names[-1], units, run)
    console.print_results(words.describe_probe(results), results, as_json=as_json)
