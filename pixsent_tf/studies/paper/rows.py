"""Which rows of the paper's tables are run, and which cannot be?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pixsent_tf.config import Recipe
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import WeightsError
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.recipes.finetuning import FIVE
from pixsent_tf.runs import Run
from pixsent_tf.studies.paper import levels
from pixsent_tf.studies.paper.measured_table import majority_rate
from pixsent_tf.studies.paper.plan import Plan
from pixsent_tf.studies.paper.protocol import Answered, run_protocol

STAND_IN = (
    "The data has no agreement levels: five, four and three agree are nested stand-ins "
    "of 70, 88 and 100 % of the pictures."
)


@dataclass(frozen=True)
class Row:
    """A row that was run.

    Attributes:
        name: What to call it; says so where it is another row's run.
        answered: What came out, by seed.
    """

    name: str
    answered: list[Answered]


class Rows:
    """What the tables of one study share: data sets, and rows that are finished.

    Args:
        plan: What to run.
        run: The study's folder.
        progress: Hears of each row.
    """

    def __init__(self, plan: Plan, run: Run, progress: Progress = NO_PROGRESS) -> None:
        self.plan = plan
        self.run = run
        self.progress = progress
        has_levels = levels.has_levels(plan.source)
        self.notes = [*plan.notes, *([] if has_levels else [STAND_IN])]
        self.is_comparable = has_levels and plan.is_whole
        self._datasets: dict[str | None, Dataset] = {}
        self._finished: dict[Recipe, Row] = {}

    def row(self, recipe: Recipe) -> Row:
        """Run a row with every seed, or recall it.

        Two rows that this plan makes the same, as all starts are under
        `--random-start`, are one run.

        Args:
            recipe: As published.

        Returns:
            The row.

        Raises:
            WeightsError: If its starting weights are not to be had; others are never
                taken for them.
        """
        key = replace(self.plan.adapt(recipe), name="", expected=())
        if key in self._finished:
            first = self._finished[key]
            name = recipe.name
            if first.name != name:
                name += f" (the same run as {first.name})"
            return Row(name, first.answered)
        answered = [self._answer(recipe, seed) for seed in range(self.plan.num_repeats)]
        self._finished[key] = Row(recipe.name, answered)
        return self._finished[key]

    def dataset(self, recipe: Recipe) -> Dataset:
        """Open the level that a row is about, once.

        Args:
            recipe: The row.

        Returns:
            The pictures with their folds.
        """
        level = recipe.data.level
        if level not in self._datasets:
            data = replace(recipe.data, source=self.plan.source)
            self._datasets[level] = levels.open_level(
                data,
                example_fraction=self.plan.example_fraction,
                progress=self.progress,
            )
        return self._datasets[level]

    def majority(self, recipe: Recipe) -> dict[str, float]:
        """Give the rate of the larger class among the pictures that a row tests.

        Args:
            recipe: The row.

        Returns:
            The rate by the name of the level.
        """
        dataset = self.dataset(recipe)
        tested = np.isin(np.asarray(dataset.folds), self.plan.folds)
        return {str(recipe.data.level): majority_rate(dataset.labels[tested])}

    def run_of(self, recipe: Recipe, seed: int = 0) -> Run:
        """Name the folder of a row.

        Args:
            recipe: The row.
            seed: Of the training.

        Returns:
            The run; it need not exist.
        """
        name = recipe.name.replace(":", "-") + (f"-seed{seed}" if seed else "")
        return Run(self.run.path / "rows" / name)

    def _answer(self, recipe: Recipe, seed: int) -> Answered:
        adapted = self.plan.adapt(recipe, seed)
        path = self.run_of(recipe, seed).path
        self.progress.say(f"{path.name}: folds {', '.join(map(str, self.plan.folds))}")
        return run_protocol(
            adapted,
            self.dataset(recipe),
            Run.create_or_resume(path, adapted),
            folds=self.plan.folds,
            keep_models=recipe == FIVE and seed == 0,
            progress=self.progress,
        )


def why_missing(rows: Rows, recipe: Recipe) -> str | None:
    """Say why a row cannot be run.

    Args:
        rows: The study.
        recipe: The row.

    Returns:
        The reason; None where it can.
    """
    try:
        rows.plan.adapt(recipe)
    except WeightsError as error:
        return str(error)
    return None
