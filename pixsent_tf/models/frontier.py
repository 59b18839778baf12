"""Where does what training changes begin? A network in two parts, cut there.

The lower part gives the same activations of a crop as long as its layers are frozen,
so that they can be computed once and kept. The cut may cross several branches: behind
a residual block it takes one tensor, within a block also the one that is added later.
"""

from __future__ import annotations

from typing import Any

import keras


def cut(network: keras.Model) -> tuple[keras.Model, keras.Model] | None:
    """Cut a network where the first layers come that training changes.

    Args:
        network: Functional model with one input; `trainable` says what changes. A model
            inside it is taken as one layer.

    Returns:
        The frozen part, from the input to one tensor or several, and the rest, from
        these to the output; layers and weights are those of the network. None where
        nothing before the first changing layer is frozen.
    """
    fixed = _Fixed(network)
    frontier = fixed.frontier(network.output)
    if not frontier or any(tensor is network.input for tensor in frontier):
        return None
    between = frontier[0] if len(frontier) == 1 else tuple(frontier)
    lower = keras.Model(network.input, between, name="frozen_part")
    return lower, keras.Model(between, network.output, name="trained_part")


class _Fixed:
    """Tells which tensors of a network are the same in training, crop by crop.

    Args:
        network: The network.
    """

    def __init__(self, network: keras.Model) -> None:
        self._known: dict[int, bool] = {id(network.input): True}

    def __call__(self, tensor: keras.KerasTensor) -> bool:
        if id(tensor) not in self._known:
            operation, inputs = _made_by(tensor)
            self._known[id(tensor)] = not _changes(operation) and all(map(self, inputs))
        return self._known[id(tensor)]

    def frontier(self, output: keras.KerasTensor) -> list[keras.KerasTensor]:
        """List the fixed tensors that others take, each once."""
        found: dict[int, keras.KerasTensor] = {}
        waiting, seen = [output], set()
        while waiting:
            tensor = waiting.pop()
            if self(tensor):
                found[id(tensor)] = tensor
            elif id(tensor) not in seen:
                seen.add(id(tensor))
                waiting += _made_by(tensor)[1]
        return list(found.values())


def _made_by(tensor: keras.KerasTensor) -> tuple[Any, list[keras.KerasTensor]]:
    """Name the operation that gives a tensor, and what it takes."""
    operation, node, _ = tensor._keras_history
    return operation, operation._inbound_nodes[node].input_tensors


def _changes(operation: Any) -> bool:
    """Tell whether what it gives of the same input differs from step to step."""
    if not isinstance(operation, keras.layers.Layer):
        return False
    layers = [operation, *operation._flatten_layers(include_self=False)]
    return bool(operation.trainable_variables) or any(
        getattr(layer, "seed_generator", None) is not None
        or (isinstance(layer, keras.layers.BatchNormalization) and layer.trainable)
        for layer in layers
    )
