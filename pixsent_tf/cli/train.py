"""What do `fit` and `crossval` have in common? Everything but the study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pixsent_tf.cli import console, words
from pixsent_tf.cli.stopping import goes_on_in
from pixsent_tf.config import Recipe
from pixsent_tf.results.studies import StudyResults


def run_study(
    study: Callable[..., StudyResults],
    recipe: Recipe,
    *,
    out: str | None,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> StudyResults:
    """Run a study and print its results.

    Args:
        study: `fit` or `crossval`, which gives its folder the name.
        recipe: What to run.
        out: The run folder; the next free one below `runs/` if None.
        as_json: Print one JSON object.
        quiet: Show no progress.
        options: What else the study takes.

    Returns:
        The results.
    """
    from pixsent_tf.data.sources import open_dataset
    from pixsent_tf.runs import Run, next_folder

    dataset = open_dataset(recipe.data, seed=recipe.seed)
    folder = Path(out) if out else next_folder(f"{study.__name__}-{dataset.name}")
    run = Run.create_or_resume(folder, recipe)
    goes_on_in(folder)
    progress = console.show_progress(quiet=quiet)
    results = study(recipe, dataset, run, progress=progress, **options)
    console.warn_unreadable(results["unreadable"])
    console.print_results(words.describe_study(results), results, as_json=as_json)
    return results
