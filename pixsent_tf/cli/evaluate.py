"""pixsent-tf evaluate RUN|MODEL [DATA]: how good is it, and how sure is that?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pixsent_tf.cli import console, words
from pixsent_tf.cli.options import (
    IMAGES,
    LEVEL,
    STRICT_LISTS,
    engine_options,
    output_options,
    refuse_idle,
    setting,
)
from pixsent_tf.cli.reading import data_config, reading_options


@click.command(name="evaluate")
@click.argument("model")
@click.argument("data", required=False)
@LEVEL
@IMAGES
@reading_options
@STRICT_LISTS
@setting(
    "data.group",
    "Draw intervals over groups of pictures, which err together: a column of a CSV "
    'table, a feature of a TFDS set, "folder" within the classes, "user" of DeepSent.',
)
@click.option(
    "--fast", is_flag=True, help="Center crop only; no pictures in the report."
)
@engine_options
@output_options
def command(
    model: str,
    data: str | None,
    fast: bool,
    out: str | None,
    as_json: bool,
    quiet: bool,
    **named: Any,
) -> None:
    """Measure a model, and write a report of one page.

    MODEL is a run folder, a .keras file, shipped or shipped-best. Without DATA a run is
    judged by the pictures that it held out, and the report goes into its folder
    `evaluation`.

    \b
    Example:
      pixsent-tf evaluate runs/fit-smileys-1
      pixsent-tf evaluate runs/mine other-pictures/ --out runs/mine-elsewhere
    """
    if data is None:
        refuse_idle(named, "without DATA")
    console.load_tensorflow()
    from pixsent_tf.runs import Run, next_folder
    from pixsent_tf.studies import evaluate
    from pixsent_tf.studies.report import report

    config = None if data is None else data_config(data, **named)
    progress = console.show_progress(quiet=quiet)
    subject, results = evaluate.evaluate(
        model, config, ten_crop=not fast, progress=progress
    )
    for note in subject.notes:
        console.warn(note)
    console.warn_unreadable(results["unreadable"])
    if out is None and data is None:
        folder = Path(model) / "evaluation"
        folder.mkdir(exist_ok=True)
        target = Run(folder)
    else:
        stem = f"evaluate-{subject.dataset.name if subject.dataset else 'run'}"
        target = Run.create(Path(out) if out else next_folder(stem))
    results = report.write(
        subject, results, target, with_pictures=not fast, progress=progress
    )
    console.print_results(words.describe_evaluation(results), results, as_json=as_json)
