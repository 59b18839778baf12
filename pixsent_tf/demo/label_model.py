"""What does a model make of the pictures from which some are chosen for labelling?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pixsent_tf.analysis.activations import read_activations
from pixsent_tf.demo.label_sample import Chosen, Population
from pixsent_tf.errors import DataError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.progress import NO_PROGRESS, Progress

LAYER = "features"


def ask(
    model: SentimentModel, paths: Sequence[str], *, progress: Progress = NO_PROGRESS
) -> Population:
    """Let a model answer.

    Args:
        model: The model.
        paths: The files; what cannot be read is left out.
        progress: Hears how far it is.

    Returns:
        The pictures with what it says.

    Raises:
        DataError: If none can be read.
    """
    told = [one for one in model.predict(paths, progress=progress)]
    read = [one for one in told if one.probs is not None]
    if not read:
        raise DataError(f"None of the {len(paths)} pictures can be read.")
    return Population(
        [one.path for one in read],
        model.class_names,
        [one.answer for one in read],
        np.stack([one.probs for one in read if one.probs is not None]),
    )


def see(
    model: SentimentModel,
    part: Sequence[Chosen],
    folder: Path,
    *,
    progress: Progress = NO_PROGRESS,
) -> tuple[list[Chosen], np.ndarray]:
    """Let a network see pictures.

    Args:
        model: The model.
        part: The pictures.
        folder: Where they are.
        progress: Hears how far it is.

    Returns:
        Those that can be read, and what the network sees in each before it answers,
        float32 [N, F].

    Raises:
        DataError: If none can be read.
    """
    found = read_activations(
        model.classifier,
        model.preprocessor,
        [str(folder / each.path) for each in part],
        (LAYER,),
        progress=progress,
    )
    return [part[i] for i in found.positions.tolist()], found.layers[LAYER]
