"""What would a collection of posts look like whose every share is known?

Drawn faces with a hashtag, a date and a user, as if taken at night by a shaking hand: a
model that was trained on clear ones errs, and more in one direction than in the other.
"""

from __future__ import annotations

import csv
import datetime
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from pixsent_tf.config import CLASS_NAMES
from pixsent_tf.data.sample.smileys import draw_smiley
from pixsent_tf.whole import whole

NUM_WEEKS = 4
# the share of negative posts in the first week, and what each further week adds
SHARES = {"friday": (0.25, 0.0), "monday": (0.35, 0.10)}
POSTS_A_USER = 4
LEANING = 0.15  # how far users lean from it, one way or the other
BLUR = 8.0  # pixels, at most
LIGHT = 0.45  # of the clear picture's, at least
COLUMNS = ("path", "hashtag", "date", "user", "planted")
_FIRST_DAY = datetime.date(2024, 1, 1)  # a Monday


def write_posts(folder: Path, count: int = 640, seed: int = 0) -> Path:
    """Draw posts, and write a table of them.

    Args:
        folder: Where to write; made if it does not exist.
        count: Number of posts; users have four each.
        seed: Decides every byte.

    Returns:
        `posts.csv` in the folder: path, hashtag, date, user, and the class that was
        planted.
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    leanings = rng.choice([-LEANING, LEANING], size=-(-count // POSTS_A_USER))
    rows = []
    for number in range(count):
        user = number // POSTS_A_USER
        hashtag = list(SHARES)[user % len(SHARES)]
        week = int(rng.integers(NUM_WEEKS))
        first, more = SHARES[hashtag]
        is_positive = rng.random() >= first + week * more + leanings[user]
        date = _FIRST_DAY + datetime.timedelta(int(7 * week + rng.integers(7)))
        path = folder / f"{number:04}.jpg"
        image = draw_smiley((seed, 1, number), int(is_positive)).image
        with whole(path) as temporary:
            Image.fromarray(_at_night(image, rng)).save(temporary, quality=90)
        label = CLASS_NAMES[int(is_positive)]
        rows.append([str(path), hashtag, date.isoformat(), f"user{user:03}", label])
    with whole(folder / "posts.csv") as temporary, temporary.open("w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([COLUMNS, *rows])
    return folder / "posts.csv"


def _at_night(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur and darken a picture, uint8 [H, W, 3], some more than others."""
    strength = rng.uniform(0.3, 1.0)
    blurred = Image.fromarray(image).filter(ImageFilter.GaussianBlur(BLUR * strength))
    light = 1 - (1 - LIGHT) * strength
    noise = rng.normal(0, 4, image.shape)
    return (np.asarray(blurred) * light + noise).clip(0, 255).astype("uint8")
