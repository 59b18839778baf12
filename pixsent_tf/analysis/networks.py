"""Which network is looked into? A trained model's, or a backbone as it comes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from pixsent_tf.config import ModelConfig
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import ConfigError
from pixsent_tf.inference.shipped import load_any_model
from pixsent_tf.models import zoo

STAGE = re.compile(r"(stage|conv|pool|norm|fc|block)_?\d+|features|head_relu")


@dataclass(frozen=True)
class Network:
    """A network whose layers can be looked at.

    Attributes:
        model: Takes crops.
        preprocessor: Its geometry.
    """

    model: keras.Model
    preprocessor: Preprocessor

    @property
    def stages(self) -> tuple[str, ...]:
        """The layers that have a public name, first to last."""
        names = [layer.name for layer in self.model.layers]
        return tuple(name for name in names if STAGE.fullmatch(name))

    @property
    def digest(self) -> str:
        """The sha256 of the values of its weights, by which it is known again."""
        digest = hashlib.sha256()
        for values in self.model.get_weights():
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()


def open_network(
    model: str | Path | None, backbone: str | None, weights: str | None = "imagenet"
) -> Network:
    """Open a trained model, or a backbone as it comes.

    Args:
        model: A run folder or a `.keras` file; None for a backbone.
        backbone: A name of `models.zoo`; None for a model.
        weights: Of the backbone.

    Returns:
        The network.

    Raises:
        ConfigError: If both or none are given, or the backbone is unknown.
        WeightsError: If there is no such model, or the weights do not fit.
    """
    if (model is None) == (backbone is None):
        raise ConfigError("Give either --model RUN or --backbone NAME.")
    if model is not None:
        trained = load_any_model(model)
        return Network(trained.classifier, trained.preprocessor)
    assert backbone is not None
    config = ModelConfig(backbone=backbone, weights=weights)
    preprocessor = Preprocessor(zoo.preprocess_of(config))
    return Network(zoo.build_backbone(config), preprocessor)
