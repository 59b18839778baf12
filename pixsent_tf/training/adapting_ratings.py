"""How does a trained head of ratings become one for other pictures, from a few?

    rating = middle + scale * (what the model says - middle) + shift
             + standardized features @ kernel

Candidates and priors are those of `adapting`, in units of the errors that the model is
known for; the strength of the kernel's prior is chosen by inner folds, since how much
of it is worth moving depends on how far the pictures are from those that trained.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from pixsent_tf.config.scales import Scale
from pixsent_tf.training.adapting import (
    AS_IS,
    HEAD,
    SCALE,
    SCALE_DEVIATION,
    SHIFT_DEVIATION,
    Head,
    Loss,
    Standard,
    choose,
    compare_losses,
    move,
    repeated_folds,
)

KERNEL_DEVIATIONS = (
    0.03,
    0.1,
    0.3,
    1.0,
)  # to choose from, of features as in `adapting`


@dataclass(frozen=True)
class AdaptedRatings:
    """What became of a head of ratings.

    Attributes:
        choice: One of `adapting.CANDIDATES`.
        head: The head to answer with.
        losses: Of the candidates, in the order of `CANDIDATES`: squared errors, in
            units of the errors that the model is known for.
        inner: What the chosen candidate said about ratings that did not train it,
            float64 [N, T].
    """

    choice: str
    head: Head
    losses: tuple[Loss, ...]
    inner: np.ndarray


def adapt_ratings(
    head: Head,
    features: np.ndarray,
    ratings: np.ndarray,
    *,
    scale: Scale,
    errors: np.ndarray,
    standard: Standard,
    ranges: np.ndarray,
    units: np.ndarray,
    seed: int = 0,
) -> AdaptedRatings:
    """Move a head to where some ratings are, as far as they tell.

    Args:
        head: As it was trained elsewhere.
        features: Of the rated pictures, float [N, F].
        ratings: What raters said, float [N, T].
        scale: The lowest and the highest rating there can be.
        errors: Standard deviation of the errors that the head is known for, [T].
        standard: Of the collection that the pictures are from.
        ranges: Range of each picture's rating, which folds are balanced by, int [N].
        units: Pictures that belong together share a number, int [N]; they share an
            inner fold.
        seed: Of the inner folds.

    Returns:
        The head, what was chosen, and by which numbers.

    Raises:
        DataError: If units tie the pictures together.
    """
    with threadpool_limits(1):
        scaled = standard(features)
        # rotated onto principal axes, as wide as there are ratings, nothing changes
        _, _, axes = np.linalg.svd(scaled, full_matrices=False)
        told = _Told(
            head.logits(features).astype("float64"),
            ratings.astype("float64"),
            scaled @ axes.T,
            sum(scale) / 2,
            errors,
        )
        folds = repeated_folds(ranges, units, seed)
        inner = told.inner_answers(folds)
        deviation = min(
            KERNEL_DEVIATIONS,
            key=lambda one: told.squares(inner[one].clip(*scale)).mean(),
        )
        of_name = {AS_IS: inner[None], SCALE: inner[0.0], HEAD: inner[deviation]}
        each = {
            name: told.squares(answers.clip(*scale))
            for name, answers in of_name.items()
        }
        losses = compare_losses(each, units)
        choice = choose(losses)
        if choice == AS_IS:
            return AdaptedRatings(choice, head, losses, of_name[choice][0])
        change = told.fit(
            np.ones(len(ratings), bool), deviation if choice == HEAD else 0.0
        )
        kernel = axes.T @ change.kernel if choice == HEAD else None
    shift = change.shift + told.middle * (1 - change.scale)
    moved = move(head, standard, change.scale, shift, kernel)
    return AdaptedRatings(choice, moved, losses, of_name[choice][0])


@dataclass(frozen=True)
class _Change:
    """What moves: scale [T], shift [T] and kernel [D, T]."""

    scale: np.ndarray
    shift: np.ndarray
    kernel: np.ndarray


@dataclass(frozen=True)
class _Told:
    """What raters and a head say of pictures.

    Attributes:
        said: By the head as it was, float64 [N, T].
        ratings: By raters, float64 [N, T].
        seen: Rotated features, float64 [N, D].
        middle: Of the scale.
        errors: Unit of each target's errors, [T].
    """

    said: np.ndarray
    ratings: np.ndarray
    seen: np.ndarray
    middle: float
    errors: np.ndarray

    def squares(self, answers: np.ndarray) -> np.ndarray:
        """Squared error of each picture, over repeats and targets, float [N]."""
        return (((answers - self.ratings) / self.errors) ** 2).mean(axis=(0, 2))

    def inner_answers(self, folds: np.ndarray) -> dict[float | None, np.ndarray]:
        """Answers to pictures that did not train, [R, N, T].

        By the deviation of the kernel: None moves nothing, 0 no kernel.
        """
        shape = (len(folds), *self.said.shape)
        found: dict[float | None, np.ndarray] = {
            None: np.broadcast_to(self.said, shape)
        }
        for deviation in (0.0, *KERNEL_DEVIATIONS):
            found[deviation] = np.zeros(shape)
            for row, dealt in zip(found[deviation], folds, strict=True):
                for fold in np.unique(dealt):
                    test = dealt == fold
                    row[test] = self.answers(self.fit(~test, deviation), test)
        return found

    def fit(self, train: np.ndarray, deviation: float) -> _Change:
        """Find the likeliest change, given the priors, on some pictures, bool [N]."""
        seen = self.seen[train] if deviation else self.seen[train][:, :0]
        each = [
            self._fit_target(k, train, seen, deviation)
            for k in range(self.said.shape[1])
        ]
        return _Change(
            1 + np.array([one[0] for one in each]),
            np.array([one[1] for one in each]),
            np.stack([one[2:] for one in each], axis=1),
        )

    def _fit_target(
        self, k: int, train: np.ndarray, seen: np.ndarray, deviation: float
    ) -> np.ndarray:
        unit = self.errors[k]
        off = self.said[train, k] - self.middle
        inputs = np.column_stack([off, np.ones(len(off)), seen])
        deviations = np.full(inputs.shape[1], deviation * unit)
        deviations[:2] = SCALE_DEVIATION, SHIFT_DEVIATION * unit
        left = self.ratings[train, k] - self.said[train, k]
        prior = np.diag((unit / deviations) ** 2)
        return np.linalg.solve(inputs.T @ inputs + prior, inputs.T @ left)

    def answers(self, change: _Change, test: np.ndarray) -> np.ndarray:
        """What a changed head says of some pictures, float [n, T]."""
        off = self.said[test] - self.middle
        found = self.middle + change.scale * off + change.shift
        return found + self.seen[test][:, : len(change.kernel)] @ change.kernel
