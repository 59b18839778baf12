"""What did raters say of pictures, in numbers?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pixsent_tf.config.scales import Scale

MOST_RANGES = 5
_FEWEST = 10  # pictures of a range, so that every fold gets some


@dataclass(frozen=True)
class Ratings:
    """The mean of what a panel said of each picture, for one target or several.

    Attributes:
        targets: Their names, such as "valence", [T].
        values: Means, float64 [N, T].
        scale: The lowest and the highest rating there can be.
        spreads: Standard deviation among the raters, float64 [N, T]; NaN where unknown.
        counts: How many rated, float64 [N, T]; NaN where unknown.
        perspectives: Names of the groups of raters, each of which has targets of its
            own; empty where raters are not told apart.
    """

    targets: tuple[str, ...]
    values: np.ndarray
    scale: Scale
    spreads: np.ndarray
    counts: np.ndarray
    perspectives: tuple[str, ...] = ()

    def take(self, indices: np.ndarray) -> Ratings:
        """Select pictures.

        Args:
            indices: Positions, int [M].

        Returns:
            Their ratings, in that order.
        """
        return replace(
            self,
            values=self.values[indices],
            spreads=self.spreads[indices],
            counts=self.counts[indices],
        )

    def only(self, indices: np.ndarray) -> Ratings:
        """Blank out what raters said of all other pictures.

        Args:
            indices: Positions of those that stay, int [M].

        Returns:
            As many ratings as before, NaN but for these.
        """
        is_blank = ~np.isin(np.arange(len(self.values)), indices)[:, None]
        values, spreads, counts = (
            np.where(is_blank, np.nan, each)
            for each in (self.values, self.spreads, self.counts)
        )
        return replace(self, values=values, spreads=spreads, counts=counts)

    @property
    def noise(self) -> np.ndarray:
        """Variance of each mean, float64 [N, T]; NaN where it is unknown."""
        return self.spreads**2 / self.counts

    def has_raters(self, target: int) -> bool:
        """Tell whether deviation and number of raters are known of every picture.

        Args:
            target: Which one.

        Returns:
            True if a ceiling can be computed.
        """
        return bool(np.isfinite(self.noise[:, target]).all())

    def text(self, position: int) -> str:
        """Say what raters said of a picture, so that a change can be told.

        Args:
            position: Of the picture.

        Returns:
            Means, and where they are known deviations and numbers of raters.
        """
        cells = zip(
            self.values[position],
            self.spreads[position],
            self.counts[position],
            strict=True,
        )
        return " ".join(
            f"{mean:g}" if np.isnan(spread) else f"{mean:g}±{spread:g}/{count:g}"
            for mean, spread, count in cells
        )


def ranges(values: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Divide ratings into ranges of equally many, which folds are balanced by.

    Args:
        values: Ratings, float [N].

    Returns:
        Number of each one's range, int32 [N], from the lowest, and what the ranges are
        called, by number. Equal ratings are in one range.
    """
    count = max(1, min(MOST_RANGES, len(values) // _FEWEST))
    steps = np.quantile(values, np.arange(1, count) / count)
    _, numbers = np.unique(
        np.searchsorted(steps, values, side="right"), return_inverse=True
    )
    names = [
        f"{values[numbers == k].min():g} to {values[numbers == k].max():g}"
        for k in range(int(numbers.max()) + 1)
    ]
    return numbers.astype("int32"), tuple(names)
