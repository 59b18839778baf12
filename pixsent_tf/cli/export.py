"""pixsent-tf export RUN: a model for a server or a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from pixsent_tf.cli import console
from pixsent_tf.cli.options import COUNT, THRESHOLD, Value, refuse_idle
from pixsent_tf.cli.tables import print_table
from pixsent_tf.cli.trouble import OutPath
from pixsent_tf.config.values import Fraction
from pixsent_tf.results.files import FileResults, SavedModelResults

IDLE = {  # options that do nothing, by format
    "savedmodel": ("quantize", "max_drop", "data"),
    "tflite": ("version", "serve_check", "threshold", "ratings"),
    "onnx": ("quantize", "version", "serve_check", "threshold", "ratings"),
}


@click.command(name="export")
@click.argument("run")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(IDLE)),
    default="savedmodel",
    help="For TF Serving (default), for phones, or for ONNX Runtime.",
)
@click.option(
    "--quantize",
    type=click.Choice(["none", "float16", "dynamic", "int8"]),
    default="none",
    help="Numbers inside a TFLite file; int8 is the smallest and fastest.",
)
@click.option(
    "--max-drop",
    type=Value(Fraction),
    help="Refuse an export that loses more accuracy, or correlation of ratings.",
)
@THRESHOLD
@click.option(
    "--ratings",
    is_flag=True,
    help="Give valence and arousal too, of a model that ships.",
)
@click.option("--data", help="Where the run's pictures are now, if they moved.")
@click.option("--name", default="sentiment", help="Name of the model on the server.")
@click.option("--version", type=COUNT, help="The next free by default.")
@click.option("--out", type=OutPath(), help="Folder of the models, or file to make.")
@click.option(
    "--serve-check", is_flag=True, help="Load the export as TF Serving does, and ask."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    run: str,
    form: Literal["savedmodel", "tflite", "onnx"],
    out: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Export a run's model, preprocessing inside.

    RUN is a run folder of `fit`; for a SavedModel, shipped or shipped-best too. A
    SavedModel takes encoded pictures and goes to export/models/NAME/VERSION/; a TFLite
    or ONNX file takes crops, is scored on the pictures that the run held out, and goes
    to export/FORMAT/.

    \b
    Example:
      pixsent-tf export runs/fit-smileys-1 --serve-check
      pixsent-tf export runs/mine --format tflite --quantize int8 --max-drop 0.01
    """
    refuse_idle(IDLE[form], f"with --format {form}")
    console.load_tensorflow()
    if form == "savedmodel":
        _export_saved_model(run, out, as_json=as_json, **options)
    else:
        _export_file(run, form, out, as_json=as_json, **options)


def _export_saved_model(
    run: str,
    out: str | None,
    *,
    name: str,
    version: int | None,
    serve_check: bool,
    threshold: float | None,
    ratings: bool,
    as_json: bool,
    **_unused: Any,
) -> None:
    from pixsent_tf.inference.shipped import load_any_model, load_model, load_ratings
    from pixsent_tf.serving import saved_model
    from pixsent_tf.serving.serve_check import serve_check as check

    folder = Path(out or "export/models") / name
    if threshold is None:
        model = load_any_model(run)
    else:
        model = load_model(run, threshold=threshold)
    number = version or saved_model.next_version(folder)
    second = load_ratings(run, model) if ratings else None
    path = saved_model.export_saved_model(model, folder, number, second=second)
    difference = check(path, model) if serve_check else None
    rows = [("saved model", str(path))]
    if difference is not None:
        rows.append(("serve check", f"passed, differs from Keras by {difference:.1e}"))
    rows.append(("serve it", "see export/README.md"))
    results: SavedModelResults = {
        "name": name,
        "version": number,
        "serve_check_difference": difference,
        "out": str(path),
    }
    console.print_results(rows, results, as_json=as_json)


def _export_file(
    run: str,
    form: Literal["tflite", "onnx"],
    out: str | None,
    *,
    name: str,
    quantize: str,
    max_drop: float | None,
    data: str | None,
    as_json: bool,
    **_unused: Any,
) -> None:
    from pixsent_tf.runs import Run
    from pixsent_tf.serving import scorecard, scored_export

    stem = f"{name}-{quantize}" if quantize != "none" else name
    path = Path(out or f"export/{form}/{stem}.{form}")
    made = scored_export.export_file(
        Run.open(run), path, form, quantize=quantize, max_drop=max_drop, source=data
    )
    if not as_json:
        print_table(scorecard.to_rows(made.scores), align="right")
        click.echo()
    results: FileResults = {**made.description, "out": str(made.path)}
    console.print_results(
        [("file", str(made.path)), ("card", str(made.path.with_suffix(".md")))],
        results,
        as_json=as_json,
    )
