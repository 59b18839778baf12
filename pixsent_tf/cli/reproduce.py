"""pixsent-tf reproduce campos2016 DATA: the paper's tables, run again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from pixsent_tf.cli import console
from pixsent_tf.cli.options import COUNT, NAMES, Value, engine_options, refuse_idle
from pixsent_tf.cli.stopping import goes_on_in
from pixsent_tf.cli.trouble import OutPath
from pixsent_tf.config.values import Part, Whole
from pixsent_tf.studies.paper.plan import ALL_FOLDS, PAPER_TABLES, Fold, Plan, Table


@click.command(name="reproduce")
@click.argument("paper", type=click.Choice(["campos2016"]))
@click.argument("data")
@click.option(
    "--tables",
    type=Value(tuple[Table, ...]),
    default=",".join(PAPER_TABLES),
    show_default=True,
    help="Which tables to make.",
)
@click.option(
    "--weights-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with caffenet.caffemodel, places…, mvso_en… (.npz, .weights.h5 too).",
)
@click.option(
    "--backbones", type=NAMES, default=(), help="More rows of table backbones."
)
@click.option(
    "--rows",
    type=NAMES,
    default=(),
    help="Only rows named like one of these: '*-five'.",
)
@click.option("--quick", is_flag=True, help="Smoke run: everything tiny, minutes.")
@click.option(
    "--folds",
    type=Value(tuple[Fold, ...]),
    default=ALL_FOLDS,
    help="Test only these folds, such as 1,3.",
)
@click.option(
    "--max-steps", type=Value(Whole), default=0, help="Stop each training early."
)
@click.option(
    "--num-repeats", type=COUNT, default=1, help="Trainings of each row and fold."
)
@click.option(
    "--example-fraction", type=Value(Part), default=1.0, help="Part of the pictures."
)
@click.option("--random-start", is_flag=True, help="Start every network at random.")
@click.option("--out", type=OutPath(), help="Folder to make, or to go on with.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@engine_options
@click.option("--quiet", is_flag=True, help="Show no progress.")
def command(
    paper: str,
    data: str,
    rows: tuple[str, ...],
    quick: bool,
    folds: tuple[int, ...],
    out: str | None,
    as_json: bool,
    quiet: bool,
    **settings: Any,
) -> None:
    """Run the experiments of a paper again, each number beside the printed one.

    Rows whose starting weights are not in --weights-dir are named and left out. Every
    shortcut stands above the table. A killed study goes on when it is started again
    with the same --out; no finished fold is run twice.

    \b
    Example:
      pixsent-tf reproduce campos2016 smileys --quick
      pixsent-tf reproduce campos2016 deepsent/ --tables 2 --weights-dir caffe/ --out r
      pixsent-tf reproduce campos2016 deepsent/ --random-start --folds 1 --max-steps 6
    """
    if quick:
        refuse_idle(
            ["folds", "max_steps", "example_fraction", "random_start"], "with --quick"
        )
    if "backbones" not in settings["tables"]:
        refuse_idle(["backbones"], "without --tables backbones")
    plan = Plan(data, only=rows, folds=tuple(sorted(set(folds))), **settings)
    plan = plan.quick() if quick else plan
    console.load_tensorflow()
    from pixsent_tf.runs import next_folder
    from pixsent_tf.studies.paper.measured_table import to_markdown
    from pixsent_tf.studies.paper.reproduce import reproduce

    folder = Path(out) if out else next_folder(f"reproduce-{paper}")
    goes_on_in(folder)
    found = reproduce(plan, folder, progress=console.show_progress(quiet=quiet))
    if as_json:
        click.echo(json.dumps(found, allow_nan=False))
        return
    for table in found["tables"].values():
        click.echo(to_markdown(table))
    click.echo(f"out  {found['out']}")
