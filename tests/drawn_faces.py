"""Faces whose mouths are rated by simulated people, who see the curvature and err."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from pixsent_tf.data.sample.faces import draw_face

RATERS, SPREAD = 20, 1.0


def write_faces(
    folder: Path, count: int, *, size: int = 128, shuffled: bool = False, seed: int = 0
) -> Path:
    """Draw faces with mouths of any curvature, and rate them from 1 to 7.

    Args:
        folder: Where to.
        count: How many.
        size: Height and width, in pixels.
        shuffled: Give each picture the ratings of another.
        seed: Of pictures and raters.

    Returns:
        The table of ratings.
    """
    generator = np.random.default_rng(seed)
    moods = generator.uniform(-1, 1, count)
    heard = generator.normal(4 + 2.4 * moods[:, None], SPREAD, (count, RATERS))
    heard = heard.clip(1, 7)
    if shuffled:
        heard = heard[generator.permutation(count)]
    lines = ["path,valence,valence_sd,valence_n"]
    for number, (mood, said) in enumerate(zip(moods, heard, strict=True)):
        pixels, *_ = draw_face(
            np.random.default_rng((seed, number)), mood=float(mood), size=size
        )
        name = f"face {number}x.png"
        Image.fromarray(pixels).save(folder / name)
        cells = f"{said.mean():.4f},{said.std(ddof=1):.4f},{RATERS}"
        lines.append(f"{name},{cells}")
    path = folder / "ratings.csv"
    path.write_text("\n".join(lines) + "\n")
    return path
