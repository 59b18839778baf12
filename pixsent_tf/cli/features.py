"""pixsent-tf features PATH...: what does a network see, layer by layer?"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pixsent_tf.cli import console
from pixsent_tf.cli.files import find_files
from pixsent_tf.cli.options import NAMES, engine_options, network_options, refuse_idle
from pixsent_tf.cli.trouble import OutFile
from pixsent_tf.errors import UsageError
from pixsent_tf.results.looks import FeaturesResults
from pixsent_tf.results.unreadable import list_unreadable


@click.command(name="features")
@click.argument("paths", nargs=-1, required=True)
@network_options
@click.option(
    "--layers",
    type=NAMES,
    required=True,
    help="Names, such as conv5,fc7 or features.",
)
@click.option("--pool", is_flag=True, help="Average over height and width.")
@click.option("--out", type=OutFile(), required=True, help="The .npz file to write.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@engine_options
@click.option("--quiet", is_flag=True, help="Show no progress.")
def command(
    paths: tuple[str, ...],
    model: str | None,
    backbone: str | None,
    weights: str,
    layers: tuple[str, ...],
    pool: bool,
    out: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write the activations of named layers for the center crop of each picture.

    PATHS are files, folders (walked), globs, .txt files with a path a line, or - for
    such a list on standard input. The file that is written holds paths and, for each
    layer, an array [N,h,w,C] or [N,F] in their order. A picture that cannot be read is
    left out; then the exit code is 1.

    \b
    Example:
      pixsent-tf features photos/ --model runs/mine --layers features --out photos.npz
      pixsent-tf features photos/ --backbone efficientnet_lite0 --layers stage5 \
          --pool --out photos.npz
    """
    if Path(out).suffix != ".npz":
        raise UsageError(f"--out {out} must end in .npz.")
    if model is not None:
        refuse_idle(["weights"], "with --model, which has its own")
    console.load_tensorflow()
    from pixsent_tf.analysis.networks import open_network
    from pixsent_tf.studies import probe

    files = find_files(paths)
    network = open_network(model, backbone, None if weights == "None" else weights)
    progress = console.show_progress(quiet=quiet)
    found = probe.write_features(
        network, files, layers, Path(out), pool=pool, progress=progress
    )
    shapes = {name: list(array.shape) for name, array in found.layers.items()}
    rows = [(name, " × ".join(map(str, shape))) for name, shape in shapes.items()]
    results: FeaturesResults = {
        "layers": shapes,
        "unreadable": list_unreadable(files, found.failures),
        "out": out,
    }
    console.print_results([*rows, ("out", out)], results, as_json=as_json)
    console.warn_unreadable(results["unreadable"])
    if results["unreadable"]:
        sys.exit(1)
