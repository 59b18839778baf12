"""pixsent-tf compare A B [C...]: is one of them better, or is that chance?"""

from __future__ import annotations

from pathlib import Path

import click

from pixsent_tf.cli import console, rating_words, words
from pixsent_tf.cli.options import Value, refuse_idle
from pixsent_tf.cli.trouble import OutPath


@click.command(name="compare")
@click.argument("sources", nargs=-1, required=True)
@click.option(
    "--out",
    type=OutPath(),
    help="Folder to make for a page with the differing pictures.",
)
@click.option(
    "--threshold",
    type=Value(float),
    help="Compare ratings as answers, positive from this valence.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    sources: tuple[str, ...], out: str | None, threshold: float | None, as_json: bool
) -> None:
    """Compare runs, or tables of answers, on the pictures that all of them answered.

    SOURCES are run folders, or tables with a column id or path, and prob_NAME for
    each class, prob (of positive) or answer. What is right comes from a run, or from a
    column label. Runs of ratings, or tables with answer_NAME and label_NAME of a
    target, are compared by correlation and error.

    \b
    Example:
      pixsent-tf compare runs/crossval-deepsent-1 runs/crossval-deepsent-2
      pixsent-tf compare runs/mine theirs.csv --out runs/mine-theirs
      pixsent-tf compare runs/rated runs/mine --threshold 4
    """
    from pixsent_tf.studies.compare import compare_models
    from pixsent_tf.studies.ratings.compare import are_ratings, compare_ratings

    if threshold is None and are_ratings(sources):
        refuse_idle(["out"], "with ratings, of which there is no page")
        told = compare_ratings(sources)
        for note in told["notes"]:
            console.warn(note)
        rows = rating_words.describe_rating_comparison(told)
        console.print_results(rows, told, as_json=as_json)
        return
    comparison = compare_models(sources, threshold=threshold)
    results = comparison.results
    for note in results["notes"]:
        console.warn(note)
    rows = words.describe_comparison(results)
    if out is not None:
        from pixsent_tf.runs import Run
        from pixsent_tf.studies.report import comparison as report

        run = Run.create(Path(out))
        results = report.write(comparison, sources, run)
        rows.append(("page", str(run.path / "compare.html")))
    console.print_results(rows, results, as_json=as_json)
