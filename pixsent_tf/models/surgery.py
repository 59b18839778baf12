"""How is one network made from another, with its weights?

Every function takes a functional model and returns a new one. Unless it says otherwise
the new model shares its layers, and so its weights, with the old one: training one
trains both. Layers are asked for by name.

Reference:
    Campos et al., "From Pixels to Sentiment", Image and Vision Computing 65, 2017,
    sections 3.2 to 3.5.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras

from pixsent_tf.config.networks import Surgery
from pixsent_tf.config.values import nearest
from pixsent_tf.errors import ConfigError

_POOLED = (keras.layers.Flatten, keras.layers.GlobalAveragePooling2D)
_PER_CELL = (
    keras.layers.Activation,
    keras.layers.Dense,
    keras.layers.Dropout,
    keras.layers.Identity,
    keras.layers.ReLU,
    keras.layers.Softmax,
)


def features(model: keras.Model, layers: Sequence[str]) -> keras.Model:
    """Return the activations of named layers.

    Args:
        model: The network.
        layers: Names, such as ("conv5", "fc7").

    Returns:
        A model from the same input to a dictionary: name -> activation, [B, h, w, C]
        or [B, F].

    Raises:
        ConfigError: If the network has no such layer.
    """
    return keras.Model(
        model.input, {name: _layer(model, name).output for name in layers}
    )


def ablate(model: keras.Model, change: Surgery, *, seed: int = 0) -> keras.Model:
    """End a network at an earlier dense layer.

    "fc7-2" puts a new layer of two units in the place of fc7. Where the number is the
    layer's own width, as in "fc7-4096", it is a raw ablation: the layer keeps its
    weights and loses its ReLU, and its units are the classes. "fc8-1000" so asks for a
    network with its first classifier.

    Args:
        model: The network.
        change: Names the layer and the units.
        seed: What the weights of a new layer are drawn from.

    Returns:
        A model from the same input to logits [B, units]. A new layer is called after
        the ablation; in a raw one the last layer is a copy with the old name.

    Raises:
        ConfigError: If the network has no such dense layer.
    """
    layer = _layer(model, change.layer)
    if not isinstance(layer, keras.layers.Dense):
        raise ConfigError(f"{change.layer} is not dense; ablate a dense layer.")
    if change.units != layer.units:
        head = _new_head(change.units, str(change), seed)
        return keras.Model(model.input, head(layer.input), name=model.name)
    raw = keras.layers.Dense.from_config({**layer.get_config(), "activation": None})
    ablated = keras.Model(model.input, raw(layer.input), name=model.name)
    raw.set_weights(layer.get_weights())
    return ablated


def to_fully_convolutional(model: keras.Model) -> keras.Model:
    """Free a classifier from its input size: a larger image gives a map of scores.

    Dense layers become convolutions with the same numbers. What was flattened is
    covered by a kernel of the map's size; what was averaged over the map becomes a
    1x1 convolution on every cell.

    What is promised: for a network that flattens, like CaffeNet, an input of the
    crop's own size gives one cell, equal to the classifier's output up to rounding.
    In a larger input a cell equals the crop at its place only where no layer pads with
    zeros; CaffeNet's conv2 to conv5 do, so there it is only close. For a network that
    averages (EfficientNet-Lite) with one linear layer behind, the mean of the map's
    logits equals the classifier's logits, at every input size.

    Args:
        model: The network, from images to [B, K] through one `Flatten` or
            `GlobalAveragePooling2D` and only dense layers, dropout and activations
            behind it.

    Returns:
        A model of its own, weights copied, from images [B, H, W, C] of any size to
        [B, h, w, K]. Layers keep their names.

    Raises:
        ConfigError: If something else stands between the map and the output.
    """
    behind, pooling = _head(model)
    flattened = isinstance(pooling, keras.layers.Flatten)
    window = tuple(pooling.input.shape[1:3]) if flattened else (1, 1)
    first = next((x for x in behind if isinstance(x, keras.layers.Dense)), None)

    def convert(layer: keras.Layer) -> keras.Layer:
        if layer is pooling:
            return keras.layers.Identity(name=layer.name)
        if layer in behind and isinstance(layer, keras.layers.Dense):
            return _convolution(layer, window if layer is first else (1, 1))
        return layer.__class__.from_config(layer.get_config())

    name = model.input._keras_history.operation.name
    images = keras.Input((None, None, model.input.shape[-1]), name=name)
    clone = keras.models.clone_model(model, images, clone_function=convert)
    for layer in model.layers:
        twin = clone.get_layer(layer.name)
        shapes = [tuple(weight.shape) for weight in twin.weights]
        twin.set_weights(
            [
                weight.reshape(shape)
                for weight, shape in zip(layer.get_weights(), shapes, strict=True)
            ]
        )
    return clone


def _head(model: keras.Model) -> tuple[list[keras.Layer], keras.Layer]:
    """Return the layers behind the map, in order, and the layer that ends the map."""
    behind: list[keras.Layer] = []
    nested = next((x for x in model.layers if isinstance(x, keras.Model)), None)
    if nested is not None:
        raise ConfigError(
            f"{model.name} cannot become convolutional: {nested.name} is a network of "
            f"its own, of one size."
        )
    layer = model.output._keras_history.operation
    while isinstance(layer, _PER_CELL) and len(layer.input.shape) == 2:
        behind.insert(0, layer)
        layer = layer.input._keras_history.operation
    if not isinstance(layer, _POOLED) or len(layer.input.shape) != 4:
        raise ConfigError(
            f"{model.name} cannot become convolutional: {layer.name} "
            f"({type(layer).__name__}) stands between the map and the output."
        )
    return behind, layer


def _convolution(dense: keras.layers.Dense, window: tuple[int, int]) -> keras.Layer:
    """Build a convolution that computes in one place what a dense layer does."""
    return keras.layers.Conv2D(
        dense.units,
        window,
        activation=dense.activation,
        use_bias=dense.use_bias,
        name=dense.name,
        dtype=dense.dtype_policy,
    )


def _new_head(units: int, name: str, seed: int) -> keras.layers.Dense:
    """Build the paper's new last layer: N(0, 0.01), biases zero, no activation."""
    initializer = keras.initializers.RandomNormal(stddev=0.01, seed=seed)
    return keras.layers.Dense(units, kernel_initializer=initializer, name=name)


def _layer(model: keras.Model, name: str) -> keras.Layer:
    names = [layer.name for layer in model.layers]
    if name not in names:
        meant = nearest(name, names)
        raise ConfigError(f"{model.name} has no layer {name!r}{meant}; it has {names}.")
    return model.get_layer(name)
