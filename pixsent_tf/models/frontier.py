"""Where does what training changes begin? A network in two parts, cut there.

The lower part gives the same activations of a crop as long as its layers are frozen,
so that they can be computed once and kept. The cut may cross several branches: behind
a residual block it takes one tensor, within a block also the one that is added later,
and of networks that are joined what each gives of its own frozen layers.
"""

from __future__ import annotations

from typing import Any

import keras


def cut(network: keras.Model) -> tuple[keras.Model, keras.Model] | None:
    """Cut a network where the first layers come that training changes.

    Args:
        network: Functional model with one input; `trainable` says what changes. Models
            inside it are cut too.

    Returns:
        The frozen part, from the input to one tensor or several, and the rest, from
        these to the output; layers and weights are those of the network. None where
        no layer with weights is frozen before the first that changes.
    """
    found = _Cut(network)
    outputs = [found.above(tensor) for tensor in network.outputs]
    below, inputs = list(found.below.values()), list(found.inputs.values())
    if not below or any(tensor is network.input for tensor in below):
        return None
    frozen = keras.Model(network.input, _packed(below), name="frozen_part")
    if not frozen.weights:
        return None
    return frozen, keras.Model(_packed(inputs), _packed(outputs), name="trained_part")


class _Cut:
    """The graph of a network above the cut, built from the outputs down.

    Args:
        network: The network.

    Attributes:
        below: The tensors that are cut through, by their identity.
        inputs: What stands for them above.
    """

    def __init__(self, network: keras.Model) -> None:
        self.below: dict[int, keras.KerasTensor] = {}
        self.inputs: dict[int, keras.KerasTensor] = {}
        self._above: dict[int, keras.KerasTensor] = {}
        self._is_fixed = {id(network.input): True}

    def above(self, tensor: keras.KerasTensor) -> keras.KerasTensor:
        """Give what stands for a tensor above the cut."""
        if self._fixed(tensor):
            return self._entry(tensor)
        if id(tensor) not in self._above:
            node = _node_of(tensor)
            made = keras.tree.flatten(self._repeat(node))
            self._above |= zip(map(id, node.output_tensors), made, strict=True)
        return self._above[id(tensor)]

    def _repeat(self, node: Any) -> Any:
        """Call an operation above the cut; a model inside by its upper part only."""
        operation, inputs = node.operation, node.input_tensors
        if isinstance(operation, keras.Model) and all(map(self._fixed, inputs)):
            parts = cut(operation)
            if parts is not None:
                (crops,) = inputs
                seen = keras.tree.flatten(parts[0](crops))
                return parts[1](_packed([self._entry(each) for each in seen]))
        known = {id(tensor): self.above(tensor) for tensor in inputs}
        args, kwargs = node.arguments.fill_in(known)
        return operation(*args, **kwargs)

    def _entry(self, tensor: keras.KerasTensor) -> keras.KerasTensor:
        """Give the input that stands for a tensor which is cut through."""
        if id(tensor) not in self.inputs:
            self.below[id(tensor)] = tensor
            shape, dtype = tensor.shape[1:], tensor.dtype
            self.inputs[id(tensor)] = keras.Input(shape, dtype=dtype)
        return self.inputs[id(tensor)]

    def _fixed(self, tensor: keras.KerasTensor) -> bool:
        """Tell whether a tensor is the same in every step, crop by crop."""
        if id(tensor) not in self._is_fixed:
            node = _node_of(tensor)
            fixed = not _changes(node.operation)
            fixed = fixed and all(map(self._fixed, node.input_tensors))
            self._is_fixed[id(tensor)] = fixed
        return self._is_fixed[id(tensor)]


def _node_of(tensor: keras.KerasTensor) -> Any:
    """Find the call of an operation that gave a tensor."""
    operation, node, _ = tensor._keras_history
    return operation._inbound_nodes[node]


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


def _packed(tensors: list[keras.KerasTensor]) -> Any:
    """Give one tensor as it is, several as a tuple."""
    return tensors[0] if len(tensors) == 1 else tuple(tensors)
