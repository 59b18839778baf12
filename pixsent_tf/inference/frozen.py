"""What does a network that no longer changes say about these files?

The engine is the fastest that is there, and what is known already is not computed:

    paths -> canvases -> crops of a view -> engine -> outputs
    paths -> digests  -> features that were kept   -> outputs
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import keras
import numpy as np
import PIL

from pixsent_tf.data.copies.digests import hash_files
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.inference import engine, feature_cache
from pixsent_tf.inference.feature_cache import FeatureCache
from pixsent_tf.inference.sweep import Look, Sweep, View, score_views
from pixsent_tf.machine import max_feature_bytes
from pixsent_tf.progress import NO_PROGRESS, Progress

_METHOD = 1  # counts changes of what leads from a file to a network
_WIDEST = 2**14  # features of a picture that are worth their place on disk


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

    def cache(self, view: View) -> FeatureCache | None:
        """Open what is kept of the features that the network has given.

        Args:
            view: What it looked at.

        Returns:
            The features; None where its outputs are none, or none are to be kept.
        """
        output, max_bytes = self.network.output, max_feature_bytes()
        is_vector = isinstance(output, keras.KerasTensor) and len(output.shape) == 2
        if not max_bytes or not is_vector or output.shape[-1] > _WIDEST:
            return None
        key = f"{self._digest} {view}"
        return FeatureCache(hashlib.sha256(key.encode()).hexdigest()[:32], max_bytes)

    @cached_property
    def _digest(self) -> str:
        geometry = dataclasses.asdict(self.preprocessor.config)
        versions = f"pillow {PIL.__version__} {_METHOD}"
        return f"{engine.digest(self.network)} {geometry} {versions}"


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
            self._pass,
            batch_size=batch_size,
            progress=progress,
            what=what,
        )
        self._frozen, self._view, self._after = frozen, view, after
        self._batch_size = batch_size
        self._num_new = len(paths)
        self._cache: FeatureCache | None = None
        self._digests: list[str] = []

    def __iter__(self) -> Iterator[tuple[np.ndarray, Any]]:
        """Yield positions, int64 [B], and outputs, as arrays or named arrays."""
        if len(self._paths) >= feature_cache.FEWEST:
            self._cache = self._frozen.cache(self._view or "center")
        if self._cache:  # there is something in it
            self._digests = hash_files(self._paths, progress=self._progress)
        yield from super().__iter__()

    def _batches(self) -> Iterator[tuple[np.ndarray, Any]]:
        found = super()._batches() if self._cache is None else self._known_and_new()
        for positions, outputs in found:
            if self._view == "center":
                outputs = outputs[:, None]
            yield positions, outputs if self._after is None else self._after(outputs)

    def _known_and_new(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        assert self._cache is not None
        rows = self._rows(self._cache)
        try:
            while batch := list(itertools.islice(rows, self._batch_size)):
                positions, features = zip(*batch, strict=True)
                yield np.array(positions), np.stack(features)
        finally:
            self._cache.write()

    def _rows(self, cache: FeatureCache) -> Iterator[tuple[int, np.ndarray]]:
        """Position and features of each picture, in order."""
        is_known = [digest != "" and digest in cache for digest in self._digests]
        is_known += [False] * (len(self._paths) - len(is_known))
        new = self._compute(cache, [i for i, known in enumerate(is_known) if not known])
        ahead = next(new, None)
        for position, known in enumerate(is_known):
            if known:
                yield position, cache.recall(self._digests[position])
            elif ahead is not None and ahead[0] == position:
                yield ahead
                ahead = next(new, None)

    def _compute(
        self, cache: FeatureCache, positions: Sequence[int]
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Let the network see what is not known, and keep what it says."""
        if not positions:
            return
        self._num_new = len(positions)
        paths = [self._paths[position] for position in positions]
        sweep = Sweep(
            paths, self._frozen.preprocessor, self._pass, batch_size=self._batch_size
        )
        for places, features in sweep:
            # The files have just been read: hashing them now costs little.
            digests = hash_files([paths[place] for place in places])
            cache.keep(digests, features)
            self._note(sweep, positions)
            yield from zip(
                (positions[place] for place in places), features, strict=True
            )
        self._note(sweep, positions)

    def _note(self, sweep: Sweep, positions: Sequence[int]) -> None:
        count = len(self.failures)
        for place, error in itertools.islice(sweep.failures.items(), count, None):
            self.failures[positions[place]] = error

    def _pass(self, canvases: Any) -> Any:
        forward = self._frozen.forward(self._num_new)
        preprocessor = self._frozen.preprocessor
        if self._view == "ten_crop":
            return score_views(forward, preprocessor, canvases, "ten_crop")
        return forward(preprocessor.center_crop(canvases))
