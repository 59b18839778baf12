"""pixsent-tf compare A B [C...]: is one of them better, or is that chance?"""

from __future__ import annotations

from pathlib import Path

import click

from pixsent_tf.cli import console


@click.command(name="compare")
@click.argument("sources", nargs=-1, required=True)
@click.option("--out", help="Folder to make for a page with the differing pictures.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(sources: tuple[str, ...], out: str | None, as_json: bool) -> None:
    """Compare runs, or tables of answers, on the pictures that all of them answered.

    SOURCES are run folders, or CSV files with a column id and one of prob_NAME for each
    class, prob (of positive) or label. The truth comes from a run, or a column truth.

    \b
    Example:
      pixsent-tf compare runs/crossval-deepsent-1 runs/crossval-deepsent-2
      pixsent-tf compare runs/mine theirs.csv --out runs/mine-theirs
    """
    console.load_tensorflow()
    from pixsent_tf.runs import Run
    from pixsent_tf.studies import compare

    comparison = compare.compare_models(sources)
    for note in comparison.results["notes"]:
        console.warn(note)
    rows = comparison.describe()
    if out is not None:
        run = Run.create(Path(out))
        compare.write(comparison, sources, run)
        rows.append(("page", str(run.path / "compare.html")))
    console.print_results(rows, comparison.results, as_json=as_json)
