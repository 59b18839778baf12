"""Where does a model see negative and positive? (`pixsent-tf maps`)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from pixsent_tf.analysis import drawing
from pixsent_tf.analysis.maps import SentimentMap, binary_mapper
from pixsent_tf.data.decode.one_by_one import PictureStream
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.prediction import UNSURE, name_answer
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.results.looks import MapsResults
from pixsent_tf.results.unreadable import list_unreadable
from pixsent_tf.whole import whole

MAX_SIDE = 1024  # of a picture that is drawn, in pixels
MAX_ON_SHEET = 60


def write_maps(
    model: SentimentModel,
    paths: Sequence[str],
    folder: Path,
    *,
    progress: Progress = NO_PROGRESS,
) -> MapsResults:
    """Map pictures and draw them.

    Args:
        model: The model.
        paths: The pictures.
        folder: Where to write: a PNG for each picture, `contact-sheet.png` of the first
            ones, and `maps.npz` with `paths`, `probs`, `cells` and `smooth`.
        progress: Hears how far it is.

    Returns:
        What was mapped.

    Raises:
        ConfigError: If the model has more than two classes, or nothing to map.
        DataError: If no picture can be read.
    """
    mapper = binary_mapper(model)
    mapped: list[tuple[str, SentimentMap]] = []
    pictures = PictureStream(paths, progress, "mapping")
    for number, image in pictures:
        path, found = paths[number], mapper.map(drawing.thumbnail(image, MAX_SIDE))
        title = f"{Path(path).name}: {_answer(model, found)}"
        panel = drawing.panel(
            found.image, found.cells[..., 1], found.smooth[..., 1], title=title
        )
        with whole(folder / f"{number:04}-{Path(path).stem}.png") as temporary:
            Image.fromarray(panel).save(temporary)
        small = drawing.thumbnail(found.image)
        mapped.append((str(path), replace(found, image=small)))
    shown = mapped[:MAX_ON_SHEET]
    sheet = drawing.map_sheet(
        [found.image for _, found in shown],
        [found.smooth[..., 1] for _, found in shown],
        [Path(path).name for path, _ in shown],
        [_answer(model, found) for _, found in shown],
    )
    with whole(folder / "contact-sheet.png") as temporary:
        Image.fromarray(sheet).save(temporary)
    with whole(folder / "maps.npz") as temporary:
        np.savez_compressed(
            temporary,
            paths=np.array([path for path, _ in mapped]),
            probs=np.stack([found.probs for _, found in mapped]),
            cells=np.stack([found.cells for _, found in mapped]),
            smooth=np.stack([found.smooth for _, found in mapped]).astype("float16"),
            class_names=np.array(model.class_names),
        )
    return {
        "num_examples": len(mapped),
        "kind": mapper.kind,
        "unreadable": list_unreadable(paths, pictures.failures),
        "out": str(folder),
    }


def _answer(model: SentimentModel, found: SentimentMap) -> str:
    answer = name_answer(found.probs, model.class_names)
    return answer if answer == UNSURE else f"{answer} {found.probs.max():.2f}"
