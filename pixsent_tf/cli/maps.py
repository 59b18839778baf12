"""pixsent-tf maps PATH...: where does a model see negative and positive?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pixsent_tf.cli import console, words
from pixsent_tf.cli.files import find_files
from pixsent_tf.cli.options import COUNT, THRESHOLD, model_option, refuse_idle
from pixsent_tf.cli.trouble import OutPath
from pixsent_tf.errors import DataError, UsageError

if TYPE_CHECKING:
    from pixsent_tf.inference.model import SentimentModel


@click.command(name="maps")
@click.argument("paths", nargs=-1)
@model_option
@THRESHOLD
@click.option(
    "--out",
    type=OutPath(),
    help="Folder to make; the next free one below runs/ by default.",
)
@click.option("--limit", type=COUNT, help="Map the first pictures only.")
@click.option("--check", is_flag=True, help="Measure whether the maps are faithful.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def command(
    paths: tuple[str, ...],
    model: str | None,
    threshold: float | None,
    out: str | None,
    limit: int | None,
    check: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Draw sentiment maps: green where a place feels positive, red or pink where not.

    A model of more than two classes has a map for each, one of ratings for each rating.

    PATHS are files, folders (walked), globs, .txt files with a path a line, or - for
    such a list on standard input; none stands for the pictures that a run held out.
    Writes a PNG for each picture, a contact sheet, and all maps as maps.npz. With
    --check nothing is drawn: places are blurred in the order of the map, and the answer
    must follow.

    \b
    Example:
      pixsent-tf maps photo.jpg
      pixsent-tf maps --model runs/mine --check --limit 200
    """
    if not paths and model is None:
        raise UsageError(
            "Name pictures, or a run with --model to map what it held out."
        )
    if check:
        refuse_idle(["out"], "with --check, which draws nothing")
    console.load_tensorflow()
    from pixsent_tf.inference.shipped import load_any_model, load_model
    from pixsent_tf.runs import Run, next_folder
    from pixsent_tf.studies import maps

    files = _held_out(model, threshold) if model and not paths else find_files(paths)
    files = files[:limit]
    trained = load_any_model(model)
    if threshold is not None:
        trained = load_model(model, threshold=threshold)
    if check:
        _check(trained, files, as_json=as_json, quiet=quiet)
        return
    run = Run.create(Path(out) if out else next_folder("maps"))
    progress = console.show_progress(quiet=quiet)
    results = maps.write_maps(trained, files, run.path, progress=progress)
    console.warn_unreadable(results["unreadable"])
    rows = [
        ("pictures", str(results["num_examples"])),
        ("maps", f"{', '.join(results['maps'])} ({results['kind']})"),
        ("out", results["out"]),
    ]
    console.print_results(rows, results, as_json=as_json)


def _held_out(model: str, threshold: float | None) -> list[str]:
    from pixsent_tf.studies.ratings.evaluate import open_rated_run, rates
    from pixsent_tf.studies.subjects import open_run

    is_rated = threshold is None and rates(model)
    subject = (
        open_rated_run(model) if is_rated else open_run(model, threshold=threshold)
    )
    files = [path for path in subject.paths() if path is not None]
    if not files:
        raise DataError(
            f"The pictures that {model} held out are not to be had any more."
        )
    return files


def _check(
    trained: SentimentModel, files: list[str], *, as_json: bool, quiet: bool
) -> None:
    from pixsent_tf.analysis import map_checks

    progress = console.show_progress(quiet=quiet)
    results = map_checks.check_maps(trained, files, progress=progress)
    console.warn_unreadable(results["unreadable"])
    console.print_results(words.describe_map_check(results), results, as_json=as_json)
