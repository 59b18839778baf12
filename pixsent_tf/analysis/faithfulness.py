"""Does a map show what the model uses, or only what we like to see?

deletion, insertion   blur the places that the map names first, or uncover them first:
                      the answer must fall, or rise, faster than in any other order
pointing game         the peak must lie where the truth is known to lie
randomized weights    the map of a network that has learnt nothing must look different

References:
    Petsiuk et al., "RISE", BMVC 2018; Zhang et al., "Top-down Neural Attention by
    Excitation Backprop", ECCV 2016; Adebayo et al., "Sanity Checks for Saliency Maps",
    NeurIPS 2018.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

from pixsent_tf.models.seeding import seeded

NUM_STEPS = 8
BLUR = 16  # pixels that become one

Score = Callable[[np.ndarray], np.ndarray]


def blurred(crop: np.ndarray) -> np.ndarray:
    """Take the detail out of a crop.

    Args:
        crop: [S, S, 3].

    Returns:
        float32 [S, S, 3].
    """
    side = max(1, len(crop) // BLUR)
    small = tf.image.resize(crop[None], [side, side], method="area")
    return tf.image.resize(small, crop.shape[:2], method="bicubic").numpy()[0]


def orders(importance: np.ndarray, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Order the cells of a map, the most important first, and in two ways without it.

    Args:
        importance: Of each cell, float [h, w].
        seed: Of the random order.

    Returns:
        Positions in reading order, int [h * w], by `map`, `random` and `center` (from
        the middle outward).
    """
    height, width = importance.shape
    rows, columns = np.mgrid[:height, :width]
    distance = (rows - (height - 1) / 2) ** 2 + (columns - (width - 1) / 2) ** 2
    return {
        "map": np.argsort(-importance.ravel(), kind="stable"),
        "random": np.random.default_rng(seed).permutation(importance.size),
        "center": np.argsort(distance.ravel(), kind="stable"),
    }


def curve(
    score: Score,
    crop: np.ndarray,
    order: np.ndarray,
    *,
    label: int,
    grid: tuple[int, int],
    inserting: bool = False,
) -> np.ndarray:
    """Follow the answer while cells are blurred, or uncovered, one after the other.

    Args:
        score: From crops, float32 [B, S, S, 3], to probabilities, [B, K].
        crop: RGB 0..255, [S, S, 3].
        order: Cells to change first, positions in reading order, int [h * w].
        label: The class whose probability is followed.
        grid: Height and width of the map, in cells.
        inserting: Begin with the blurred crop and uncover it.

    Returns:
        Probability of the class, float [NUM_STEPS + 1], at equal shares of the cells
        from none to all.
    """
    rank = np.empty(len(order), dtype="float32")
    rank[order] = np.arange(len(order))
    side = len(crop)
    rows = np.arange(side) * grid[0] // side
    columns = np.arange(side) * grid[1] // side
    ranks = rank.reshape(grid)[rows[:, None], columns]  # [S, S]
    shares = np.linspace(0, len(order), NUM_STEPS + 1)
    changed = (ranks < shares[:, None, None])[..., None]  # [steps + 1, S, S, 1]
    plain, blur = crop.astype("float32"), blurred(crop)
    before, after = (blur, plain) if inserting else (plain, blur)
    return score(np.where(changed, after, before))[:, label]


def area(values: np.ndarray) -> float:
    """Average a curve over the share of cells, by trapezoids.

    Args:
        values: float [steps + 1].

    Returns:
        Area under the curve, 0…1.
    """
    return float((values[:-1] + values[1:]).mean() / 2)


def areas(
    score: Score,
    crop: np.ndarray,
    importance: np.ndarray,
    *,
    label: int,
    seed: int = 0,
) -> dict[str, Mapping[str, float]]:
    """Delete and insert the cells of one picture, by its map and by the baselines.

    Args:
        score: As in `curve`.
        crop: As in `curve`.
        importance: Of each cell for the class, float [h, w].
        label: The class.
        seed: Of the random order.

    Returns:
        Area under the curve by order, for `deletion` (smaller is more faithful) and
        `insertion` (larger is).
    """
    height, width = importance.shape
    found: dict[str, Mapping[str, float]] = {}
    for name, inserting in (("deletion", False), ("insertion", True)):
        found[name] = {
            way: area(
                curve(
                    score,
                    crop,
                    order,
                    label=label,
                    grid=(height, width),
                    inserting=inserting,
                )
            )
            for way, order in orders(importance, seed=seed).items()
        }
    return found


def peak(importance: np.ndarray, *, height: int, width: int) -> tuple[float, float]:
    """Find the place of a picture that a map names first.

    Args:
        importance: Of each cell, float [h, w].
        height: Of the picture, in pixels.
        width: Of the picture, in pixels.

    Returns:
        x and y of the middle of the most important cell, in pixels.
    """
    row, column = np.unravel_index(importance.argmax(), importance.shape)
    rows, columns = importance.shape
    return (float(column) + 0.5) / columns * width, (float(row) + 0.5) / rows * height


def is_inside(point: tuple[float, float], box: tuple[float, ...]) -> bool:
    """Tell whether a point lies in a box.

    Args:
        point: x and y.
        box: Left, top, right and bottom, the last two exclusive.

    Returns:
        Whether it does.
    """
    left, top, right, bottom = box
    return left <= point[0] < right and top <= point[1] < bottom


def with_random_weights(classifier: keras.Model, *, seed: int = 0) -> keras.Model:
    """Build the same network, knowing nothing.

    Args:
        classifier: Any functional model.
        seed: Of its new weights.

    Returns:
        A model of the same layers with freshly drawn weights.
    """
    with seeded(seed):
        return keras.models.clone_model(classifier)


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Compare two maps of one picture.

    Args:
        first: float [h, w].
        second: float [h, w].

    Returns:
        Pearson's correlation over the cells, -1…1; 0 where a map is flat.
    """
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])
