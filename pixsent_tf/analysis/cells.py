"""What does a classifier say about each place of a picture? Logits, cell by cell.

Three ways, the most exact that the network allows:

convolutional  the classifier itself, its dense layers turned into convolutions
pooled         a linear layer behind pooled maps, or their texture, of one or several
               networks: the layer is moved in front of the pooling. The patches of a
               transformer are such maps; what its token 0 says, every cell says
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
from keras import ops

from pixsent_tf.errors import ConfigError
from pixsent_tf.models.joined import Mirror, Reduce, Texture
from pixsent_tf.models.surgery import to_fully_convolutional
from pixsent_tf.models.towers.reading import FirstToken

_PIXELS = (
    keras.layers.InputLayer,
    keras.layers.Normalization,
    keras.layers.Rescaling,
    Mirror,
    Reduce,
)


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
    shape = [None, None, None, 3]  # of pictures of any size
    traced = tf.function(
        lambda images: model(images, training=False),
        input_signature=[tf.TensorSpec(shape, tf.float32)],
    ).get_concrete_function()
    return lambda images: traced(tf.cast(images, tf.float32))


def _pooled(
    classifier: keras.Model, head: keras.layers.Dense
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Score every cell with the head's own kernel, over all maps it reads."""
    maps = _local_features(head.input)
    model = keras.Model(classifier.input, maps)
    kernel, bias = head.get_weights()
    kernels = tf.split(kernel, [x.shape[-1] for x in maps])
    largest = max(x.shape[1] for x in maps)

    @tf.function(reduce_retracing=True)
    def score(images: tf.Tensor) -> tf.Tensor:
        total = tf.constant(bias)
        found = keras.tree.flatten(model(images, training=False))
        for local, part in zip(found, kernels, strict=True):
            total += _resize(tf.einsum("bhwf,fk->bhwk", local, part), largest)
        return total  # [B, h, w, K]

    return score


def _resize(logits: tf.Tensor, side: int) -> tf.Tensor:
    """Bring a map to another grid without changing its mean."""
    if logits.shape[1] == side:
        return logits
    resized = tf.image.resize(logits, [side, side])
    lost = tf.reduce_mean(logits, [1, 2], keepdims=True)
    return resized + lost - tf.reduce_mean(resized, [1, 2], keepdims=True)


def _local_features(features: Any) -> list[Any]:
    """Spread features over the places that they come from.

    Args:
        features: Symbolic vector of features, [B, F].

    Returns:
        Symbolic maps, [B, h, w, F1], [B, h, w, F2], ...: the means over h and w are the
        features, in order.

    Raises:
        ConfigError: If a layer mixes places in a way that cannot be undone.
    """
    layer = features._keras_history.operation
    if isinstance(layer, keras.layers.GlobalAveragePooling2D):
        return [_upright(layer.input)]
    if isinstance(layer, (keras.layers.Dropout, keras.layers.Identity)):
        return _local_features(layer.input)
    if isinstance(layer, FirstToken):
        return [layer.output[:, None, None]]  # the picture's: every cell has all of it
    if isinstance(layer, keras.layers.Concatenate):
        parts = keras.tree.flatten(layer.input)
        return [local for part in parts for local in _local_features(part)]
    if isinstance(layer, keras.layers.Average):
        views = [_local_features(x) for x in keras.tree.flatten(layer.input)]
        return [sum(view) / len(view) for view in zip(*views, strict=True)]
    if isinstance(layer, keras.layers.UnitNormalization):
        # the length is the picture's, not the cell's
        length = ops.sqrt(ops.sum(ops.square(layer.input), axis=-1))
        length = ops.maximum(length, keras.config.epsilon())[:, None, None, None]
        return [local / length for local in _local_features(layer.input)]
    if isinstance(layer, Texture):
        return [_local_texture(_upright(layer.input))]
    if isinstance(layer, keras.Model):
        index = features._keras_history.tensor_index
        inner = keras.Model(layer.input, _local_features(layer.outputs[index]))
        found = keras.tree.flatten(inner(_source(features)))
        return [_mirrored_back(x, _source(features)) for x in found]
    raise ConfigError(f"{layer.name} stands between the maps and the head.")


def _local_texture(maps: Any) -> Any:
    """Spread mean and deviation over places: each has its share of the variance."""
    mean = ops.mean(maps, axis=[1, 2], keepdims=True)
    variances = ops.square(maps - mean)
    deviation = ops.sqrt(ops.mean(variances, axis=[1, 2], keepdims=True))
    shares = variances / ops.maximum(deviation, keras.config.epsilon())
    return ops.concatenate([maps, shares], axis=-1)


def _source(tensor: Any) -> Any:
    """What went into the call of a layer that gave a tensor."""
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index].input_tensors[0]


def _upright(maps: Any) -> Any:
    """Turn the map of a mirror image back, where it comes from a nested network."""
    if isinstance(maps._keras_history.operation, keras.Model):
        return _mirrored_back(maps, _source(maps))
    return maps


def _mirrored_back(maps: Any, source: Any) -> Any:
    is_mirrored = isinstance(source._keras_history.operation, Mirror)
    return ops.flip(maps, axis=2) if is_mirrored else maps


def _grad_cam(classifier: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    """Approximate the head by its gradient at the last map.

    Reference:
        Selvaraju et al., "Grad-CAM", ICCV 2017; without its ReLU, and shifted so that
        the mean over the cells is the classifier's own answer.
    """
    maps = [x for x in classifier.layers if len(getattr(x.output, "shape", ())) == 4]
    if not maps or isinstance(maps[-1], _PIXELS):
        raise ConfigError(
            f"{classifier.name} has no layer with a height and a width to map: its "
            f"network says one thing of the whole picture. Take one that averages over "
            f"places: of convolutions, a ViT, DINOv2 or DINOv3."
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
