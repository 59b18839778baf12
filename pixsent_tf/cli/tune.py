"""pixsent-tf tune DATA: search for settings, and test what the search chooses."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pixsent_tf.cli import console, rating_words, words
from pixsent_tf.cli.options import output_options, read_recipe
from pixsent_tf.cli.reading import data_options
from pixsent_tf.cli.stopping import goes_on_in
from pixsent_tf.cli.tables import print_table
from pixsent_tf.config import Recipe
from pixsent_tf.recipes import find_recipe

if TYPE_CHECKING:
    from pixsent_tf.results.studies import Winner
from pixsent_tf.cli.options import (
    COUNT,
    NAMES,
    NUM_FOLDS,
    SEED,
    SETTINGS,
    Value,
    engine_options,
    rating_options,
    refuse_idle,
    setting,
    sources,
)
from pixsent_tf.config import Strategy
from pixsent_tf.config.values import Whole
from pixsent_tf.errors import ConfigError
from pixsent_tf.studies.search.settings import (
    InnerFolds,
    SearchConfig,
    Tuner,
    name_loss,
)

MAX_ROWS = 10


@click.command(name="tune")
@sources(required=True)
@data_options
@rating_options
@click.option("--tuner", type=Value(Tuner), default="random", show_default=True)
@click.option("--trials", type=COUNT, help="Trials of each search; 12 by default.")
@click.option("--backbones", type=NAMES, help="Networks to try, such as A,B.")
@click.option(
    "--strategies",
    type=Value(tuple[Strategy, ...]),
    default="head",
    show_default=True,
    help="What to try to train.",
)
@click.option(
    "--num-inner-folds",
    type=Value(InnerFolds),
    help="Of 5 inner folds, how many score.",
)
@NUM_FOLDS
@click.option(
    "--nested/--no-nested",
    default=True,
    help="Test a search on every fold, or search once and keep the model.",
)
@click.option(
    "--workers", type=Value(Whole), default=0, help="Processes that share a search."
)
@setting("training.epochs", "Of the longest fine-tuning trial.")
@click.option("--recipe", default="default", help="What a trial starts from.")
@SEED
@SETTINGS
@engine_options
@output_options
def command(
    recipe: str,
    tuner: Tuner,
    trials: int | None,
    backbones: tuple[str, ...] | None,
    strategies: tuple[Strategy, ...],
    num_inner_folds: int | None,
    nested: bool,
    workers: int,
    settings: tuple[str, ...],
    out: str | None,
    as_json: bool,
    quiet: bool,
    **named: Any,
) -> None:
    """Search for settings, and test what the search chooses.

    Each outer fold has a search of its own that never sees it; `pixsent-tf audit RUN`
    proves it from the hashes of the pictures. A killed search goes on when it is
    started again with the same --out.

    Several machines share a search by Keras Tuner's variables: the same command, with
    --out in a folder that all of them see, KERASTUNER_ORACLE_IP and
    KERASTUNER_ORACLE_PORT the same everywhere, and KERASTUNER_TUNER_ID chief on one of
    them. Each search has a port of its own, counted up from the one that is set.

    \b
    Example:
      pixsent-tf tune pictures/ --no-nested --out runs/tuned
      pixsent-tf tune deepsent/ --level five_agrees --tuner bayesian --trials 20
      pixsent-tf tune pictures/ --strategies head,last-blocks,lp-ft --workers 2
      pixsent-tf tune ratings.csv --target valence --scale 1:7
    """
    if not nested:
        refuse_idle(["num_folds"], "with --no-nested")
    start = _start(find_recipe(recipe), settings, strategies, **named)
    config = SearchConfig(
        tuner=tuner,
        trials=trials,
        strategies=strategies,
        num_inner_folds=num_inner_folds,
        nested=nested,
        **({} if backbones is None else {"backbones": backbones}),
    )
    console.load_tensorflow()
    from pixsent_tf.studies.search.space import refuse_searched

    refuse_searched(config, [text.partition("=")[0] for text in settings])
    run_tuning(start, config, out, workers=workers, as_json=as_json, quiet=quiet)


def _start(
    base: Recipe,
    settings: tuple[str, ...],
    strategies: tuple[Strategy, ...],
    **named: Any,
) -> Recipe:
    """Read what trials start from, under a strategy that uses what is set."""
    refused = None
    for strategy in strategies:
        try:
            return read_recipe(base, settings, strategy=strategy, **named)
        except ConfigError as error:
            refused = refused or error
    assert refused is not None  # the list is not empty
    raise ConfigError(str(refused).replace("use --strategy ", "add to --strategies: "))


def run_tuning(
    recipe: Recipe,
    config: SearchConfig,
    out: str | None,
    *,
    workers: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run the study and print what it found.

    Args:
        recipe: What a trial starts from.
        config: What is searched.
        out: The run folder; the next free one below `runs/` if None.
        workers: Number of processes to start; 0 searches in this one.
        as_json: Print one JSON object.
        quiet: Show no progress.
    """
    from pixsent_tf.data.sources import open_dataset
    from pixsent_tf.runs import Run, next_folder
    from pixsent_tf.studies.search import tune

    progress = console.show_progress(quiet=quiet)
    dataset = open_dataset(recipe.data, seed=recipe.seed, progress=progress)
    folder = Path(out) if out else next_folder(f"tune-{dataset.name}")
    run = Run.create_or_resume(folder, recipe)
    tune.claim(run, recipe, config)
    goes_on_in(folder)
    with _workers(workers, run, recipe, config) as watch:
        results = tune.tune(
            recipe, dataset, run, config, progress=progress, watch=watch
        )
    if results is None:
        return  # a worker: the chief prints
    console.warn_unreadable(results["unreadable"])
    more = [("settings tried", f"{results['settings_tried']}")]
    loss = name_loss(recipe)
    more += [
        (f"winner of {row['fold']}", _winner(row, loss)) for row in results["winners"]
    ]
    describe: Any = words.describe_study
    if recipe.data.target:
        describe = rating_words.describe_ratings
    console.print_results(describe(results, more=more), results, as_json=as_json)
    if not as_json:
        _print_best(run.read_table("trials.csv"), loss)


@contextlib.contextmanager
def _workers(
    count: int, run: Any, recipe: Recipe, config: SearchConfig
) -> Iterator[Callable[[], object]]:
    if count < 1:
        yield lambda: None
        return
    from pixsent_tf.studies.search.workers import local_workers

    # Published folds may be more than the recipe says; spare ports cost nothing.
    ports = max(recipe.data.num_folds, 10) if config.nested else 1
    with local_workers(count, run, ports=ports) as watch:
        yield watch


def _winner(row: Winner, loss: str) -> str:
    settings = ", ".join(
        f"{name.partition('.')[2]} {_short(value)}"
        for name, value in row["settings"].items()
    )
    return f"{settings} (inner {loss} {row['inner_loss']:.3f})"


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _cell(text: str) -> str:
    """Shorten what a table holds; "-" for a setting that a trial does not have."""
    try:
        return f"{float(text):.3g}"
    except ValueError:
        return text or "-"


def _print_best(rows: list[dict[str, str]], loss: str) -> None:
    """Print the trials with the smallest loss; trials.csv has them all."""
    done = [row for row in rows if row["status"] == "completed"]
    best = sorted(done, key=lambda row: float(row["loss"]))[:MAX_ROWS]
    names = [name for name in rows[0] if "." in name]
    header = ["fold", "trial", loss, *(n.partition(".")[2] for n in names)]
    cells = [
        [
            row["fold"],
            row["trial"],
            f"{float(row['loss']):.4f}",
            *(_cell(row[name]) for name in names),
        ]
        for row in best
    ]
    click.echo(f"\nbest {len(best)} of {len(rows)} trials, by inner folds")
    print_table([header, *cells])
