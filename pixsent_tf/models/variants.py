"""Which network does the surgery of a recipe leave? `config.networks` names them.

In a raw network the data's classes are the first units; the others never come true.
"""

from __future__ import annotations

import keras

from pixsent_tf.config import ModelConfig
from pixsent_tf.config.networks import CLASSIFIER
from pixsent_tf.errors import ConfigError
from pixsent_tf.models import surgery, zoo
from pixsent_tf.models.caffenet import CROP_SIZE, ORDERS, build_caffenet
from pixsent_tf.models.weights import load_weights


def is_raw(model: ModelConfig, num_classes: int) -> bool:
    """Tell whether a network ends in units of its own, without a new head.

    Args:
        model: Names the network and its surgery.
        num_classes: K.

    Returns:
        Whether it does.
    """
    return model.change is not None and model.change.is_raw(num_classes)


def build_trunk(model: ModelConfig, num_classes: int, *, seed: int = 0) -> keras.Model:
    """Build what stands before the new head, with its starting weights.

    Args:
        model: Names the backbone, its weights and its surgery.
        num_classes: K.
        seed: Of weights that start at random.

    Returns:
        Model from `crops` to features, float32 [B, F]; of a raw network, to logits
        [B, units], of which the first K are the classes.

    Raises:
        ConfigError: If there is no such backbone, or it has no such layer.
        WeightsError: If the weights are missing or do not fit.
    """
    change = model.change
    if change is None:
        return zoo.build_backbone(model, seed=seed)
    if change.layer == CLASSIFIER:
        network = _with_classifier(model, change.units, seed)
        return network if change.is_added else _renamed(network)
    network = zoo.build_backbone(model, seed=seed)
    # Checks the layer, and copies it without its ReLU where its own width is asked.
    ablated = surgery.ablate(network, change, seed=seed)
    layer = network.get_layer(change.layer)
    if not change.is_raw(num_classes):
        return keras.Model(network.input, layer.input, name=network.name)
    if change.units != layer.units or change.units < num_classes:
        raise ConfigError(
            f"model.surgery={model.surgery!r} fits neither the {num_classes} classes "
            f"nor the {layer.units} units of {change.layer}."
        )
    return _renamed(ablated)


def keep_classes(network: keras.Model, num_classes: int) -> keras.Model:
    """Leave the units away that stand for no class.

    Args:
        network: From crops to logits, [B, K or more].
        num_classes: K.

    Returns:
        The same network where it has no others; else one that shares its layers and
        ends in a copy of the first K units, called as every head is.
    """
    if network.output.shape[-1] == num_classes:
        return network
    last = network.output._keras_history.operation
    head = keras.layers.Dense(num_classes, dtype="float32", name=zoo.HEAD)
    kept = keras.Model(network.input, head(last.input), name="classifier")
    head.set_weights([weight[..., :num_classes] for weight in last.get_weights()])
    return kept


def _renamed(network: keras.Model) -> keras.Model:
    return keras.Model(network.input, network.output, name="classifier")


def _with_classifier(model: ModelConfig, units: int, seed: int) -> keras.Model:
    """Build a network with the classifier that its weights were trained with."""
    (branch,) = model.branches
    if branch.name not in ORDERS:
        raise ConfigError(
            f"{branch.name} has no {CLASSIFIER}; {model.surgery!r} is for "
            f"{' and '.join(ORDERS)}."
        )
    side = branch.size or CROP_SIZE
    network = build_caffenet(side, units, order=branch.name, seed=seed)
    if model.weights is not None:
        load_weights(network, model.weights, skip=("fc9",))
    return network
