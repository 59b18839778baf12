"""Which settings of a recipe are worth searching?

The names of the hyperparameters are names of settings, so that a trial is a recipe with
a few settings changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras_tuner

from pixsent_tf.config import ModelConfig, Recipe, override, with_strategy
from pixsent_tf.config.networks import read_backbone
from pixsent_tf.errors import ConfigError
from pixsent_tf.models import zoo
from pixsent_tf.studies.search.settings import SearchConfig

THEIRS = "tuner/"  # how Keras Tuner names what is not a setting


def build_space(
    config: SearchConfig, *, has_agreement: bool = False, is_rated: bool = False
) -> keras_tuner.HyperParameters:
    """List what a trial may change.

    Args:
        config: Names backbones and strategies.
        has_agreement: Whether annotators agree more on some pictures than on others,
            which then may weigh more.
        is_rated: Whether ratings are learnt.

    Returns:
        Hyperparameters, named after the settings that they change.

    Raises:
        ConfigError: If there is no such backbone.
    """
    space = keras_tuner.HyperParameters()
    for backbone in config.backbones:
        zoo.preprocess_of(ModelConfig(backbone=backbone))  # refuses unknown names
    space.Choice("model.backbone", list(config.backbones))
    space.Choice("training.strategy", list(config.strategies))
    if has_agreement:
        space.Choice("data.example_weights", ["equal", "agreement"])
    if "head" in config.strategies:
        with space.conditional_scope("training.strategy", ["head"]):
            least, most = (0.01, 1000.0) if is_rated else (0.3, 300.0)
            space.Float("training.inverse_penalty", least, most, sampling="log")
            if all(map(_has_texture, config.backbones)):
                space.Boolean("model.texture")
    tuned = [name for name in config.strategies if name != "head"]
    if tuned:
        with space.conditional_scope("training.strategy", tuned):
            space.Float("training.learning_rate", 1e-5, 1e-3, sampling="log")
            space.Float("training.weight_decay", 1e-4, 1e-1, sampling="log")
            space.Choice("model.dropout", [0.0, 0.2, 0.5])
            space.Choice("training.min_area_fraction", [1.0, 0.5])
            space.Choice("training.mixup", [0.0, 0.2])
            if is_rated:
                space.Choice("training.rating_loss", ["squared", "huber"])
            else:
                space.Choice("training.label_smoothing", [0.0, 0.1])
            space.Choice("training.ema", [0.0, 0.95])
    if "last-blocks" in tuned:
        with space.conditional_scope("training.strategy", ["last-blocks"]):
            space.Choice("training.trained_fraction", [0.1, 0.2, 0.3])
            space.Boolean("training.head_first")
    return space


def _has_texture(backbone: str) -> bool:
    branches = read_backbone(backbone)
    return all(zoo.entry(branch.name).texture_layer for branch in branches)


def refuse_searched(config: SearchConfig, names: Iterable[str]) -> None:
    """Refuse settings that each trial would draw anew.

    Args:
        config: What is searched.
        names: Settings that were given a value.

    Raises:
        ConfigError: If the search draws one of them, or there is no such backbone.
    """
    drawn = {
        each.name
        for is_rated in (False, True)
        for each in build_space(config, has_agreement=True, is_rated=is_rated).space
    }
    for name in names:
        if name in drawn:
            raise ConfigError(
                f"--set {name} does nothing in a search, which draws it for each trial."
            )


def active_settings(hyperparameters: keras_tuner.HyperParameters) -> dict[str, Any]:
    """Read the settings of a trial.

    Args:
        hyperparameters: Of the trial.

    Returns:
        Values by the name of the setting, without those of strategies not chosen.
    """
    return {
        hyperparameter.name: hyperparameters.values[hyperparameter.name]
        for hyperparameter in hyperparameters.space
        if hyperparameters.is_active(hyperparameter)
        and hyperparameter.name in hyperparameters.values
        and not hyperparameter.name.startswith(THEIRS)
    }


def head_recipes(config: SearchConfig, recipe: Recipe) -> list[Recipe]:
    """Name every network whose features the heads of a search may need.

    Args:
        config: What is searched.
        recipe: What a trial starts from.

    Returns:
        A recipe for each pass over the pictures.
    """
    if "head" not in config.strategies:
        return []
    textures = [recipe.model.texture]
    if all(map(_has_texture, config.backbones)):
        textures = [False, True]
    return [
        override(
            with_strategy(recipe, "head"),
            {"model.backbone": backbone, "model.texture": texture},
        )
        for backbone in config.backbones
        for texture in textures
    ]
