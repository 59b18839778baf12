"""How does a seed decide random weights, and nothing else in the process?

Keras asks Python's generator for the seed of every layer that was given none. What
else in the process draws random numbers must not notice that a network was built.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let layers that are made in the block draw their weights from a seed.

    Args:
        seed: Any whole number; the same one gives the same weights.

    Yields:
        Nothing; the generator is afterwards as it was before.
    """
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
