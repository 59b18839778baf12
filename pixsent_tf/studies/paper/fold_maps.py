"""What do test pictures look like to the model that has not seen them?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image

from pixsent_tf.analysis import drawing
from pixsent_tf.data.decode.files import read_image
from pixsent_tf.data.splits import find_named_units
from pixsent_tf.data.table import Dataset
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.results.unreadable import Unreadable
from pixsent_tf.runs import Run
from pixsent_tf.studies.folds import Folds, Part, choose, divide
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
    unreadable: list[Unreadable]
    sheet: Image.Image


@dataclass(frozen=True)
class Mapped:
    """What the model of one fold mapped; the maps are in the fold's own folder.

    Attributes:
        unreadable: Test pictures without a map, with the reason.
    """

    unreadable: list[Unreadable]

    def to_json(self) -> dict[str, Any]:
        """Give what JSON can hold: `unreadable`."""
        return {"unreadable": self.unreadable}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Mapped:
        """Build it again from what `to_json` gave."""
        return cls(values["unreadable"])


def write_fold_maps(
    dataset: Dataset,
    networks: Run,
    folder: Path,
    *,
    folds: Sequence[int],
    progress: Progress = NO_PROGRESS,
) -> FoldMaps:
    """Map the test pictures of some folds; folds that are mapped already stay.

    Args:
        dataset: The pictures, with their folds.
        networks: The run that holds the model of each fold.
        folder: Where to write `fold-K/`, as `studies.maps` does, and `folds/`.
        folds: Which folds to map.
        progress: Hears how far it is.

    Returns:
        What was mapped.

    Raises:
        DataError: If no picture of a fold can be read.
        WeightsError: If a fold's model was not kept.
    """
    assert dataset.folds is not None
    units = find_named_units(dataset)
    parts = choose(divide(dataset, dataset.folds, units=units), folds)
    made_by = {"recipe": asdict(networks.read_recipe())}
    kept = Folds(Run(folder), dataset, Mapped, made_by)

    def map_part(part: Part) -> Mapped:
        """Map the test pictures of one fold by its own model."""
        target = _folder_of(part, folder)
        target.mkdir(parents=True, exist_ok=True)
        model = SentimentModel.load(networks.fold_model_path(part.number))
        tested = [dataset.paths[i] for i in part.test]
        mapped = write_maps(model, tested, target, progress=progress)
        keras.backend.clear_session()
        return Mapped(mapped["unreadable"])

    found = kept.find(parts, map_part)
    paths, probs, cells = [], [], []
    for part in parts:
        with np.load(_folder_of(part, folder) / "maps.npz") as stored:
            paths += stored["paths"].tolist()
            probs.append(stored["probs"][:, 1])
            cells.append(stored["cells"][..., 1])
    prob, cell = np.concatenate(probs), np.concatenate(cells)
    return FoldMaps(
        num_examples=len(paths),
        cells=f"{cell.shape[1]} × {cell.shape[2]}",
        positive_share=float((cell > 0.5).mean()),
        unreadable=[row for one in found.values() for row in one.unreadable],
        sheet=Image.fromarray(_sheet(paths, prob, cell)),
    )


def _folder_of(part: Part, folder: Path) -> Path:
    return folder / f"fold-{part.number}"


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
