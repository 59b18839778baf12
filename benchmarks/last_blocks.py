"""What does keeping the activations of frozen layers save?

    python benchmarks/last_blocks.py deepsent/images --fractions 0.1 0.3

Trains the last layers of the default network on the same photographs in two ways: with
a few fixed views of each, which pass the frozen layers once, and with new crops in each
epoch, which pass all layers. Told are the seconds of an epoch, on the clock and of the
processor (which other work on the machine hardly changes), those of keeping one view,
and what five folds of ten epochs come to by these, four of them training each time.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

FOLDS, EPOCHS, TRAINS = 5, 10, 0.8
Spent = tuple[float, float]


def now() -> Spent:
    """Read the clock and the time of the processor."""
    return time.perf_counter(), time.process_time()


def since(start: Spent) -> Spent:
    """Give the seconds since then."""
    clock, processor = now()
    return clock - start[0], processor - start[1]


def train(paths: list[str], fraction: float, num_views: int) -> dict[str, Spent]:
    """Train three epochs.

    Returns:
        What the shortest of the last two took, and the first view before them.
    """
    from pixsent_tf.config import Recipe, override
    from pixsent_tf.progress import Progress
    from pixsent_tf.training.finetune import FineTuneLearner

    class Clock(Progress):
        """Notes when an epoch is told, and when a view has been kept."""

        def __init__(self) -> None:
            self.ends: list[Spent] = []

        def say(self, line: str) -> None:
            self.ends.append(now())

    settings: dict[str, Any] = {
        "training.strategy": "last-blocks",
        "training.trained_fraction": fraction,
        "training.num_views": num_views,
        "training.epochs": 3,
        "training.calibration_folds": 0,
    }
    clock = Clock()
    learner = FineTuneLearner(override(Recipe(), settings), 2, progress=clock)
    learner.read(paths)
    targets = np.eye(2, dtype="float32")[np.arange(len(paths)) % 2]
    indices = np.arange(len(paths))
    kept = (0.0, 0.0)
    if num_views:
        activations = learner._views().activations
        activations.fill(indices[:32], [0])  # converts the network
        start = now()
        activations.fill(indices, [0])
        kept = since(start)
    learner.fit(indices, targets)
    epochs = np.diff(np.array(clock.ends), axis=0)
    clock_s, processor_s = epochs[epochs[:, 0].argmin()]
    return {"epoch": (clock_s, processor_s), "view": kept}


def main() -> None:
    """Train both ways and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of JPEG files")
    parser.add_argument("--fractions", nargs="+", type=float, default=[0.1, 0.3])
    parser.add_argument("--limit", type=int, default=320, help="photographs")
    parser.add_argument("--views", type=int, default=4)
    options = parser.parse_args()
    paths = sorted(map(str, options.folder.glob("*.jpg")))[: options.limit]
    print(f"{len(paths)} photographs; seconds on the clock (of the processor)\n")
    print("| layers trained | one view kept | epoch, kept | epoch, anew | five folds |")
    print("|---|---|---|---|---|")
    for fraction in options.fractions:
        kept = train(paths, fraction, options.views)
        anew = train(paths, fraction, 0)
        shown = FOLDS * EPOCHS * TRAINS
        ratios = [
            shown * b / (shown * a + options.views * view)
            for a, b, view in zip(
                kept["epoch"], anew["epoch"], kept["view"], strict=True
            )
        ]
        cells = [f"{a:.1f} ({b:.1f})" for a, b in (kept["view"], kept["epoch"])]
        cells += ["{:.1f} ({:.1f})".format(*anew["epoch"])]
        cells += ["{:.1f} times as fast ({:.1f})".format(*ratios)]
        print(f"| {fraction} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
