"""pixsent-tf reproduce campos2016 DATA: the paper's tables, run again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from pixsent_tf.cli import console
from pixsent_tf.errors import ConfigError

TABLES = ("2", "3", "4", "5", "6", "maps", "backbones")


@click.command(name="reproduce")
@click.argument("paper", type=click.Choice(["campos2016"]))
@click.argument("data")
@click.option(
    "--table",
    "tables",
    multiple=True,
    type=click.Choice(TABLES),
    help="Which table; repeat for several. All of the paper's by default.",
)
@click.option(
    "--weights-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with caffenet.caffemodel, places…, mvso_en… (.npz, .weights.h5 too).",
)
@click.option("--backbone", multiple=True, help="One more row of table backbones.")
@click.option("--row", multiple=True, help="Only rows named like this: '*-five'.")
@click.option("--quick", is_flag=True, help="Smoke run: everything tiny, minutes.")
@click.option("--folds", help="Test only these folds, such as 1,3.")
@click.option("--max-steps", type=int, default=0, help="Stop each training early.")
@click.option("--repeats", type=int, default=1, help="Trainings of each row and fold.")
@click.option(
    "--example-fraction", type=float, default=1.0, help="Share of the pictures."
)
@click.option("--random-start", is_flag=True, help="Start every network at random.")
@click.option("--out", help="Folder to make, or to go on with.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def command(
    paper: str,
    data: str,
    tables: tuple[str, ...],
    out: str | None,
    as_json: bool,
    quiet: bool,
    **shortcuts: Any,
) -> None:
    """Run the experiments of a paper again, each number beside the printed one.

    Rows whose starting weights are not in --weights-dir are named and left out. Every
    shortcut stands above the table. A killed study goes on when it is started again
    with the same --out; no finished fold is run twice.

    \b
    Example:
      pixsent-tf reproduce campos2016 smileys --quick
      pixsent-tf reproduce campos2016 deepsent/ --table 2 --weights-dir caffe/ --out r
      pixsent-tf reproduce campos2016 deepsent/ --random-start --folds 1 --max-steps 6
    """
    console.load_tensorflow()
    from pixsent_tf.runs import next_folder
    from pixsent_tf.studies.paper.measured_table import to_markdown
    from pixsent_tf.studies.paper.reproduce import reproduce

    plan = _plan(data, tables, **shortcuts)
    folder = Path(out) if out else next_folder(f"reproduce-{paper}")

    found = reproduce(plan, folder, progress=console.show_progress(quiet=quiet))
    if as_json:
        click.echo(json.dumps({"out": str(folder), "tables": found}, allow_nan=False))
        return
    for table in found.values():
        click.echo(to_markdown(table))
    click.echo(f"out  {folder}")


def _plan(
    data: str,
    tables: tuple[str, ...],
    *,
    weights_dir: Path | None,
    backbone: tuple[str, ...],
    row: tuple[str, ...],
    quick: bool,
    folds: str | None,
    max_steps: int,
    repeats: int,
    example_fraction: float,
    random_start: bool,
) -> Any:
    from pixsent_tf.studies.paper.plan import ALL_FOLDS, PAPER_TABLES, Plan

    plan = Plan(
        data,
        tables=tables or PAPER_TABLES,
        weights_dir=weights_dir,
        max_steps=max_steps,
        num_repeats=repeats,
        example_fraction=example_fraction,
        random_start=random_start,
        backbones=backbone,
        only=row,
        folds=_numbers(folds) if folds else ALL_FOLDS,
    )
    return plan.quick() if quick else plan


def _numbers(folds: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(fold) for fold in folds.split(",")}))
    except ValueError:
        raise ConfigError(
            f"--folds {folds!r} is no list of numbers like 1,3."
        ) from None
