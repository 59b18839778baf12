"""How was the figure at the top of the README made?

    python docs/opening_figure.py docs/images/sentiment-maps.jpg

It needs `pip install '.[docs]'`: the photographs come with scikit-image and
scikit-learn, and may be shown; `docs/images/README.md` names their authors. The command
that draws is `pixsent-tf maps`, with the model that ships.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from pixsent_tf.cli import cli

SHAPE = (3, 2)  # width to height, cut around the center, so that they line up
QUALITY = 90


def photographs() -> dict[str, np.ndarray]:
    """Give photographs that may be shown, uint8 [H, W, 3], by file name."""
    from skimage import data
    from sklearn.datasets import load_sample_image

    return {
        "pavilion.png": load_sample_image("china.jpg"),
        "coffee.png": data.coffee(),
        "rocket.png": data.rocket(),
        "grass.png": np.repeat(data.grass()[..., None], 3, axis=2),
    }


def cut(image: np.ndarray) -> np.ndarray:
    """Cut a picture around its center to `SHAPE`."""
    height, width = image.shape[:2]
    across, down = SHAPE
    side = min(width // across, height // down)
    top, left = (height - side * down) // 2, (width - side * across) // 2
    return image[top : top + side * down, left : left + side * across]


def main(path: Path) -> None:
    """Make the figure.

    Args:
        path: The JPEG to write.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name, image in photographs().items():
            files.append(f"{folder}/{name}")
            Image.fromarray(cut(image)).save(files[-1])
        cli(["maps", *files, "--out", f"{folder}/maps"], standalone_mode=False)
        with Image.open(f"{folder}/maps/contact-sheet.png") as sheet:
            sheet.save(path, quality=QUALITY, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
