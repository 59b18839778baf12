"""How far may two computations of one network be apart, if nothing is wrong?

The order in which float32 values are added depends on the processor (AMX, AVX-512,
AVX2), the number of threads and the kernels (`TF_ENABLE_ONEDNN_OPTS`), so what one
machine never shows is right on another. The difference grows with the values and with
how many of them are added; no fixed number describes it.
"""

from __future__ import annotations

import math

import keras
import numpy as np

EPSILON = float(np.finfo("float32").eps)
# Roundings fall to both sides: n of them move a value as far as a walk of n steps, each
# of at most half an epsilon. Two walks are compared; what is left allows for bad luck.
STEPS = 4.0


def rounding(*, operations: int, scale: float) -> float:
    """Say how far two float32 results may be apart.

    Args:
        operations: How many roundings a value goes through one after the other: the
            terms of a sum, of the sums that its terms are, and so on.
        scale: The largest value that is added on the way.

    Returns:
        The largest difference that rounding explains, in the unit of `scale`.

    Example:
        >>> f"{rounding(operations=100, scale=65):.1g}"
        '0.0003'

    Reference:
        Higham and Mary, "A New Approach to Probabilistic Rounding Error Analysis",
        SIAM Journal on Scientific Computing 41 (2019), section 1.
    """
    return STEPS * EPSILON * math.sqrt(operations) * scale


def operations_of(model: keras.Model) -> int:
    """Count the terms that a network adds on the way from input to output.

    Args:
        model: A network, or one that holds networks.

    Returns:
        The sum over its kernels of the values that each of their outputs reads, and
        one for every vector beside them (bias, moments, scale).
    """
    total = 0
    for weight in model.weights:
        shape = tuple(weight.shape)
        last = 2 if "depthwise" in weight.path else len(shape) - 1
        total += math.prod(shape[:last]) if len(shape) > 1 else 1
    return total
