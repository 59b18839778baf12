"""What do `fit` and `crossval` have in common? Everything but the study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import click

from pixsent_tf.cli import console, rating_words, words
from pixsent_tf.cli.options import Value, read_recipe, refuse_idle, set_variable
from pixsent_tf.cli.stopping import goes_on_in
from pixsent_tf.config import Recipe, override
from pixsent_tf.config.values import Count
from pixsent_tf.errors import TrainingError
from pixsent_tf.machine import DISTRIBUTE, DISTRIBUTIONS


class _BatchSize(Value):
    """A number of pictures, or `auto`."""

    def __init__(self) -> None:
        super().__init__(Count)

    def convert(self, value: Any, *rest: Any) -> Any:
        return value if value == AUTO else super().convert(value, *rest)

    def get_metavar(self, *_: Any, **__: Any) -> str:
        return "N|auto"


AUTO = "auto"
BATCH_SIZE = click.option(
    "--batch-size",
    type=_BatchSize(),
    help="Pictures a step; auto halves it until it fits into memory.",
)


def _distribute(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        set_variable(ctx, DISTRIBUTE, value)


DISTRIBUTE_OPTION = click.option(
    "--distribute",
    type=click.Choice(DISTRIBUTIONS),
    expose_value=False,
    callback=_distribute,
    help="Divide each batch of a fine-tuning between all GPUs of this machine.",
)


def read_sized_recipe(
    base: Recipe,
    settings: tuple[str, ...],
    batch_size: int | Literal["auto"] | None,
    **named: Any,
) -> Recipe:
    """Apply the options of a command line to a recipe, `--batch-size` among them.

    Args:
        base: The recipe to start from.
        settings: Texts like `training.epochs=3`.
        batch_size: Pictures a step, `auto`, or None to change nothing.
        named: As `read_recipe` takes them.

    Returns:
        The recipe to run.

    Raises:
        ConfigError: As `read_recipe` does.
        UsageError: If `auto` has nothing to halve, or no batch is to be divided.
    """
    if batch_size is not None and batch_size != AUTO:
        settings = (*settings, f"training.batch_size={batch_size}")
    recipe = read_recipe(base, settings, **named)
    if batch_size == AUTO and recipe.training.strategy == "head":
        refuse_idle(["batch_size"], "with --strategy head, which takes no steps")
    if recipe.training.strategy == "head":
        refuse_idle(["distribute"], "with --strategy head, which has no batches")
    return recipe


def run_study(
    study: Callable[..., Any],
    recipe: Recipe,
    *,
    out: str | None,
    as_json: bool,
    quiet: bool,
    halves: bool = False,
    **options: Any,
) -> None:
    """Run a study and print its results.

    Args:
        study: `fit` or `crossval`, which gives its folder the name.
        recipe: What to run.
        out: The run folder; the next free one below `runs/` if None.
        as_json: Print one JSON object.
        quiet: Show no progress.
        halves: Halve the batch size where it does not fit into memory.
        options: What else the study takes.
    """
    from pixsent_tf.data.sources import open_dataset
    from pixsent_tf.runs import Run, next_folder

    progress = console.show_progress(quiet=quiet)
    dataset = open_dataset(recipe.data, seed=recipe.seed, progress=progress)
    folder = Path(out) if out else next_folder(f"{study.__name__}-{dataset.name}")
    if halves:
        recipe = _begun_with(folder, recipe)
    run = Run.create_or_resume(folder, recipe)
    goes_on_in(folder)
    while True:
        try:
            results = study(recipe, dataset, run, progress=progress, **options)
            break
        except TrainingError as error:
            size = (error.batch_size or 0) // 2 if halves else 0
            if not size or any((run.path / "folds").glob("*.json")):
                raise
            console.warn(
                f"Steps of {error.batch_size} pictures do not fit into memory; going "
                f"on with {size}."
            )
            recipe = override(recipe, {"training.batch_size": size})
            run.write_recipe(recipe)
    console.warn_unreadable(results["unreadable"])
    describe: Callable[..., words.Rows] = words.describe_study
    if recipe.data.target:
        describe = rating_words.describe_ratings
    console.print_results(describe(results), results, as_json=as_json)


def _begun_with(folder: Path, recipe: Recipe) -> Recipe:
    """Take the batch size that a run has come to, if it has begun."""
    from pixsent_tf.runs import RECIPE, Run

    if not (folder / RECIPE).is_file():
        return recipe
    size = Run(folder).read_recipe().training.batch_size
    return override(recipe, {"training.batch_size": size})
