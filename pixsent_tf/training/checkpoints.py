"""What does a killed training go on from? The last state that is whole.

    FOLDER/epoch-00007.npz   everything after epoch 7; see `sealed`
    FOLDER/epoch-00006.npz   the one before, for when that one is damaged

They stay when the training ends: whoever keeps what it led to removes the folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.sealed import DamagedError, read_sealed, write_sealed

KEPT = 2


@dataclass(frozen=True)
class Chain:
    """The last states of one training.

    Attributes:
        folder: Holds them; it need not exist.
        progress: Hears of a state that is damaged.
    """

    folder: Path
    progress: Progress = NO_PROGRESS

    def save(
        self, epoch: int, arrays: Sequence[np.ndarray], values: Mapping[str, Any]
    ) -> None:
        """Keep a state, and forget all but the one before.

        Args:
            epoch: Number of epochs that are done.
            arrays: In an order that `load` keeps.
            values: What else there is; JSON can hold it.
        """
        named = {f"{number:05}": array for number, array in enumerate(arrays)}
        write_sealed(self.folder / f"epoch-{epoch:05}.npz", named, values)
        for path in self._paths()[KEPT:]:
            path.unlink(missing_ok=True)

    def load(
        self, shapes: Sequence[tuple[int, ...]]
    ) -> tuple[list[np.ndarray], dict[str, Any]] | None:
        """Give the last state that is whole.

        Args:
            shapes: Of the first arrays, in order; more may follow.

        Returns:
            Arrays and values, as they were saved; None where there are none.
        """
        paths = self._paths()
        for path, before in zip(paths, (*paths[1:], None), strict=False):
            try:
                named, values = read_sealed(path)
                arrays = [named[name] for name in sorted(named)]
                _check(arrays, shapes)
            except DamagedError as error:
                instead = "from the start" if before is None else f"from {before.name}"
                self.progress.say(
                    f"{path} is damaged: {error}; the training goes on {instead}."
                )
            else:
                return arrays, values
        return None

    def _paths(self) -> list[Path]:
        """The states, the last one first."""
        return sorted(self.folder.glob("epoch-*.npz"), reverse=True)


def _check(arrays: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]]) -> None:
    found = [array.shape for array in arrays[: len(shapes)]]
    if found != [tuple(shape) for shape in shapes]:
        raise DamagedError(
            f"it holds {len(arrays)} arrays that do not fit the {len(shapes)} of the "
            f"network and its optimizer"
        )
