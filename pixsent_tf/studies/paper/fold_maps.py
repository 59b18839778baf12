"""What do test pictures look like to the model that has not seen them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image

from pixsent_tf.analysis import drawing
from pixsent_tf.data.decode.graph import read_image
from pixsent_tf.data.table import Dataset
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.runs import Run
from pixsent_tf.studies.maps import write_maps

NUM_PAIRS = 12  # of picture and map on the sheet, half for each class


@dataclass(frozen=True)
class FoldMaps:
    """What was mapped.

    Attributes:
        num_examples: Pictures that have a map.
        cells: Height and width of a map, in words.
        positive_share: Of all cells, 0…1.
        unreadable: Pictures without a map, with the reason.
        sheet: The surest answers, each picture beside its map.
    """

    num_examples: int
    cells: str
    positive_share: float
    unreadable: list[dict[str, Any]]
    sheet: Image.Image


def write_fold_maps(
    dataset: Dataset, networks: Run, folder: Path, *, folds: Sequence[int]
) -> FoldMaps:
    """Map the test pictures of some folds; folds that are mapped already stay.

    Args:
        dataset: The pictures, with their folds.
        networks: The run that holds the model of each fold.
        folder: Where to write `fold-K/`, as `studies.maps` does.
        folds: Which folds to map.

    Returns:
        What was mapped.

    Raises:
        DataError: If no picture of a fold can be read.
        WeightsError: If a fold's model was not kept.
    """
    assert dataset.folds is not None
    paths, probs, cells = [], [], []
    unreadable: list[dict[str, Any]] = []
    for fold in folds:
        target = folder / f"fold-{fold}"
        target.mkdir(parents=True, exist_ok=True)
        if not (target / "results.json").is_file():
            model = SentimentModel.load(networks.fold_model_path(fold))
            tested = [dataset.paths[i] for i in np.flatnonzero(dataset.folds == fold)]
            found = write_maps(model, tested, target)
            Run(target).write_json("results.json", found)  # last, to vouch for the rest
            keras.backend.clear_session()
        unreadable += Run(target).read_json("results.json")["unreadable"]
        with np.load(target / "maps.npz") as stored:
            paths += stored["paths"].tolist()
            probs.append(stored["probs"][:, 1])
            cells.append(stored["cells"][..., 1])
    prob, cell = np.concatenate(probs), np.concatenate(cells)
    return FoldMaps(
        num_examples=len(paths),
        cells=f"{cell.shape[1]} × {cell.shape[2]}",
        positive_share=float((cell > 0.5).mean()),
        unreadable=unreadable,
        sheet=Image.fromarray(_sheet(paths, prob, cell)),
    )


def _sheet(paths: Sequence[str], prob: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Put the surest positive and negative answers on one sheet."""
    order = np.argsort(prob, kind="stable")
    count = min(NUM_PAIRS // 2, len(paths) // 2)
    chosen = [*order[::-1][:count], *order[:count]]
    images, captions = [], []
    for i in chosen:
        small = drawing.thumbnail(read_image(paths[i]))
        images += [small, drawing.cells_overlay(small, cells[i])]
        captions += [Path(paths[i]).name, f"positive {prob[i]:.2f}"]
    return drawing.contact_sheet(images, captions, columns=4)
