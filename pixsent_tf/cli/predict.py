"""pixsent-tf predict PATH...: one row for each file."""

from __future__ import annotations

import csv
import glob
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pixsent_tf.cli import console
from pixsent_tf.errors import DataError

if TYPE_CHECKING:
    from pixsent_tf.evaluation.predict import Prediction


@click.command(name="predict")
@click.argument("paths", nargs=-1, required=True)
@click.option("--model", required=True, help="A run folder or its .keras file.")
@click.option("--oversample", is_flag=True, help="Average ten crops of each picture.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl"]),
    default="csv",
    help="A table, or one JSON object a line.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format jsonl.")
@click.option("--out", help="File to write; standard output by default.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def command(
    paths: tuple[str, ...],
    model: str,
    oversample: bool,
    form: str,
    as_json: bool,
    out: str | None,
    quiet: bool,
) -> None:
    r"""Predict pictures: one row for each file.

    PATHS are files, folders (walked), globs, or - for a list on standard input. A file
    that cannot be read gets a row that says why; then the exit code is 1.

    \b
    Example:
      pixsent-tf predict photo.jpg holiday/ --model runs/fit-smileys-1
      find . -name '*.jpg' | pixsent-tf predict - --model runs/mine --json
    """
    console.load_tensorflow()
    from pixsent_tf.evaluation.predict import Predictor

    files = list(expand(paths))
    if not files:
        raise DataError(f"{' '.join(paths)} holds no pictures; name files or folders.")
    predictor = Predictor.load(Path(model))
    failed = 0
    with (
        click.open_file(out or "-", "w", encoding="utf-8", atomic=bool(out)) as file,
        console.progress(len(files), "predicting", quiet=quiet) as advance,
    ):
        predictions = predictor.predict(files, oversample=oversample, advance=advance)
        write = _write_jsonl if as_json or form == "jsonl" else _write_csv
        failed = write(file, predictions, predictor.class_names)
    if failed:
        console.warn(f"{failed} of {len(files)} files could not be read; see status.")
        sys.exit(1)


def expand(paths: tuple[str, ...]) -> Iterator[str]:
    """Find the files that a command line names.

    Args:
        paths: Files, folders, globs, or "-" for a list on standard input.

    Yields:
        Files, in the order of the names; sorted within a folder and a glob.
    """
    from pixsent_tf.data.sources import walk_pictures

    for path in paths:
        if path == "-":
            yield from (line.rstrip("\n") for line in sys.stdin if line.strip())
        elif Path(path).is_dir():
            yield from (str(found) for found in walk_pictures(Path(path)))
        elif glob.has_magic(path) and not Path(path).exists():
            yield from sorted(glob.glob(path, recursive=True))
        else:
            yield path


def _row(prediction: Prediction, class_names: tuple[str, ...]) -> dict[str, Any]:
    probs = prediction.probs
    if probs is None:
        assert prediction.error is not None
        return {
            "path": prediction.path,
            "label": None,
            "prob_positive": None,
            "probs": None,
            "status": prediction.error.reason,
            "message": str(prediction.error),
        }
    by_name = {n: round(float(p), 6) for n, p in zip(class_names, probs, strict=True)}
    return {
        "path": prediction.path,
        "label": class_names[int(probs.argmax())],
        "prob_positive": by_name.get("positive"),
        "probs": by_name,
        "status": "ok",
    }


def _write_jsonl(file: Any, predictions: Any, class_names: tuple[str, ...]) -> int:
    failed = 0
    for prediction in predictions:
        failed += prediction.error is not None
        row = _row(prediction, class_names)
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return failed


def _write_csv(file: Any, predictions: Any, class_names: tuple[str, ...]) -> int:
    writer = csv.writer(file, lineterminator="\n")
    columns = [f"prob_{name}" for name in class_names]
    writer.writerow(["path", "label", *columns, "status"])
    failed = 0
    for prediction in predictions:
        failed += prediction.error is not None
        row = _row(prediction, class_names)
        probs = row["probs"] or dict.fromkeys(class_names, "")
        writer.writerow(
            [row["path"], row["label"] or "", *probs.values(), row["status"]]
        )
    return failed
