"""pixsent-tf score SOURCE: a table of very many pictures, on one machine or many."""

from __future__ import annotations

import glob
import os
import time
from pathlib import Path

import click

from pixsent_tf.cli import console
from pixsent_tf.cli.files import read_list
from pixsent_tf.cli.options import COUNT, STRICT_LISTS, THRESHOLD, engine_option
from pixsent_tf.cli.stopping import goes_on_in
from pixsent_tf.cli.trouble import OutFile
from pixsent_tf.errors import DataError, UsageError
from pixsent_tf.results.answers import ScoreResults

FORMATS = (".parquet", ".csv")


@click.command(name="score")
@click.argument("source")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--model",
    help="A run folder, its .keras file, or an export; default: the one that ships.",
)
@THRESHOLD
@STRICT_LISTS
@click.option(
    "--out", type=OutFile(), required=True, help="Table to make: *.parquet or *.csv."
)
@click.option(
    "--runner",
    default="DirectRunner",
    help="Where Apache Beam runs: this machine (default), DataflowRunner, FlinkRunner, "
    "SparkRunner.",
)
@click.option("--shard-size", type=COUNT, default=256, help="Files a part; 256.")
@click.option(
    "--keep-columns", is_flag=True, help="Keep the other columns of a table of paths."
)
@click.option("--keep-parts", is_flag=True, help="Leave OUT.parts when all is done.")
@engine_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def command(
    source: str,
    options: tuple[str, ...],
    model: str | None,
    threshold: float | None,
    out: str,
    runner: str,
    shard_size: int,
    keep_columns: bool,
    keep_parts: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Score very many pictures into a table, one row for each file.

    SOURCE is a folder (walked), a .txt file with a path a line, - for such a list on
    standard input, a table (.csv, .jsonl, .parquet) with a column path, a file, or a
    quoted glob. A job that was killed goes on where it was
    when it is started again. Options of the runner follow after `--`.

    \b
    Example:
      pixsent-tf score pictures/ --out table.csv
      pixsent-tf score pictures/ --model runs/mine --out table.parquet
      pixsent-tf score posts.csv --keep-columns --out table.parquet
      pixsent-tf score 'gs://b/*.jpg' --model gs://b/models/sentiment/1 \
          --out gs://b/table.parquet --runner DataflowRunner -- --project=p
    """
    if Path(out).suffix not in FORMATS:
        raise UsageError(f"--out {out} must end in {' or '.join(FORMATS)}.")
    is_name = not (_is_remote(source) or source == "-" or glob.has_magic(source))
    if is_name and not Path(source).exists():
        raise DataError(f"{source} does not exist; name a folder, a list or a glob.")
    listed = read_list([source], keep_columns=True) if keep_columns else None
    console.load_tensorflow()
    try:
        with console.quiet_start():  # Beam names packages of clouds that it misses
            from pixsent_tf.serving import beam_pipeline
    except ImportError as error:
        raise UsageError(
            f"Apache Beam is not usable here ({error}); get it with: pip install "
            f"'pixsent-tf[beam]', or use `pixsent-tf predict`."
        ) from error
    from pixsent_tf.inference import shipped
    from pixsent_tf.serving import job_model

    started = time.monotonic()
    model = model or shipped.QUICK
    if model in shipped.NAMES:
        model = str(shipped.model_file(model))
    listed = listed or read_list([source], keep_columns=False)
    goes_on_in(out)
    settings = {"source": _absolute(source), "model": job_model.fingerprint(model)}
    if threshold is not None:
        settings["threshold"] = f"{threshold:g}"
    saved_model = job_model.to_saved_model(model, f"{out}.parts", threshold=threshold)
    scored = beam_pipeline.score(
        listed.paths,
        saved_model,
        out,
        settings=settings,
        columns=listed.columns,
        runner=runner,
        options=options,
        shard_size=shard_size,
        keep_parts=keep_parts,
        progress=console.show_progress(quiet=quiet),
    )
    seconds = time.monotonic() - started
    count = sum(scored.statuses.values())
    rate = (count - scored.resumed) / seconds
    results: ScoreResults = {
        "num_examples": count,
        "statuses": scored.statuses,
        "resumed": scored.resumed,
        "seconds": round(seconds, 2),
        "out": out,
    }
    rows = [("out", out), ("pictures", f"{count:,}")]
    rows += [(name, f"{number:,}") for name, number in sorted(scored.statuses.items())]
    if scored.resumed:
        rows.append(("done before", f"{scored.resumed:,}"))
    rows.append(("speed", f"{rate:.1f} pictures/s"))
    console.print_results(rows, results, as_json=as_json)


def _is_remote(source: str) -> bool:
    return "://" in source


def _absolute(source: str) -> str:
    return source if _is_remote(source) else os.path.abspath(source)
