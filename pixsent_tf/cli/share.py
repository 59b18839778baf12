"""pixsent-tf share TABLE: label a few, count them all."""

from __future__ import annotations

from pathlib import Path

import click

from pixsent_tf.cli import console
from pixsent_tf.cli.tables import print_table
from pixsent_tf.cli.trouble import OutPath
from pixsent_tf.results.shares import Share, ShareResults


@click.command(name="share")
@click.argument("table")
@click.option(
    "--labels", help="Table: path, label, perhaps probability (of sampling), annotator."
)
@click.option("--by", metavar="COLUMN,...", help="Columns whose values make cells.")
@click.option(
    "--over",
    metavar="COLUMN:PERIOD",
    help="Column with a date; day, week, month, year.",
)
@click.option("--group", metavar="COLUMN", help="What is not independent, as a user.")
@click.option("--meta", help="Table with more columns, joined by id or path.")
@click.option(
    "--out",
    type=OutPath(),
    help="Folder to make: shares.csv, figure, methods, results.json.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def command(
    table: str,
    labels: str | None,
    by: str | None,
    over: str | None,
    group: str | None,
    meta: str | None,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Estimate the share of each class among many pictures, from a few labels.

    TABLE is what predict or score wrote: .csv, .jsonl or .parquet. The counts of its
    answers are put right by labels of a random sample, and get an interval.

    \b
    Example:
      pixsent-tf share table.csv
      pixsent-tf share table.csv --labels labels.csv
      pixsent-tf share table.parquet --labels labels.csv --meta posts.csv \
          --by hashtag --over date:week --group user --out runs/shares
    """
    from pixsent_tf.studies.shares.share import share

    columns = [name.strip() for name in (by or "").split(",") if name.strip()]
    results = share(
        table,
        labels,
        by=columns,
        over=over,
        group=group,
        meta=meta,
        progress=console.show_progress(quiet=quiet),
    )
    if out is not None:
        from pixsent_tf.runs import Run
        from pixsent_tf.studies.report import shares

        results = shares.write(results, Run.create(Path(out)))
    for note in results["notes"]:
        console.warn(note)
    if not as_json:
        _print(results)
    console.print_results(_rows(results), results, as_json=as_json)


def _print(results: ShareResults) -> None:
    """The table of shares, before what is said in lines."""
    rows = [["cell", "class", "plain", "corrected", "95 % interval", "of", "labels"]]
    for cell in results["cells"]:
        name = ", ".join(cell["by"].values()) or "all"
        for class_name, share in cell["shares"].items():
            rows.append(
                [
                    name,
                    class_name,
                    _percent(share["plain"]),
                    _percent(share["corrected"]),
                    _interval(share),
                    f"{cell['num_examples']:,}",
                    f"{cell['num_labels']}{' *' * cell['borrowed']}",
                ]
            )
    print_table(rows)
    if any(cell["borrowed"] for cell in results["cells"]):
        click.echo("* corrected by the labels of all cells")
    click.echo()


def _rows(results: ShareResults) -> list[tuple[str, str]]:
    rows = [("methods", results["methods"])]
    unreadable = sum(cell["num_unreadable"] for cell in results["cells"])
    if unreadable:
        rows.append(("unreadable", f"{unreadable:,}"))
    for difference in results["differences"]:
        first, second = (
            ", ".join(difference[side].values()) for side in ("first", "second")
        )
        name = f"{first} – {second}, {difference['class_name']}"
        rows.append(
            (name, _test(difference["difference"], difference["p_holm"], "by Holm"))
        )
    for trend in results["trends"]:
        name = ", ".join(["trend", *trend["by"].values(), trend["class_name"]])
        rows.append((name, _test(trend["slope"], trend["p_holm"], "a period; by Holm")))
    if all(cell["num_labels"] == 0 for cell in results["cells"]):
        for needed in results["labels_needed"]:
            name = f"for ± {needed['half_width']:.0%}"
            rows.append((name, f"up to {needed['num_labels']:,} random labels a cell"))
    if results["out"] is not None:
        rows.append(("out", results["out"]))
    return rows


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _interval(share: Share) -> str:
    bounds = share["interval"]
    return "uncorrected" if bounds is None else f"{bounds[0]:.1%} to {bounds[1]:.1%}"


def _test(value: float, p: float | None, words: str) -> str:
    text = f"{value:+.1%}"
    if p is None:
        return text
    return f"{text} {words} p {f'= {p:.4f}' if p >= 1e-4 else '< .0001'}"
