"""Which network does the surgery of a recipe leave?

    fc7-2          the new head takes the place of fc7 and of all behind it
    fc7-4096       raw: fc7 loses its ReLU, and its own units are the classes
    fc8-1000       raw likewise, with the network's first classifier
    fc8-1000+fc9   the new head stands behind the first classifier

In a raw network the data's classes are the first units; the others never come true.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras

from pixsent_tf.config import ModelConfig
from pixsent_tf.errors import ConfigError
from pixsent_tf.models import surgery, zoo
from pixsent_tf.models.caffenet import CROP_SIZE, ORDERS, build_caffenet
from pixsent_tf.models.weights import load_weights

ADDED = "+fc9"
CLASSIFIER = "fc8"


@dataclass(frozen=True)
class Change:
    """A surgery, read.

    Attributes:
        layer: The layer that the surgery is about.
        units: How many units end there.
        is_added: Whether the new head stands behind this layer, not in its place.
    """

    layer: str
    units: int
    is_added: bool

    @classmethod
    def parse(cls, text: str) -> Change:
        """Read a surgery.

        Args:
            text: One of the forms that the module's top shows.

        Returns:
            What it asks for.

        Raises:
            ConfigError: If it has another form.
        """
        layer, _, units = text.removesuffix(ADDED).rpartition("-")
        is_added = text.endswith(ADDED)
        known = layer == CLASSIFIER or (layer and not is_added)
        if not (known and units.isdecimal() and int(units) > 0):
            raise ConfigError(
                f"No surgery {text!r}; there are {', '.join(surgery.ABLATIONS)}, "
                f"fc8-1000{ADDED} and their like."
            )
        return cls(layer, int(units), is_added)

    def is_raw(self, num_classes: int) -> bool:
        """Tell whether the network's own units are the classes.

        Args:
            num_classes: K.

        Returns:
            Whether no new head is needed.
        """
        return not self.is_added and self.units != num_classes


def is_raw(model: ModelConfig, num_classes: int) -> bool:
    """Tell whether a network ends in units of its own, without a new head.

    Args:
        model: Names the network and its surgery.
        num_classes: K.

    Returns:
        Whether it does.

    Raises:
        ConfigError: If there is no such surgery.
    """
    return model.surgery is not None and Change.parse(model.surgery).is_raw(num_classes)


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
        ConfigError: If there is no such backbone or surgery, or they do not go
            together.
        WeightsError: If the weights are missing or do not fit.
    """
    if model.surgery is None:
        return zoo.build_backbone(model, seed=seed)
    change = Change.parse(model.surgery)
    if change.layer == CLASSIFIER:
        network = _with_classifier(model, change.units, seed)
        return network if change.is_added else _renamed(network)
    network = zoo.build_backbone(model, seed=seed)
    # Checks the layer, and copies it without its ReLU where its own width is asked.
    ablated = surgery.ablate(network, f"{change.layer}-{change.units}", seed=seed)
    layer = network.get_layer(change.layer)
    if not change.is_raw(num_classes):
        return keras.Model(network.input, layer.input, name=network.name)
    if change.units != layer.units or change.units < num_classes:
        raise ConfigError(
            f"{model.surgery!r} fits neither the {num_classes} classes nor the "
            f"{layer.units} units of {change.layer}."
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
    order, _, size = model.backbone.partition("@")
    if order not in ORDERS:
        raise ConfigError(
            f"{model.backbone} has no {CLASSIFIER}; {model.surgery!r} is for "
            f"{' and '.join(ORDERS)}."
        )
    side = int(size) if size.isdecimal() else CROP_SIZE
    network = build_caffenet(side, units, order=order, seed=seed)
    if model.weights is not None:
        load_weights(network, model.weights, skip=("fc9",))
    return network
