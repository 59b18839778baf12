"""How is the second head made that ships? Measured on OASIS, then trained on all of it.

    python -m pixsent_tf.studies.ratings.ship oasis/ratings.csv

It reads the features of the models that `studies.ship` makes, and adds to their cards.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from pixsent_tf import config
from pixsent_tf.config import DataConfig, Recipe
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.inference import shipped
from pixsent_tf.models import zoo
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.recipes import find_recipe
from pixsent_tf.results.ratings import RatingMetrics
from pixsent_tf.runs import Run, write_text
from pixsent_tf.studies.crossval import crossval
from pixsent_tf.studies.report.card import shipped_card
from pixsent_tf.studies.trainer import Trainer
from pixsent_tf.training.rated import FittedRatings
from pixsent_tf.whole import whole

TARGETS, SCALE = ("valence", "arousal"), "1:7"


def ship_ratings(
    name: str,
    table: str,
    *,
    folder: Path | None = None,
    scale: str = SCALE,
    progress: Progress = NO_PROGRESS,
) -> RatingMetrics:
    """Measure a head of ratings, train it on everything, write it with its card.

    Args:
        name: One of `shipped.NAMES`.
        table: OASIS' ratings.
        folder: Where the first head and its numbers are, and the second goes; the
            package itself if None.
        scale: Of the ratings.
        progress: Hears how far it is.

    Returns:
        The numbers of five folds with series kept together.
    """
    folder = folder or shipped.folder_of(name)
    recipe = Recipe(
        name=name,
        data=DataConfig(table, target=TARGETS, scale=scale),
        model=find_recipe(name).model,
    )
    dataset = open_dataset(recipe.data, progress=progress)
    with tempfile.TemporaryDirectory() as scratch:
        run = Run.create(Path(scratch) / "run")
        told: Any = crossval(recipe, dataset, run, keep_models=False, progress=progress)
    trainer = Trainer.read(recipe, dataset, progress=progress)
    trained = trainer.train(np.arange(len(dataset)))
    assert isinstance(trained, FittedRatings)
    kernel, bias = trained.fitted.classifier().get_layer(zoo.HEAD).get_weights()
    with whole(folder / shipped.RATINGS) as temporary:
        np.savez(
            temporary,
            kernel=kernel,
            bias=bias,
            half_widths=np.array(trained.half_widths, dtype="float32"),
            scale=np.array(trained.known.scale),
            targets=np.array(trained.known.targets),
        )
    numbers: RatingMetrics = {
        "targets": told["targets"],
        "group_differences": [],
        "scale": told["scale"],
        "interval_unit": told["interval_unit"],
        "num_examples": told["num_examples"],
    }
    path = folder / "results.json"
    results = json.loads(path.read_text("utf-8")) | {"ratings": numbers}
    write_text(path, json.dumps(results, indent=2, allow_nan=False) + "\n")
    first = config.from_json((folder / "recipe.json").read_text("utf-8"))
    card = shipped_card(name=name, recipe=first, results=results)
    write_text(folder / "MODEL_CARD.md", card)
    return numbers


def main(table: str) -> None:
    """Make the second head of every model that ships.

    Args:
        table: OASIS' ratings.
    """
    for name in shipped.NAMES:
        print(name, json.dumps(ship_ratings(name, table), indent=2))


if __name__ == "__main__":
    main(sys.argv[1])
