"""Pictures that are rated by how bright and how red they are, and how sure that is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

COUNT, RATERS, SPREAD = 60, 25, 1.0
TARGETS = ("valence", "arousal")


def write_rated(folder: Path, *, shuffled: bool = False, seed: int = 0) -> Path:
    """Draw pictures, and let simulated raters rate them.

    Args:
        folder: Where to.
        shuffled: Give each picture the ratings of another.
        seed: Of pictures and raters.

    Returns:
        The table of ratings.
    """
    generator = np.random.default_rng(seed)
    bright, red = generator.uniform(30, 200, (2, COUNT))
    truth = 1.5 + np.stack([bright, red], axis=1) / 40  # from 2.25 to 6.5
    heard = generator.normal(truth[:, :, None], SPREAD, (COUNT, 2, RATERS))
    if shuffled:
        heard = heard[generator.permutation(COUNT)]
    lines = ["path,valence,valence_sd,valence_n,arousal,arousal_sd,arousal_n"]
    for i in range(COUNT):
        pixels = np.full((16, 16, 3), bright[i]) + generator.normal(0, 8, (16, 16, 3))
        pixels[..., 0] = red[i]
        name = f"{chr(97 + i // 26)}{chr(97 + i % 26)}.png"
        Image.fromarray(pixels.clip(0, 255).astype("uint8")).save(folder / name)
        cells = []
        for one in heard[i].clip(1, 7):
            cells += [f"{one.mean():.4f}", f"{one.std(ddof=1):.4f}", str(RATERS)]
        lines.append(",".join([name, *cells]))
    path = folder / "ratings.csv"
    path.write_text("\n".join(lines) + "\n")
    return path
