"""What does a classifier say about each place of a picture? Logits, cell by cell.

Three ways, the most exact that the network allows:

convolutional  the classifier itself, its dense layers turned into convolutions
pooled         a linear layer behind pooled maps of one or several networks: the layer
               is moved in front of the pooling, which changes no number
grad-cam       any other head: its linear approximation by the gradient

In all of them the mean over the cells equals the classifier's logits, except for
networks that flatten (CaffeNet), where only a map of one cell does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from pixsent_tf.errors import ConfigError
from pixsent_tf.models.joined import Mirror
from pixsent_tf.models.surgery import to_fully_convolutional


@dataclass(frozen=True)
class CellScorer:
    """Scores the cells of square images.

    Attributes:
        kind: "convolutional", "pooled" or "grad-cam".
        score: From images, uint8 or float [B, S, S, 3], to logits, float32
            [B, h, w, K].
        any_size: Whether S may be larger than the crops of the classifier.
        crop_size: Side of these crops, in pixels.
        flattens: Whether a map of more than one cell is an approximation.
    """

    kind: str
    score: Callable[[tf.Tensor], tf.Tensor]
    any_size: bool
    crop_size: int
    flattens: bool = False


def build_cell_scorer(classifier: keras.Model) -> CellScorer:
    """Turn a classifier into one that answers for every cell.

    Args:
        classifier: Functional model from crops to logits, [B, K].

    Returns:
        The scorer; it has copies of the weights, or shares them.

    Raises:
        ConfigError: If the network has no layer with a height and a width.
    """
    crop_size = classifier.input.shape[1]
    try:
        model = to_fully_convolutional(classifier)
    except ConfigError:
        pass
    else:
        flattens = any(isinstance(x, keras.layers.Flatten) for x in classifier.layers)
        return CellScorer(
            "convolutional", _compiled(model), True, crop_size, flattens=flattens
        )
    head = classifier.output._keras_history.operation
    if isinstance(head, keras.layers.Dense):
        try:
            return CellScorer("pooled", _pooled(classifier, head), False, crop_size)
        except ConfigError:
            pass
    return CellScorer("grad-cam", _grad_cam(classifier), False, crop_size)


def _compiled(model: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    return tf.function(
        lambda images: model(images, training=False), reduce_retracing=True
    )


@dataclass(frozen=True)
class _PooledMap:
    """A map, [B, h, w, C], of which the features are the mean.

    `activations` is a symbolic tensor of the classifier's graph.
    """

    activations: Any
    start: int
    share: float = 1.0
    mirrored: bool = False


def _pooled(
    classifier: keras.Model, head: keras.layers.Dense
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Score every cell with the head's own kernel, over all maps it reads."""
    maps = _pooled_maps(head.input, 0)
    model = keras.Model(classifier.input, [m.activations for m in maps])
    kernel, bias = head.get_weights()
    largest = max(m.activations.shape[1] for m in maps)

    @tf.function(reduce_retracing=True)
    def score(images: tf.Tensor) -> tf.Tensor:
        found = model(images, training=False)
        found = found if isinstance(found, (list, tuple)) else [found]
        total = tf.constant(bias)
        for pooled, activations in zip(maps, found, strict=True):
            part = kernel[pooled.start : pooled.start + activations.shape[-1]]
            logits = pooled.share * tf.einsum("bhwc,ck->bhwk", activations, part)
            if pooled.mirrored:
                logits = tf.reverse(logits, axis=[2])
            total += _resize(logits, largest)  # [B, h, w, K]
        return total

    return score


def _resize(logits: tf.Tensor, side: int) -> tf.Tensor:
    """Bring a map to another grid without changing its mean."""
    if logits.shape[1] == side:
        return logits
    resized = tf.image.resize(logits, [side, side])
    lost = tf.reduce_mean(logits, [1, 2], keepdims=True)
    return resized + lost - tf.reduce_mean(resized, [1, 2], keepdims=True)


def _pooled_maps(tensor: Any, start: int) -> list[_PooledMap]:
    """Find the maps whose means stand side by side in a vector of features."""
    layer = tensor._keras_history.operation
    if isinstance(layer, keras.layers.GlobalAveragePooling2D):
        return [_PooledMap(layer.input, start)]
    if isinstance(layer, keras.layers.Dropout):
        return _pooled_maps(layer.input, start)
    if isinstance(layer, keras.layers.Concatenate):
        found = []
        for part in keras.tree.flatten(layer.input):
            found += _pooled_maps(part, start)
            start += part.shape[-1]
        return found
    if isinstance(layer, keras.layers.Average):
        parts = keras.tree.flatten(layer.input)
        found = [m for part in parts for m in _pooled_maps(part, start)]
        share = 1 / len(parts)
        return [
            _PooledMap(m.activations, m.start, m.share * share, m.mirrored)
            for m in found
        ]
    if isinstance(layer, keras.Model):
        return _inside(tensor, layer, start)
    raise ConfigError(f"{layer.name} stands between the maps and the head.")


def _inside(tensor: Any, network: keras.Model, start: int) -> list[_PooledMap]:
    """Find them inside a network that is a layer of another."""
    inner = _pooled_maps(network.output, start)
    node = network._inbound_nodes[tensor._keras_history.node_index]
    (source,) = node.input_tensors
    mirrored = isinstance(source._keras_history.operation, Mirror)
    exposed = keras.Model(network.input, [m.activations for m in inner])
    outputs = exposed(source)
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    return [
        _PooledMap(output, m.start, m.share, m.mirrored != mirrored)
        for output, m in zip(outputs, inner, strict=True)
    ]


def _grad_cam(classifier: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    """Approximate the head by its gradient at the last map.

    Reference:
        Selvaraju et al., "Grad-CAM", ICCV 2017; without its ReLU, and shifted so that
        the mean over the cells is the classifier's own answer.
    """
    maps = [x for x in classifier.layers if len(getattr(x.output, "shape", ())) == 4]
    if not maps or isinstance(maps[-1], keras.layers.InputLayer):
        raise ConfigError(
            f"{classifier.name} has no layer with a height and a width to map."
        )
    model = keras.Model(classifier.input, [maps[-1].output, classifier.output])
    num_classes = classifier.output.shape[-1]

    @tf.function(reduce_retracing=True)
    def score(images: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape(persistent=True) as tape:
            pixels = tf.cast(images, tf.float32)
            tape.watch(pixels)
            activations, logits = model(pixels, training=False)
            each = [logits[:, k] for k in range(num_classes)]
        cells = []
        for one in each:
            gradient = tape.gradient(one, activations)  # [B, h, w, C]
            weights = tf.reduce_sum(gradient, axis=[1, 2], keepdims=True)
            cells.append(tf.reduce_sum(weights * activations, axis=-1))
        stacked = tf.stack(cells, axis=-1)  # [B, h, w, K]
        mean = tf.reduce_mean(stacked, axis=[1, 2], keepdims=True)
        return stacked - mean + logits[:, None, None]

    return score
