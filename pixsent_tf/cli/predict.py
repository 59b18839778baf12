"""pixsent-tf predict PATH...: one row for each file."""

from __future__ import annotations

import contextlib
import csv
import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from pixsent_tf.cli import console
from pixsent_tf.cli.by_words import check_words, load_words, words_options
from pixsent_tf.cli.files import read_list
from pixsent_tf.cli.options import STRICT_LISTS, Value, engine_options, model_option
from pixsent_tf.cli.stopping import goes_on_in
from pixsent_tf.cli.trouble import OutPath
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
    from pixsent_tf.inference.prediction import Prediction
    from pixsent_tf.progress import Progress
    from pixsent_tf.results.answers import PredictRow


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
    "--out", type=OutPath(), help="File to write; standard output by default."
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

    \b
    Example:
      pixsent-tf predict photo.jpg
      pixsent-tf predict holiday/ --model runs/mine --abstain-at precision=0.95
      find . -name '*.jpg' | pixsent-tf predict - --model runs/mine --json
      pixsent-tf predict a.jpg --words 'sad,happy' --backbone hub:clip_vit_base_patch16
    """
    by_words = check_words(model, backbone, words)
    listed = read_list(paths, keep_columns=keep_columns)
    from pixsent_tf.inference import light
    from pixsent_tf.inference.prediction import UNSURE

    files, progress = listed.paths, console.show_progress(quiet=quiet)
    is_plain = not (ten_crop or abstain_at is not None or by_words)
    trained = None
    found = light.predict(model, files, progress=progress) if is_plain else None
    if found is None:
        console.load_tensorflow()
        trained = load_words(backbone, words) if by_words else _load(model)
        if abstain_at is not None:
            _abstain(trained, abstain_at, quiet=quiet)
        view: View = "ten_crop" if ten_crop else "center"
        rows = _answer(trained, files, view, out, progress)
        class_names = trained.class_names
    else:
        rows, class_names = map(_row, found), found[0].class_names
    with _opened(out) as file:
        write = _write_jsonl if as_json or form == "jsonl" else _write_csv
        counts = write(file, rows, class_names, listed.columns)
    if is_plain and trained is not None:
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


def _load(model: str | None) -> SentimentModel:
    from pixsent_tf.inference.shipped import load_model

    return load_model(model)


def _answer(
    trained: SentimentModel,
    files: Sequence[str],
    view: View,
    out: str | None,
    progress: Progress,
) -> Iterator[PredictRow]:
    """Answer files; the rows of a long table are kept until it is whole."""
    from pixsent_tf.inference import engine, kept_rows

    def answer(some: Sequence[str]) -> Iterator[PredictRow]:
        return map(_row, trained.predict(some, view=view, progress=progress))

    is_short = len(files) <= kept_rows.PART
    if out is None or is_short or (Path(out).exists() and not Path(out).is_file()):
        yield from answer(files)
        return
    made_by = f"{engine.digest(trained.model)} {view} {trained.threshold}"
    kept = kept_rows.KeptRows(_rows_folder(out), made_by)
    with locked([_rows_folder(out) / "table.lock"]):
        goes_on_in(out)
        yield from kept.rows(files, answer, progress=progress)


def _rows_folder(out: str) -> Path:
    return Path(f"{out}.rows")


@contextlib.contextmanager
def _opened(out: str | None) -> Iterator[IO[Any]]:
    """Standard output, or a file that an error in the middle leaves as it was."""
    with (
        whole(Path(out)) if out else contextlib.nullcontext("-") as path,
        click.open_file(path, "w", encoding="utf-8") as file,
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
        "status": "ok",
    }


def _write_jsonl(
    file: Any, rows: Iterable[PredictRow], class_names: tuple[str, ...], kept: Columns
) -> Counter[str | None]:
    answers: Counter[str | None] = Counter()
    for i, row in enumerate(rows):
        answers[row["answer"]] += 1
        told = {**row, **{name: cells[i] for name, cells in kept.items()}}
        file.write(json.dumps(told, ensure_ascii=False, allow_nan=False) + "\n")
    return answers


def _write_csv(
    file: Any, rows: Iterable[PredictRow], class_names: tuple[str, ...], kept: Columns
) -> Counter[str | None]:
    from pixsent_tf.inference.predictions import answer_cells, answer_columns

    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*answer_columns(class_names), *kept])
    answers: Counter[str | None] = Counter()
    for i, row in enumerate(rows):
        answers[row["answer"]] += 1
        cells = [column[i] for column in kept.values()]
        writer.writerow([*answer_cells(row, class_names), *cells])
    return answers
