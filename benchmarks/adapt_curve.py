"""How many labels of one's own does a model need that was trained elsewhere?

    python benchmarks/adapt_curve.py deepsent/ oasis/ratings.csv

A head is trained on five-agree photographs of the first, and adapted to the second, of
which some are labelled and the others test; then the other way round. Beside it: the
model as it was, and a head that only the labels train, its penalty chosen by
cross-validation as `fit` does. Copies, and pictures of one series, are on one side.
"""

from __future__ import annotations

import argparse
import csv
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.special import softmax

from pixsent_tf.config import DataConfig, Recipe
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.data.splits import find_units
from pixsent_tf.data.table import Dataset, build_dataset
from pixsent_tf.training.adapting import Head, Standard, adapt_head
from pixsent_tf.training.calibrated import calibrate
from pixsent_tf.training.heads import HeadLearner
from pixsent_tf.training.logistic import fit_head

LOWEST_POSITIVE, HIGHEST_NEGATIVE = 5.0, 3.5  # of ratings from 1 to 7
SIZES = (25, 50, 100, 200)
METHODS = ("as shipped", "adapted", "fresh head")


@dataclass(frozen=True)
class World:
    """A collection whose features are known.

    Attributes:
        dataset: The pictures.
        units: What belongs together, int [N].
        learner: Has read them.
    """

    dataset: Dataset
    units: np.ndarray
    learner: HeadLearner

    @classmethod
    def read(cls, dataset: Dataset, recipe: Recipe) -> World:
        """Pass every picture through the network once."""
        learner = HeadLearner(recipe)
        learner.read(dataset.paths)
        return cls(dataset, find_units(dataset), learner)

    def head(self) -> Head:
        """Train on everything, as `fit` trains, and calibrate."""
        everything = np.arange(len(self.dataset))
        fitted = self.learner.fit(everything, self.dataset.targets(), units=self.units)
        temperature = calibrate(fitted, self.dataset.labels).temperature
        return Head(fitted.head.kernel / temperature, fitted.head.bias / temperature)


def open_ratings(path: Path) -> Dataset:
    """Open rated photographs as two classes, the middle left out, series as groups."""
    with path.open(newline="") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if not HIGHEST_NEGATIVE < float(row["valence"]) < LOWEST_POSITIVE
        ]
    names = [row["path"] for row in rows]
    dataset = build_dataset(
        name="oasis",
        ids=names,
        paths=[path.parent / name for name in names],
        labels=[
            "positive" if float(row["valence"]) >= LOWEST_POSITIVE else "negative"
            for row in rows
        ],
    )
    return dataset.grouped([re.sub(r"[_ ]*\d*\.\w+$", "", name) for name in names])


def draw(
    head: Head, world: World, size: int, seed: int, standardize: str
) -> tuple[list[tuple[float, float]], str, float]:
    """Label some pictures, test on the others.

    Returns:
        Accuracy and balanced accuracy of each method, what was chosen, and the seconds
        of adapting.
    """
    values, labels = world.learner.values, world.dataset.labels
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    taken, tested = shuffled[:size], ~np.isin(world.units, world.units[shuffled[:size]])
    units = world.units[taken]
    started = time.monotonic()
    standard = Standard.of(values if standardize == "all" else values[taken])
    adapted = adapt_head(
        head, values[taken], labels[taken], standard=standard, units=units
    )
    seconds = time.monotonic() - started
    targets = world.dataset.targets()[taken]
    fresh = fit_head(values[taken], targets, units=units)
    heads = (head, adapted.head, Head(fresh.kernel, fresh.bias))
    scores = [
        judge(softmax(one.logits(values[tested]), axis=1), labels[tested])
        for one in heads
    ]
    return scores, adapted.choice, seconds


def judge(probs: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Give accuracy and the mean recall of the classes."""
    right = probs.argmax(axis=1) == labels
    return float(right.mean()), float(
        np.mean([right[labels == k].mean() for k in (0, 1)])
    )


def main() -> None:
    """Print the curves of both ways."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("deepsent")
    parser.add_argument("ratings", type=Path)
    parser.add_argument("--backbone", default="efficientnet_lite0@288")
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument(
        "--standardize",
        choices=("all", "labels"),
        default="all",
        help="Pictures by which features are standardized.",
    )
    options = parser.parse_args()
    recipe = Recipe()
    recipe = replace(recipe, model=replace(recipe.model, backbone=options.backbone))
    deepsent = open_dataset(DataConfig(options.deepsent, level="five_agrees"))
    first = World.read(deepsent, recipe)
    second = World.read(open_ratings(options.ratings), recipe)
    for home, world in ((first, second), (second, first)):
        print(f"\nfrom {home.dataset.name} to {world.dataset.name}")
        print("labels  " + "  ".join(f"{name:>22}" for name in METHODS) + "  chosen")
        head = home.head()
        for size in SIZES:
            drawn = [
                draw(head, world, size, seed, options.standardize)
                for seed in range(options.draws)
            ]
            scores = np.array([row for row, _, _ in drawn])  # [draws, methods, 2]
            cells = [
                f"{accuracy:.3f} (balanced {balanced:.3f})"
                for accuracy, balanced in scores.mean(axis=0)
            ]
            chosen = [choice for _, choice, _ in drawn]
            counts = {name: chosen.count(name) for name in sorted(set(chosen))}
            worst = (scores[:, 1, 0] - scores[:, 0, 0]).min()
            seconds = max(seconds for _, _, seconds in drawn)
            print(f"{size:>6}  {'  '.join(cells)}  {counts}", end="")
            print(f"  least gain {worst:+.3f}, at most {seconds:.1f} s")


if __name__ == "__main__":
    main()
