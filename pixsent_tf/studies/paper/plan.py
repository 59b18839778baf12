"""Which part of the paper is run again, and with what left out?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

from pixsent_tf.config import Recipe
from pixsent_tf.config.values import Checked, Count, Part, Range, Whole
from pixsent_tf.errors import ConfigError, WeightsError

Table = Literal["2", "3", "4", "5", "6", "maps", "backbones"]
PAPER_TABLES: tuple[Table, ...] = ("2", "3", "4", "5", "6", "maps")
SUFFIXES = (".caffemodel", ".npz", ".weights.h5")
# What the releases call some of the starting weights
FILE_NAMES = {
    "caffenet": ("caffenet", "bvlc_reference_caffenet"),
    "alexnet": ("alexnet", "bvlc_alexnet"),
    "places": ("places", "places205CNN_iter_300000"),
    "deepsentibank": ("deepsentibank", "caffe_sentibank_train_iter_250000"),
}
NUM_FOLDS = 5
ALL_FOLDS = tuple(range(1, NUM_FOLDS + 1))
Fold = Annotated[int, Range(least=1, most=NUM_FOLDS)]
QUICK_SIDE = 67  # pixels; the smallest crop of which CaffeNet leaves a cell
QUICK_FRACTION = 0.08
QUICK_FOLDS = (1, 2)


@dataclass(frozen=True)
class Plan(Checked):
    """What to run, and every shortcut that is taken.

    Attributes:
        source: As in `DataConfig`.
        tables: Which of them to make.
        weights_dir: Folder with the starting weights; None for no such folder.
        folds: Which folds to test.
        max_steps: Steps after which each training stops; 0 for no limit.
        num_repeats: Trainings of each row and fold.
        example_fraction: Part of the pictures that is used, 0…1.
        random_start: Start every network at random, whatever weights its row names.
        is_quick: A smoke run: tiny crops, a few pictures, one step, two folds.
        backbones: Rows to add to the table of backbones.
        only: Patterns of the names of rows, such as `*-five`; empty for all rows.
    """

    source: str
    tables: tuple[Table, ...] = PAPER_TABLES
    weights_dir: Path | None = None
    folds: tuple[Fold, ...] = ALL_FOLDS
    max_steps: Whole = 0
    num_repeats: Count = 1
    example_fraction: Part = 1.0
    random_start: bool = False
    is_quick: bool = False
    backbones: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.tables or not self.folds:
            raise ConfigError("A study needs a table to make and a fold to test.")

    @property
    def identity(self) -> dict[str, object]:
        """What must not change when a study is gone on with."""
        return {
            "source": self.source,
            "example_fraction": self.example_fraction,
            "max_steps": self.max_steps,
            "random_start": self.random_start,
            "is_quick": self.is_quick,
        }

    @property
    def is_whole(self) -> bool:
        """Whether trainings are the paper's: its starts, all steps, all pictures."""
        return not (self.random_start or self.max_steps or self.example_fraction < 1)

    @property
    def notes(self) -> list[str]:
        """Every shortcut, in words; empty for the whole protocol."""
        notes = []
        if self.is_quick:
            notes.append(
                "Smoke run: it shows that the code runs, and says nothing about the "
                f"paper. Crops of {QUICK_SIDE} pixels, one step of training."
            )
        if self.random_start or self.is_quick:
            notes.append("Every network started at random, not from trained weights.")
        if self.max_steps and not self.is_quick:
            notes.append(f"Each training was stopped after {self.max_steps} steps.")
        if self.example_fraction < 1:
            notes.append(f"Only {self.example_fraction:.0%} of the pictures were used.")
        if len(self.folds) < NUM_FOLDS:
            names = ", ".join(str(fold) for fold in self.folds)
            notes.append(f"Only these of the {NUM_FOLDS} folds were tested: {names}.")
        return notes

    def wants(self, name: str) -> bool:
        """Tell whether a row is asked for.

        Args:
            name: Of the row.

        Returns:
            Whether it matches a pattern, or there are none.
        """
        return not self.only or any(fnmatchcase(name, one) for one in self.only)

    def quick(self) -> Plan:
        """Give the plan of a smoke run of the same tables."""
        return replace(
            self,
            folds=QUICK_FOLDS,
            max_steps=1,
            example_fraction=QUICK_FRACTION,
            random_start=True,
            is_quick=True,
        )

    def adapt(self, recipe: Recipe, seed: int = 0) -> Recipe:
        """Change a recipe to what this plan runs.

        Args:
            recipe: As published; weights by the name of a start.
            seed: Of the training.

        Returns:
            The recipe with the source, the weights' file and every shortcut.

        Raises:
            WeightsError: If the starting weights are not to be had; the message
                says where they were looked for.
        """
        model, training = recipe.model, recipe.training
        if self.random_start:
            model = replace(model, weights=None)
        elif model.weights not in (None, "imagenet"):
            model = replace(model, weights=str(self._weights_file(str(model.weights))))
        descends = training.strategy != "head"
        if self.max_steps and descends:
            training = replace(training, max_steps=self.max_steps)
        if self.is_quick:
            small = [
                replace(branch, size=QUICK_SIDE + number)
                for number, branch in enumerate(model.branches)
            ]  # of sizes of their own, for one network may stand there twice
            model = replace(model, backbone="+".join(map(str, small)))
        if self.is_quick and descends:
            # All schedules are the same for one step: rows that differ so are one run
            training = replace(training, batch_size=8, step_epochs=1)
        return replace(
            recipe,
            data=replace(recipe.data, source=self.source),
            model=model,
            training=training,
            seed=seed,
        )

    def _weights_file(self, start: str) -> Path:
        names = FILE_NAMES.get(start, (start,))
        if self.weights_dir is not None:
            for name in names:
                for suffix in SUFFIXES:
                    path = self.weights_dir / f"{name}{suffix}"
                    if path.is_file():
                        return path
        where = self.weights_dir or "a folder, named with --weights-dir"
        raise WeightsError(
            f"its starting weights are missing; put {names[0]}.caffemodel (or .npz, "
            f".weights.h5) into {where}."
        )
