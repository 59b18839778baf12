"""Comparing float32 values that were computed in two orders."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pixsent_tf.models.rounding import operations_of, rounding

__all__ = ["LITE0_OPERATIONS", "assert_close_float32", "operations_of", "rounding"]

LITE0_OPERATIONS = 12_000  # of the default backbone with its head


def assert_close_float32(
    found: ArrayLike,
    expected: ArrayLike,
    *,
    operations: int,
    scale: float | None = None,
) -> None:
    """Assert that only rounding tells values from those expected.

    Args:
        found: float32, any shape.
        expected: The same shape.
        operations: As in `rounding`; `operations_of` counts them for a network.
        scale: As in `rounding`; the largest expected value if None. Give it where
            larger values cancel on the way.
    """
    expected = np.asarray(expected)
    largest = float(np.abs(expected).max()) if scale is None else scale
    allowed = rounding(operations=operations, scale=largest)
    np.testing.assert_allclose(np.asarray(found), expected, rtol=0, atol=allowed)
