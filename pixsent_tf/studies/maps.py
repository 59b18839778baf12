"""Where does a model see negative and positive? (`pixsent-tf maps`)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from pixsent_tf.analysis import drawing
from pixsent_tf.analysis.maps import Facet, SentimentMap, SentimentMapper
from pixsent_tf.data.decode.one_by_one import PictureStream
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.prediction import UNSURE, name_answer
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.results.looks import MapsResults
from pixsent_tf.results.unreadable import list_unreadable
from pixsent_tf.whole import whole

MAX_SIDE = 1024  # of a picture that is drawn, in pixels
MAX_ON_SHEET = 60
PANEL_SIDE = 480  # likewise, beside its maps


def write_maps(
    model: SentimentModel,
    paths: Sequence[str],
    folder: Path,
    *,
    progress: Progress = NO_PROGRESS,
) -> MapsResults:
    """Map pictures and draw them, one map for each class or rating, of two classes one.

    Args:
        model: The model.
        paths: The pictures.
        folder: Where to write: a PNG for each picture, `contact-sheet.png` of the first
            ones, and `maps.npz` with `paths`, `probs`, `cells`, `smooth` and `names`.
        progress: Hears how far it is.

    Returns:
        What was mapped.

    Raises:
        ConfigError: If the model has nothing to map.
        DataError: If no picture can be read.
    """
    mapper = SentimentMapper(model)
    facets = mapper.facets
    mapped: list[tuple[str, SentimentMap]] = []
    pictures = PictureStream(paths, progress, "mapping")
    for number, image in pictures:
        path, found = paths[number], mapper.map(drawing.thumbnail(image, MAX_SIDE))
        panel = _panel(found, facets, f"{Path(path).name}: {_answer(model, found)}")
        with whole(folder / f"{number:04}-{Path(path).stem}.png") as temporary:
            Image.fromarray(panel).save(temporary)
        small = drawing.thumbnail(found.image)
        mapped.append((str(path), replace(found, image=small)))
    sheet = _sheet(model, mapped[:MAX_ON_SHEET], facets)
    with whole(folder / "contact-sheet.png") as temporary:
        Image.fromarray(sheet).save(temporary)
    with whole(folder / "maps.npz") as temporary:
        np.savez_compressed(
            temporary,
            paths=np.array([path for path, _ in mapped]),
            probs=np.stack([found.probs for _, found in mapped]),
            cells=np.stack([found.cells for _, found in mapped]),
            smooth=np.stack([found.smooth for _, found in mapped]).astype("float16"),
            names=np.array(_names(model)),
        )
    return {
        "num_examples": len(mapped),
        "kind": mapper.kind,
        "maps": [facet.name for facet in facets],
        "unreadable": list_unreadable(paths, pictures.failures),
        "out": str(folder),
    }


def _names(model: SentimentModel) -> tuple[str, ...]:
    """Names of the classes, or of the ratings."""
    return model.class_names if model.rating is None else model.rating.targets


def _panel(found: SentimentMap, facets: Sequence[Facet], title: str) -> np.ndarray:
    """Draw a picture beside its maps: of a single one its cells too."""
    image = drawing.thumbnail(found.image, PANEL_SIDE)
    drawn = [("picture", image)]
    first = facets[0]
    low, high = ("less", "more") if len(facets) > 1 else (first.low, first.high)
    if len(facets) == 1:
        height, width, _ = found.cells.shape
        cells = drawing.cells_overlay(image, first.shade(found.cells))
        drawn.append((f"{height} × {width} cells", cells))
    for facet in facets:
        name = "smooth" if len(facets) == 1 else _title(facet, found)
        smooth = drawing.smooth_overlay(image, facet.shade(found.smooth))
        drawn.append((name, smooth))
    return drawing.panel(drawn, title=title, low=low, high=high)


def _sheet(
    model: SentimentModel,
    mapped: Sequence[tuple[str, SentimentMap]],
    facets: Sequence[Facet],
) -> np.ndarray:
    """Draw pictures above one map each: that of the answer, or of the first rating."""

    def of(found: SentimentMap) -> Facet:
        is_one = len(facets) == 1 or model.rating is not None
        return facets[0 if is_one else int(found.probs.argmax())]

    low, high = f"feels {facets[0].low}", f"feels {facets[0].high}"
    if model.rating is not None:
        low, high = f"{facets[0].name} {facets[0].low}", facets[0].high
    elif len(facets) > 1:
        low, high = "not the answer", "the answer"
    return drawing.map_sheet(
        [found.image for _, found in mapped],
        [of(found).shade(found.smooth) for _, found in mapped],
        [Path(path).name for path, _ in mapped],
        [_answer(model, found) for _, found in mapped],
        low=low,
        high=high,
    )


def _title(facet: Facet, found: SentimentMap) -> str:
    return f"{facet.name} {found.probs[facet.column]:.2f}"


def _answer(model: SentimentModel, found: SentimentMap) -> str:
    if model.rating is not None:
        each = zip(model.rating.targets, found.probs, strict=True)
        return ", ".join(f"{target} {number:.2f}" for target, number in each)
    answer = name_answer(found.probs, model.class_names)
    return answer if answer == UNSURE else f"{answer} {found.probs.max():.2f}"
