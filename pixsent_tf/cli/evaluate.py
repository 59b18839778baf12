"""pixsent-tf evaluate RUN|MODEL [DATA]: how good is it, and how sure is that?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pixsent_tf.cli import console, rating_words, words
from pixsent_tf.cli.options import (
    IMAGES,
    LEVEL,
    STRICT_LISTS,
    Value,
    engine_options,
    output_options,
    refuse_idle,
    setting,
)
from pixsent_tf.cli.reading import data_config, reading_options

if TYPE_CHECKING:
    from pixsent_tf.config import DataConfig
    from pixsent_tf.data.table import Dataset
    from pixsent_tf.progress import Progress
    from pixsent_tf.runs import Run


@click.command(name="evaluate")
@click.argument("model")
@click.argument("data", required=False)
@LEVEL
@IMAGES
@reading_options
@STRICT_LISTS
@setting(
    "data.group",
    "Draw intervals over groups of pictures, which err together: a column of a "
    'table, a feature of a TFDS set, "folder" within the classes, "user" of DeepSent.',
)
@click.option(
    "--threshold",
    type=Value(float),
    help="Judge ratings, of model or pictures, as answers: positive from this valence.",
)
@click.option(
    "--polarity",
    metavar="NAME|FILE",
    help="Roll emotions up to negative and positive too: mikels8, ekman6, or a CSV "
    "file with the columns class,polarity.",
)
@setting("data.scale", "Of the pictures' ratings, for a model of ratings.")
@click.option(
    "--fast", is_flag=True, help="Center crop only; no pictures in the report."
)
@engine_options
@output_options
def command(
    model: str,
    data: str | None,
    threshold: float | None,
    scale: str | None,
    polarity: str | None,
    fast: bool,
    out: str | None,
    as_json: bool,
    quiet: bool,
    **named: Any,
) -> None:
    """Measure a model, and write a report of one page.

    MODEL is a run folder, a .keras file, shipped or shipped-best. Without DATA a run is
    judged by the pictures that it held out, and the report goes into its folder
    `evaluation`. A model of ratings is judged by a table with its targets, or with
    --threshold by pictures of two classes.

    \b
    Example:
      pixsent-tf evaluate runs/fit-smileys-1
      pixsent-tf evaluate runs/mine other-pictures/ --out runs/mine-elsewhere
      pixsent-tf evaluate runs/rated tweets/ --threshold 4
      pixsent-tf evaluate runs/emotions --polarity mikels8
    """
    if data is None:
        refuse_idle([*named, "scale"], "without DATA")
    console.load_tensorflow()
    from pixsent_tf.studies.ratings import evaluate as of_ratings

    config = None if data is None else data_config(data, **named)
    progress = console.show_progress(quiet=quiet)
    if threshold is None and of_ratings.rates(model):
        refuse_idle(["polarity"], "with a model of ratings")
        _evaluate_ratings(model, config, scale, fast, out, as_json, progress)
        return
    refuse_idle(["scale"], "with a model of classes")
    from pixsent_tf.inference.polarity import read_polarity
    from pixsent_tf.studies import evaluate
    from pixsent_tf.studies.report import report

    subject, results = evaluate.evaluate(
        model,
        config,
        ten_crop=not fast,
        threshold=threshold,
        polarity=None if polarity is None else read_polarity(polarity),
        progress=progress,
    )
    for note in subject.notes:
        console.warn(note)
    console.warn_unreadable(results["unreadable"])
    target = _target(model, config, out, subject.dataset)
    results = report.write(
        subject, results, target, with_pictures=not fast, progress=progress
    )
    console.print_results(words.describe_evaluation(results), results, as_json=as_json)


def _evaluate_ratings(
    model: str,
    config: DataConfig | None,
    scale: str | None,
    fast: bool,
    out: str | None,
    as_json: bool,
    progress: Progress,
) -> None:
    """Measure a model of ratings."""
    from pixsent_tf.studies.ratings import evaluate, report

    subject, numbers = evaluate.evaluate_ratings(
        model, config, scale=scale, progress=progress
    )
    for note in subject.notes:
        console.warn(note)
    console.warn_unreadable(numbers["unreadable"])
    target = _target(model, config, out, subject.dataset)
    results = report.write(
        subject, numbers, target, with_pictures=not fast, progress=progress
    )
    rows = rating_words.describe_rating_evaluation(results)
    console.print_results(rows, results, as_json=as_json)


def _target(
    model: str, config: DataConfig | None, out: str | None, dataset: Dataset | None
) -> Run:
    """Make the folder of the report."""
    from pixsent_tf.runs import Run, next_folder

    if out is None and config is None:
        folder = Path(model) / "evaluation"
        folder.mkdir(exist_ok=True)
        return Run(folder)
    stem = f"evaluate-{dataset.name if dataset else 'run'}"
    return Run.create(Path(out) if out else next_folder(stem))
