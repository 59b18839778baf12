"""pixsent-tf inspect FILE: which layers does a file of weights hold?"""

from __future__ import annotations

import math
from pathlib import Path

import click

from pixsent_tf.cli import console
from pixsent_tf.errors import WeightsError
from pixsent_tf.results.files import InspectResults

Row = tuple[str, str, tuple[tuple[int, ...], ...]]


@click.command(name="inspect")
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(file: str, as_json: bool) -> None:
    """List the layers of a .caffemodel or .npz file, and their shapes.

    \b
    Example:
      pixsent-tf inspect caffenet.caffemodel
    """
    layers = _describe(Path(file))
    count = sum(math.prod(shape) for _, _, shapes in layers for shape in shapes)
    rows = [
        (name, f"{kind:<16}" + "  ".join("x".join(map(str, s)) for s in shapes))
        for name, kind, shapes in layers
    ]
    results: InspectResults = {
        "layers": [
            {"name": name, "type": kind, "shapes": [list(s) for s in shapes]}
            for name, kind, shapes in layers
        ],
        "num_parameters": count,
    }
    rows.append(("in all", f"{count:,} parameters"))
    console.print_results(rows, results, as_json=as_json)


def _describe(path: Path) -> list[Row]:
    if path.suffix == ".npz":
        return _describe_npz(path)
    if path.suffix != ".caffemodel":
        raise WeightsError(f"{path.name} is neither a .caffemodel nor a .npz file.")
    from pixsent_tf.models.caffemodel import describe

    return describe(path)


def _describe_npz(path: Path) -> list[Row]:
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as arrays:
            return [(name, "array", (arrays[name].shape,)) for name in arrays.files]
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read as .npz: {error}") from error
