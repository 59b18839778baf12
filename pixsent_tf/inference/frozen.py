"""What does a network that no longer changes say about these files?

The engine is the fastest that is there:

    paths -> canvases -> crops of a view -> engine -> outputs
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.inference import engine
from pixsent_tf.inference.sweep import Look, Sweep, View, score_views
from pixsent_tf.progress import NO_PROGRESS, Progress


class Frozen:
    """A network that no longer changes; what is done to it meanwhile is not seen.

    Args:
        network: Model from crops, [B, S, S, 3] 0..255, to one or several outputs.
        preprocessor: Its geometry.
    """

    def __init__(self, network: keras.Model, preprocessor: Preprocessor) -> None:
        self.network = network
        self.preprocessor = preprocessor
        self._forward: Look | None = None
        self._planned = 0

    def forward(self, num_examples: int) -> Look:
        """Give a pass through the network, compiled once.

        Args:
            num_examples: How many pictures will pass.

        Returns:
            See `engine.forward`.
        """
        is_worth_more = self._planned < engine.FEWEST <= num_examples
        if self._forward is None or is_worth_more:
            self._forward = engine.forward(self.network, num_examples)
            self._planned = num_examples
        return self._forward


class FrozenSweep(Sweep):
    """Pictures on their way through a network that no longer changes.

    Args:
        frozen: The network.
        paths: The files.
        view: None for the outputs of the center crop, [B, ...]; else those of each
            crop of the view, [B, V, F], of a network with one output.
        after: What is done to the outputs of each batch.
        batch_size: Pictures a batch; the last may be smaller.
        progress: Hears how far it is.
        what: What it is for, in a word.
    """

    def __init__(
        self,
        frozen: Frozen,
        paths: Sequence[str],
        *,
        view: View | None = None,
        after: Callable[[Any], Any] | None = None,
        batch_size: int = 32,
        progress: Progress = NO_PROGRESS,
        what: str = "reading",
    ) -> None:
        super().__init__(
            paths,
            frozen.preprocessor,
            self._look_at,
            batch_size=batch_size,
            progress=progress,
            what=what,
        )
        self._frozen, self._view, self._after = frozen, view, after

    def _look_at(self, canvases: Any) -> Any:
        forward = self._frozen.forward(len(self._stream.paths))
        preprocessor = self._frozen.preprocessor
        if self._view is None:
            outputs = forward(preprocessor.center_crop(canvases))
        else:
            outputs = score_views(forward, preprocessor, canvases, self._view)
        return outputs if self._after is None else self._after(outputs)
