"""pixsent-tf predict PATH...: one row for each file."""

from __future__ import annotations

import contextlib
import csv
import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from pixsent_tf.cli import console
from pixsent_tf.cli.by_words import check_words, load_words, words_options
from pixsent_tf.cli.files import read_list
from pixsent_tf.cli.options import (
    STRICT_LISTS,
    THRESHOLD,
    Value,
    engine_options,
    model_option,
    refuse_idle,
)
from pixsent_tf.cli.stopping import goes_on_in
from pixsent_tf.cli.trouble import OutFile
from pixsent_tf.config.values import Part
from pixsent_tf.locks import locked
from pixsent_tf.whole import whole

DIGITS = 6  # of a probability
SHIPPED_NOTE = (
    "Measured on tweets and OASIS; elsewhere answers are right less often: label 50 "
    "pictures of yours with `pixsent-tf label`, then `pixsent-tf adapt`."
)
Columns = Mapping[str, Sequence[str]]

if TYPE_CHECKING:
    from pixsent_tf.inference.model import SentimentModel, View
    from pixsent_tf.inference.prediction import Prediction, Rated
    from pixsent_tf.progress import Progress
    from pixsent_tf.results.answers import PredictRow
    from pixsent_tf.results.ratings import RatedRowTold

    Row = PredictRow | RatedRowTold


class _Precision(Value):
    """A precision, written as 0.95 or precision=0.95."""

    def __init__(self) -> None:
        super().__init__(Part)

    def convert(self, value: Any, *rest: Any) -> Any:
        return super().convert(value.removeprefix("precision="), *rest)

    def get_metavar(self, *_: Any, **__: Any) -> str:
        return "precision=P"


@click.command(name="predict")
@click.argument("paths", nargs=-1, required=True)
@model_option
@words_options
@click.option("--ten-crop", is_flag=True, help="Average ten crops of each picture.")
@click.option(
    "--abstain-at",
    type=_Precision(),
    help="Answer `unsure` where answers would be right less often than P, as 0.95.",
)
@THRESHOLD
@click.option(
    "--ratings", is_flag=True, help="Add valence and arousal, by a model that ships."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl"]),
    default="csv",
    help="A table, or one JSON object a line.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format jsonl.")
@click.option(
    "--keep-columns", is_flag=True, help="Keep the other columns of a table of paths."
)
@STRICT_LISTS
@click.option(
    "--out", type=OutFile(), help="File to write; standard output by default."
)
@engine_options
@click.option("--quiet", is_flag=True, help="Show no progress.")
def command(
    paths: tuple[str, ...],
    model: str | None,
    words: str | None,
    backbone: str | None,
    ten_crop: bool,
    abstain_at: float | None,
    threshold: float | None,
    ratings: bool,
    form: str,
    as_json: bool,
    keep_columns: bool,
    out: str | None,
    quiet: bool,
) -> None:
    """Predict pictures: one row for each file.

    PATHS are files, folders (walked), globs, .txt files with a path a line, - for such
    a list on standard input, or tables (.csv, .jsonl, .parquet) with a column path. A
    file that cannot be read gets a row that says why; then the exit code is 1. A long
    table with --out that was stopped goes on when it is started again.

    A model that was trained with --target gives a rating for each target, and the ends
    of an interval that holds nine of ten ratings.

    \b
    Example:
      pixsent-tf predict photo.jpg
      pixsent-tf predict holiday/ --model runs/mine --abstain-at precision=0.95
      pixsent-tf predict holiday/ --ratings
      pixsent-tf predict holiday/ --model runs/rated --threshold 4
      find . -name '*.jpg' | pixsent-tf predict - --model runs/mine --json
      pixsent-tf predict a.jpg --words 'sad,happy' --backbone hub:clip_vit_base_patch16
    """
    by_words = check_words(model, backbone, words)
    if by_words:
        refuse_idle(["threshold", "ratings"], "with --words")
    listed = read_list(paths, keep_columns=keep_columns)
    from pixsent_tf.inference import light
    from pixsent_tf.inference.prediction import UNSURE

    files, progress = listed.paths, console.show_progress(quiet=quiet)
    is_usual = abstain_at is None and threshold is None and not by_words
    is_plain = is_usual and not (ten_crop or ratings)
    trained = second = None
    found = light.predict(model, files, progress=progress) if is_plain else None
    if found is None:
        console.load_tensorflow()
        trained = load_words(backbone, words) if by_words else _load(model, threshold)
        if ratings:
            second = _load_ratings(model, trained)
        if abstain_at is not None:
            _abstain(trained, abstain_at, quiet=quiet)
        view: View = "ten_crop" if ten_crop else "center"
        rows: Iterable[Row] = _answer(trained, second, files, view, out, progress)
        shape = _shape(trained, second)
    else:
        rows, shape = map(_row, found), _class_shape(found[0].class_names)
    # Names of any bytes: as they are in a table, as JSON's escapes in JSON.
    errors = "backslashreplace" if as_json or form == "jsonl" else "surrogateescape"
    with _opened(out, errors) as file:
        write = _write_jsonl if as_json or form == "jsonl" else _write_csv
        counts = write(file, rows, shape, listed.columns)
    if is_plain and trained is not None and trained.rating is None:
        light.keep(model, trained, len(files))
    if out:
        shutil.rmtree(_rows_folder(out), ignore_errors=True)
    failed, unsure = counts[None], counts[UNSURE]
    if abstain_at is not None:
        read = len(files) - failed
        console.note(
            f"answered {read - unsure} of {read} pictures; unsure about {unsure}",
            quiet=quiet,
        )
    is_read = console.is_terminal() and not (as_json or form == "jsonl")
    if is_read and not by_words and (model or light.QUICK) in light.NAMES:
        console.note(SHIPPED_NOTE, quiet=quiet)
    if failed:
        console.warn(f"{failed} of {len(files)} files could not be read; see status.")
        sys.exit(1)


def _load(model: str | None, threshold: float | None) -> SentimentModel:
    from pixsent_tf.inference.shipped import load_any_model, load_model

    if threshold is None:
        return load_any_model(model)
    return load_model(model, threshold=threshold)


@dataclass(frozen=True)
class _Shape:
    """The columns of a table, and what gives the cells of a row below them."""

    columns: Sequence[str]
    cells: Callable[[Any], list[Any]]


def _shape(trained: SentimentModel, second: SentimentModel | None) -> _Shape:
    from pixsent_tf.inference import rated

    model = second or trained
    if model.rating is None:
        return _class_shape(trained.class_names)
    targets = model.rating.targets
    if second is None:
        return _Shape(
            rated.rated_columns(targets), lambda row: rated.rated_cells(row, targets)
        )
    first = _class_shape(trained.class_names)
    return _Shape(
        [*first.columns, *rated.rated_columns(targets)[1:-1]],
        lambda row: [*first.cells(row), *rated.rated_cells(row, targets)[1:-1]],
    )


def _class_shape(class_names: Sequence[str]) -> _Shape:
    from pixsent_tf.inference import prediction

    return _Shape(
        prediction.answer_columns(class_names),
        lambda row: prediction.answer_cells(row, class_names),
    )


def _load_ratings(model: str | None, trained: SentimentModel) -> SentimentModel:
    from pixsent_tf.inference.shipped import load_ratings

    return load_ratings(model, trained)


def _answer(
    trained: SentimentModel,
    second: SentimentModel | None,
    files: Sequence[str],
    view: View,
    out: str | None,
    progress: Progress,
) -> Iterator[Any]:
    """Answer files; the rows of a long table are kept until it is whole."""
    from pixsent_tf.inference import engine, kept_rows

    def answer(some: Sequence[str]) -> Iterator[Any]:
        if trained.rating is not None:
            return map(_rated_row, trained.rate(some, view=view, progress=progress))
        found = trained.predict(some, view=view, second=second, progress=progress)
        return map(_row if second is None else _row_and_ratings, found)

    is_short = len(files) <= kept_rows.PART
    if out is None or is_short or (Path(out).exists() and not Path(out).is_file()):
        yield from answer(files)
        return
    made_by = f"{engine.digest(trained.model)} {view} {trained.threshold}"
    if second is not None:
        made_by += f" {engine.digest(second.model)}"
    kept = kept_rows.KeptRows(_rows_folder(out), made_by)
    with locked([_rows_folder(out) / "table.lock"]):
        goes_on_in(out)
        yield from kept.rows(files, answer, progress=progress)


def _rows_folder(out: str) -> Path:
    return Path(f"{out}.rows")


@contextlib.contextmanager
def _opened(out: str | None, errors: str) -> Iterator[IO[Any]]:
    """Standard output, or a file that an error in the middle leaves as it was."""
    with (
        whole(Path(out)) if out else contextlib.nullcontext("-") as path,
        click.open_file(path, "w", encoding="utf-8", errors=errors) as file,
    ):
        yield file


def _abstain(trained: SentimentModel, precision: float, *, quiet: bool) -> None:
    """Let a model keep silent where it is not sure, and say what that means."""
    chosen = trained.abstain_at(precision)
    if chosen.num_answered == 0:
        console.warn(
            f"No threshold was right {precision:g} of the time; every answer is unsure."
        )
    else:
        console.note(
            f"unsure below probability {chosen.threshold:.3f}; on pictures that did "
            f"not train the model that answered {chosen.coverage:.1%} and was right on "
            f"{chosen.precision:.1%} of these.",
            quiet=quiet,
        )


def _row(prediction: Prediction) -> PredictRow:
    from pixsent_tf.inference.prediction import read_status

    probs, positive = prediction.probs, prediction.prob_positive
    if probs is None:
        assert prediction.error is not None
        return {
            "path": prediction.path,
            "answer": None,
            "prob_positive": None,
            "probs": None,
            "status": prediction.error.reason,
            "message": str(prediction.error),
        }
    names = prediction.class_names
    return {
        "path": prediction.path,
        "answer": prediction.answer,
        "prob_positive": None if positive is None else round(positive, DIGITS),
        "probs": {
            name: round(float(prob), DIGITS)
            for name, prob in zip(names, probs, strict=True)
        },
        "status": read_status(prediction.path),
    }


def _row_and_ratings(prediction: Prediction) -> Any:
    """A row of classes with what a second head says."""
    names = ("ratings", "low", "high")
    rated = prediction.rated
    found = dict.fromkeys(names) if rated is None else dict(_rated_row(rated))
    return {**_row(prediction), **{name: found[name] for name in names}}


def _rated_row(rated: Rated) -> RatedRowTold:
    from pixsent_tf.inference.prediction import read_status

    if rated.error is not None:
        return {
            "path": rated.path,
            "ratings": None,
            "low": None,
            "high": None,
            "status": rated.error.reason,
            "message": str(rated.error),
        }

    def named(numbers: Any) -> dict[str, float]:
        pairs = zip(rated.targets, numbers, strict=True)
        return {name: round(float(number), DIGITS) for name, number in pairs}

    return {
        "path": rated.path,
        "ratings": named(rated.ratings),
        "low": named(rated.low),
        "high": named(rated.high),
        "status": read_status(rated.path),
    }


def _key(row: Any) -> str | None:
    """What a row is counted as: its answer, None where there is none."""
    if "answer" in row:
        return row["answer"]
    return None if row["ratings"] is None else row["status"]


def _write_jsonl(
    file: Any, rows: Iterable[Row], shape: _Shape, kept: Columns
) -> Counter[str | None]:
    answers: Counter[str | None] = Counter()
    for i, row in enumerate(rows):
        answers[_key(row)] += 1
        told = {**row, **{name: cells[i] for name, cells in kept.items()}}
        file.write(json.dumps(told, ensure_ascii=False, allow_nan=False) + "\n")
    return answers


def _write_csv(
    file: Any, rows: Iterable[Row], shape: _Shape, kept: Columns
) -> Counter[str | None]:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*shape.columns, *kept])
    answers: Counter[str | None] = Counter()
    for i, row in enumerate(rows):
        answers[_key(row)] += 1
        cells = [column[i] for column in kept.values()]
        writer.writerow([*shape.cells(row), *cells])
    return answers
