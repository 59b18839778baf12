"""Which settings of a recipe are worth searching?

The names of the hyperparameters are names of settings, so that a trial is a recipe with
a few settings changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import keras_tuner

from pixsent_tf.config import STRATEGIES, ModelConfig, Recipe, override
from pixsent_tf.errors import ConfigError
from pixsent_tf.models import zoo

TUNERS = ("random", "hyperband", "bayesian")
DEFAULT_TRIALS = 12
THEIRS = "tuner/"  # how Keras Tuner names what is not a setting


@dataclass(frozen=True)
class SearchConfig:
    """What is searched, and how long.

    Attributes:
        tuner: How the next trial is chosen.
        trials: Number of trials of each search; None for the default, and for
            Hyperband, which counts its own.
        backbones: What the network may be.
        strategies: What may be trained.
        num_inner_folds: How many of five inner folds score a trial; None for all of
            them where only heads are trained, else for one.
        nested: Search once for each outer fold and test on it; else search once, and
            train the model that is kept.
    """

    tuner: Literal["random", "hyperband", "bayesian"] = "random"
    trials: int | None = None
    backbones: tuple[str, ...] = ("efficientnet_lite0", "efficientnet_lite0@320")
    strategies: tuple[str, ...] = ("head",)
    num_inner_folds: int | None = None
    nested: bool = True

    def __post_init__(self) -> None:
        if self.tuner not in TUNERS:
            raise ConfigError(
                f"Unknown tuner {self.tuner!r}; it is one of {', '.join(TUNERS)}."
            )
        if self.tuner == "hyperband" and self.trials is not None:
            raise ConfigError(
                "Hyperband counts its own trials, by the epochs of the longest; leave "
                "--trials out and set --epochs."
            )
        if self.trials is not None and self.trials < 1:
            raise ConfigError(f"{self.trials} trials find nothing; ask for 1 or more.")
        for strategy in self.strategies:
            if strategy not in STRATEGIES:
                raise ConfigError(
                    f"Unknown strategy {strategy!r}; it is one of "
                    f"{', '.join(STRATEGIES)}."
                )
        if not self.backbones or not self.strategies:
            raise ConfigError("A search needs a backbone and a strategy to try.")
        if self.num_inner_folds is not None and not 1 <= self.num_inner_folds <= 5:
            raise ConfigError(
                f"num_inner_folds={self.num_inner_folds} is not in 1 to 5."
            )

    @property
    def max_trials(self) -> int:
        """Trials of a search that does not count its own."""
        return self.trials or DEFAULT_TRIALS

    @property
    def scored_folds(self) -> int:
        """Inner folds that score a trial."""
        return self.num_inner_folds or (5 if self.strategies == ("head",) else 1)


def build_space(
    config: SearchConfig, *, has_agreement: bool = False
) -> keras_tuner.HyperParameters:
    """List what a trial may change.

    Args:
        config: Names backbones and strategies.
        has_agreement: Whether annotators agree more on some pictures than on others,
            which then may weigh more.

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
            space.Float("training.inverse_penalty", 0.3, 300.0, sampling="log")
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
    if "last-blocks" in tuned:
        with space.conditional_scope("training.strategy", ["last-blocks"]):
            space.Choice("training.trained_fraction", [0.1, 0.3, 0.6])
    return space


def _has_texture(backbone: str) -> bool:
    names = [branch.partition("@")[0] for branch in backbone.split("+")]
    return all(zoo.entry(name).texture_layer for name in names)


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
            recipe,
            {
                "model.backbone": backbone,
                "model.texture": texture,
                "training.strategy": "head",
            },
        )
        for backbone in config.backbones
        for texture in textures
    ]
