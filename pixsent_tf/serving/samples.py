"""On which pictures is an export tried? On those that its run held out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.errors import ExportError
from pixsent_tf.inference.predictions import Predictions
from pixsent_tf.inference.rated import RatedTable, is_rated_table
from pixsent_tf.inference.sweep import Sweep
from pixsent_tf.runs import Run

NUM_REPRESENTATIVE = 100
MAX_HELD_OUT = 1000


@dataclass(frozen=True)
class Samples:
    """Crops of a run's pictures.

    Attributes:
        held_out: Of pictures that the run tested on, uint8 [N, S, S, 3].
        labels: Their class indices, int [N], or what raters said, float [N, T].
        training: Of some pictures that it trained on, uint8 [M, S, S, 3].
    """

    held_out: np.ndarray
    labels: np.ndarray
    training: np.ndarray


def read_samples(
    run: Run, preprocessor: Preprocessor, *, source: str | None = None, seed: int = 0
) -> Samples:
    """Read the pictures that a run tested on, and some that it trained on.

    Args:
        run: A run of `fit`.
        preprocessor: The model's geometry.
        source: Where its data is now; where it was then if None.
        seed: Of the choice among many.

    Returns:
        The crops.

    Raises:
        DataError: If the data is not there any more.
        ExportError: If the data does not hold the pictures that the run tested on.
    """
    recipe = run.read_recipe()
    data = dataclasses.replace(recipe.data, source=source or recipe.data.source)
    dataset = open_dataset(data, seed=recipe.seed)
    tested = _asked(run)
    is_tested = np.array([id_ in tested for id_ in dataset.ids])
    if not tested or is_tested.sum() < len(tested):
        raise ExportError(
            f"{data.source} holds {is_tested.sum()} of the {len(tested)} pictures that "
            f"{run.path} tested on; name the folder that holds them with --data."
        )
    generator = np.random.default_rng(seed)

    def read(mask: np.ndarray, limit: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = np.sort(generator.permutation(np.flatnonzero(mask))[:limit])
        part = dataset.take(chosen)
        side = preprocessor.config.crop_size
        crops, kept = [np.zeros((0, side, side, 3), "uint8")], [np.zeros(0, "int64")]
        for positions, found in Sweep(
            part.paths, preprocessor, preprocessor.center_crop
        ):
            crops.append(found)
            kept.append(positions)
        known = part.labels if part.ratings is None else part.ratings.values
        return np.concatenate(crops), known[np.concatenate(kept)]

    held_out, labels = read(is_tested, MAX_HELD_OUT)
    # where folds tested all of them, each has trained the model of the others' folds
    trained = is_tested if is_tested.all() else ~is_tested
    training, _ = read(trained, NUM_REPRESENTATIVE)
    return Samples(held_out, labels, training)


def _asked(run: Run) -> set[str]:
    """Names of the pictures that a run tested on, readable or not."""
    if not is_rated_table(run.path):
        return set(Predictions.read(run.path).asked)
    said = RatedTable.read(run.path)
    return {*said.ids, *(failure.id for failure in said.failures)}
