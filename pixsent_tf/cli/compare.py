"""pixsent-tf compare A B [C...]: is one of them better, or is that chance?"""

from __future__ import annotations

from pathlib import Path

import click

from pixsent_tf.cli import console, words
from pixsent_tf.cli.trouble import OutPath


@click.command(name="compare")
@click.argument("sources", nargs=-1, required=True)
@click.option(
    "--out",
    type=OutPath(),
    help="Folder to make for a page with the differing pictures.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(sources: tuple[str, ...], out: str | None, as_json: bool) -> None:
    """Compare runs, or tables of answers, on the pictures that all of them answered.

    SOURCES are run folders, or CSV files with a column id or path, and prob_NAME for
    each class, prob (of positive) or answer. What is right comes from a run, or from a
    column label.

    \b
    Example:
      pixsent-tf compare runs/crossval-deepsent-1 runs/crossval-deepsent-2
      pixsent-tf compare runs/mine theirs.csv --out runs/mine-theirs
    """
    from pixsent_tf.studies.compare import compare_models

    comparison = compare_models(sources)
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
