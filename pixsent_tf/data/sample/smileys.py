"""What can be learnt where nothing is downloaded? Faces drawn from a seed.

A mouth that points up is positive, one that points down negative, and nothing else in
the picture tells the two apart: the mouth of one seed's negative is the mirrored mouth
of its positive, and every other pixel is the same. Where the mouth is is known, so
that explanations of a model can be checked against the truth.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from pixsent_tf.config import CLASS_NAMES
from pixsent_tf.data.sample.faces import Box, draw_face
from pixsent_tf.whole import whole

DRAWING = 2  # raise when the pictures change, so that cached ones are drawn anew
POSITIVE_SHARE = 0.55
_JPEG_QUALITY = 92
_SIDES = ("left", "top", "right", "bottom")
_COLUMNS = (
    *("path", "label"),
    *(f"face_{side}" for side in _SIDES),
    *(f"mouth_{side}" for side in _SIDES),
)


@dataclass(frozen=True)
class Smiley:
    """One drawn picture and the truth about it.

    Attributes:
        image: RGB, uint8, [size, size, 3].
        label: 0 where the mouth points down, 1 where it points up.
        face_box: Left, top, right, bottom of the face in pixels, the last two
            exclusive.
        mouth_box: The same of the mouth.
    """

    image: np.ndarray
    label: int
    face_box: Box
    mouth_box: Box


def draw_smiley(seed: int | tuple[int, ...], label: int, *, size: int = 256) -> Smiley:
    """Draw one face in a textured scene.

    Args:
        seed: Decides everything but the direction of the mouth.
        label: 0 for a mouth that points down, 1 for one that points up.
        size: Height and width, in pixels.

    Returns:
        The picture with its label and boxes.

    Example:
        >>> draw_smiley(7, label=1).image.shape
        (256, 256, 3)
    """
    image, face_box, mouth_box = draw_face(
        np.random.default_rng(seed), mood=1.0 if label else -1.0, size=size
    )
    return Smiley(image, label, face_box, mouth_box)


def write_smileys(folder: Path, count: int = 400, seed: int = 0) -> Path:
    """Write the sample: one subfolder per class, and a table of the boxes.

    Does nothing where the same sample is there already.

    Args:
        folder: Where to write; made if it does not exist.
        count: Number of pictures; 55 % of them are positive.
        seed: Decides every byte.

    Returns:
        `boxes.csv` in the folder: path, label and the two boxes of each picture.
    """
    table, mark = folder / "boxes.csv", folder / "README.txt"
    text = (
        f"{count} faces drawn by pixsent-tf (drawing {DRAWING}, seed {seed}).\n"
        "A mouth that points up is positive; boxes.csv says where each mouth is.\n"
    )
    if mark.is_file() and mark.read_text() == text:
        return table
    for name in CLASS_NAMES:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for stale in (folder / name).glob("smiley-*.jpg"):
            stale.unlink()
    rows = list(_write_pictures(folder, count, seed))
    with whole(table) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        writer.writerows(rows)
    with whole(mark) as temporary:  # last, so that it vouches for the rest
        temporary.write_text(text)
    return table


def _write_pictures(folder: Path, count: int, seed: int) -> Iterator[list[object]]:
    """Write every picture, and yield its row of the table."""
    labels = np.arange(count) < round(POSITIVE_SHARE * count)
    np.random.default_rng(seed).shuffle(labels)
    for number, label in enumerate(labels.astype(int).tolist()):
        smiley = draw_smiley((seed, number), label)
        name = f"{CLASS_NAMES[label]}/smiley-{number:04}.jpg"
        # Two processes may draw the same sample at once.
        with whole(folder / name) as temporary:
            Image.fromarray(smiley.image).save(temporary, quality=_JPEG_QUALITY)
        yield [name, CLASS_NAMES[label], *smiley.face_box, *smiley.mouth_box]
