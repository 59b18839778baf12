"""What must training know of a tower? Where its blocks are, and what must not move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import keras

# KerasHub keeps DINOv2's positions twice, reads pictures by these, and fills them from
# the others whenever a file is loaded: what training made of them would be lost.
REFILLED = "interpolated_position_embeddings"


def blocks_of(layer: keras.layers.Layer) -> Iterator[keras.layers.Layer]:
    """Open a layer that only holds a stack of blocks, as the encoder of a ViT does.

    Args:
        layer: Any layer.

    Yields:
        What it holds, in order, if at least two of that are blocks of one kind and it
        has no weights beside them; else the layer itself.
    """
    inner = list(_inside(layer))
    kinds = Counter(type(one) for one in inner if any(_inside(one)))
    theirs = {id(weight) for one in inner for weight in one.weights}
    is_stack = max(kinds.values(), default=0) > 1
    if is_stack and theirs.issuperset(map(id, layer.weights)):
        for one in inner:
            yield from blocks_of(one)
    else:
        yield layer


def hold_positions(model: keras.Model) -> None:
    """Keep from training what a saved model could not bring back.

    Args:
        model: Any model; its layers have been told already whether they learn.
    """
    for weight in model.weights:
        if weight.name == REFILLED:
            weight.trainable = False


def _inside(layer: Any) -> Iterator[keras.layers.Layer]:
    """The layers that a layer holds itself, in order."""
    yield from layer._flatten_layers(include_self=False, recursive=False)
