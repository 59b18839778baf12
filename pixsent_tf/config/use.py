"""Which settings does a recipe use?

Most settings of a training say how weights descend, and a head on frozen features is
solved, not descended. A setting that would do nothing is refused where it is made.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pixsent_tf.errors import ConfigError

if TYPE_CHECKING:
    from pixsent_tf.config.recipe import Recipe

# Settings that have an option of their own on the command line
FLAGS = {
    "data.level": "--level",
    "data.images": "--images",
    "data.group": "--group",
    "data.labels": "--labels",
    "data.join_weight": "--join-weight",
    "data.num_folds": "--num-folds",
    "data.columns": "--columns",
    "data.classes": "--classes",
    "data.skip_unlabelled": "--skip-unlabelled",
    "data.target": "--target",
    "data.scale": "--scale",
    "data.threshold": "--threshold",
    "model.backbone": "--backbone",
    "model.weights": "--weights",
    "training.strategy": "--strategy",
    "training.epochs": "--epochs",
    "training.ensemble_size": "--ensemble-size",
    "evaluation.test_fraction": "--test-fraction",
    "seed": "--seed",
}


@dataclass(frozen=True)
class With:
    """What lets a setting have an effect: that another has one of some values.

    Attributes:
        setting: The other one.
        values: Any of these will do.
    """

    setting: str
    values: tuple[str | None, ...]


ALWAYS: None = None
DESCENT = With("training.strategy", ("last-blocks", "all", "lp-ft"))
NEW_HEAD = With("training.strategy", ("last-blocks", "all"))  # that starts at random
LAST_BLOCKS = With("training.strategy", ("last-blocks",))
ONE_NETWORK = With("model.surgery", (None,))

USES: dict[str, With | None] = {
    "name": ALWAYS,
    "seed": ALWAYS,
    "expected": ALWAYS,
    "data.source": ALWAYS,
    "data.level": ALWAYS,  # the source refuses those of the next that it does not know
    "data.images": ALWAYS,
    "data.group": ALWAYS,
    "data.labels": ALWAYS,
    "data.example_weights": ALWAYS,
    "data.join_weight": ALWAYS,
    "data.num_folds": ALWAYS,
    "data.balance": ALWAYS,
    "data.more_sources": ALWAYS,
    "data.columns": ALWAYS,
    "data.classes": ALWAYS,
    "data.skip_unlabelled": ALWAYS,
    "data.target": ALWAYS,
    "data.scale": ALWAYS,  # refused without a target
    "data.threshold": ALWAYS,  # the source refuses it where it holds no ratings
    "model.backbone": ALWAYS,
    "model.weights": ALWAYS,
    "model.crop_fraction": ALWAYS,
    "model.mirror": ONE_NETWORK,
    "model.texture": ONE_NETWORK,
    "model.words": ONE_NETWORK,
    "model.surgery": DESCENT,
    "model.dropout": DESCENT,
    "model.initializer_stddev": NEW_HEAD,
    "training.strategy": ALWAYS,
    "training.epochs": DESCENT,
    "training.batch_size": DESCENT,
    "training.optimizer": DESCENT,
    "training.learning_rate": DESCENT,
    "training.momentum": With("training.optimizer", ("caffe_sgd",)),
    "training.weight_decay": DESCENT,
    "training.schedule": DESCENT,
    "training.step_epochs": With("training.schedule", ("step",)),
    "training.head_multiplier": NEW_HEAD,
    "training.crop": DESCENT,
    "training.flip": DESCENT,
    "training.min_area_fraction": DESCENT,
    "training.jitter": DESCENT,
    "training.mixup": DESCENT,
    "training.trained_fraction": LAST_BLOCKS,
    "training.num_views": LAST_BLOCKS,
    "training.head_first": LAST_BLOCKS,
    "training.blend_head": DESCENT,
    "training.bottom_multiplier": With("training.strategy", ("lp-ft",)),
    "training.patience": DESCENT,
    "training.max_steps": DESCENT,
    "training.label_smoothing": DESCENT,
    "training.rating_loss": DESCENT,
    "training.ema": DESCENT,
    "training.freeze_normalization": DESCENT,
    "training.calibration_folds": DESCENT,
    "training.ensemble_size": ALWAYS,
    "training.inverse_penalty": With("training.strategy", ("head",)),
    "evaluation.test_fraction": ALWAYS,
    "evaluation.ten_crop": DESCENT,
}


def value_of(recipe: Recipe, setting: str) -> Any:
    """Look a setting up by its name.

    Args:
        recipe: Any recipe.
        setting: A dotted name.

    Returns:
        Its value.
    """
    value: Any = recipe
    for step in setting.split("."):
        value = getattr(value, step)
    return value


def changed(recipe: Recipe, settings: Iterable[str]) -> list[str]:
    """Tell which of some settings differ from their defaults.

    Args:
        recipe: Any recipe.
        settings: Dotted names.

    Returns:
        Those that differ, in the same order.
    """
    return [
        setting
        for setting in settings
        if value_of(recipe, setting) != _default_of(recipe, setting)
    ]


def unused(recipe: Recipe) -> list[str]:
    """Name the settings that do nothing in a recipe, though they were changed.

    Args:
        recipe: Any recipe.

    Returns:
        Dotted names of settings that differ from their default and have no effect.
    """
    return changed(recipe, without_effect(lambda name: value_of(recipe, name)))


def without_effect(value: Callable[[str], Any]) -> list[str]:
    """Name the settings that others make idle, changed or not.

    Args:
        value: Gives what a setting is, by its dotted name.

    Returns:
        Dotted names.
    """
    return [
        setting
        for setting, needed in USES.items()
        if needed is not None and value(needed.setting) not in needed.values
    ]


def refuse_unused(recipe: Recipe) -> None:
    """Refuse a recipe that says what it does not do.

    Args:
        recipe: Any recipe.

    Raises:
        ConfigError: If a setting was changed that has no effect.
    """
    idle = unused(recipe)
    if not idle:
        return
    needed = USES[idle[0]]
    assert needed is not None
    name, flag = needed.setting, FLAGS.get(needed.setting)
    values = _either(map(str, needed.values))
    title = f"{idle[0]} ({FLAGS[idle[0]]})" if idle[0] in FLAGS else idle[0]
    raise ConfigError(
        f"{title} does nothing with {name.rpartition('.')[2]} "
        f"{value_of(recipe, name)}; use {flag or f'--set {name}='}"
        f"{' ' if flag else ''}{values}."
    )


def settings_made_idle(recipe: Recipe, strategy: str) -> dict[str, Any]:
    """Tell what a strategy has no use for.

    Args:
        recipe: Any recipe.
        strategy: One that it might have.

    Returns:
        Defaults of the settings that the strategy, or another default, makes idle.
    """
    idle = {
        setting: _default_of(recipe, setting)
        for setting, needed in USES.items()
        if needed is not None
        and needed.setting == "training.strategy"
        and strategy not in needed.values
    }
    behind = {
        setting: _default_of(recipe, setting)
        for setting, needed in USES.items()
        if needed is not None
        and needed.setting in idle
        and idle[needed.setting] not in needed.values
    }
    return idle | behind


def _default_of(recipe: Recipe, setting: str) -> Any:
    part, _, name = setting.rpartition(".")
    owner = value_of(recipe, part)
    return next(f.default for f in dataclasses.fields(owner) if f.name == name)


def _either(values: Iterable[str]) -> str:
    *first, last = values
    return f"{', '.join(first)} or {last}" if first else last
