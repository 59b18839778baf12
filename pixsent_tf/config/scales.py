"""What is a scale of ratings, and what goes together with ratings?"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

from pixsent_tf.errors import ConfigError

if TYPE_CHECKING:
    from pixsent_tf.config.recipe import DataConfig, Recipe

Scale: TypeAlias = tuple[float, float]


def read_scale(text: str) -> Scale:
    """Read a scale.

    Args:
        text: "LOW:HIGH".

    Returns:
        The lowest and the highest rating there can be.

    Raises:
        ConfigError: If that is no scale.

    Example:
        >>> read_scale("1:7")
        (1.0, 7.0)
    """
    try:
        low, high = map(float, text.split(":"))
    except ValueError:
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ConfigError(
            f"data.scale={text!r:.40} is no scale; write the lowest and the highest "
            f"rating, such as 1:7."
        )
    return low, high


def check_rated(data: DataConfig) -> None:
    """Refuse what does not go together with ratings.

    Args:
        data: What was asked for.

    Raises:
        ConfigError: If a scale or a setting has nothing to do, or a target is named
            twice or together with what is for classes.
    """
    if data.scale is not None:
        read_scale(data.scale)
        if not data.target:
            raise ConfigError(
                "data.scale (--scale) does nothing with target (); use --target and "
                "columns of ratings."
            )
    if not data.target:
        return
    twice = [name for name, count in Counter(data.target).items() if count > 1]
    if twice or "" in data.target:
        raise ConfigError(
            f"data.target (--target) names {twice[0] if twice else ''!r} "
            f"{'twice' if twice else 'as a column'}; name every column once."
        )
    for name, idle, flag in (
        ("labels", "hard", "--labels"),
        ("balance", "none", "--set data.balance"),
        ("threshold", None, "--threshold"),
        ("join_weight", 0.0, "--join-weight"),
        ("level", None, "--level"),
        ("more_sources", (), "a second source"),
    ):
        if getattr(data, name) != idle:
            raise ConfigError(
                f"data.{name} ({flag}) is for classes, and --target asks for ratings; "
                f"leave one of them out."
            )


def check_rated_recipe(recipe: Recipe) -> None:
    """Refuse what ratings are not learnt with.

    Args:
        recipe: What was asked for.

    Raises:
        ConfigError: If a setting does nothing, or nothing sensible, for ratings, or
            what is for ratings alone is asked of classes.
    """
    training = recipe.training
    if not recipe.data.target:
        if training.rating_loss != "squared":
            raise ConfigError(
                "training.rating_loss does nothing with classes; use --target and "
                "columns of ratings."
            )
        return
    for is_set, what in (
        (training.ensemble_size > 1, "training.ensemble_size averages logits"),
        (training.blend_head, "training.blend_head averages logits"),
        (training.label_smoothing > 0, "training.label_smoothing is about classes"),
        (recipe.model.surgery is not None, "model.surgery is about units of classes"),
    ):
        if is_set:
            raise ConfigError(f"{what}, and does nothing with --target; leave it out.")
    if training.strategy != "head" and not training.calibration_folds:
        raise ConfigError(
            "training.calibration_folds=0 leaves ratings without intervals; use 1 or "
            "more, which predict inner folds."
        )


def spread_of(half_width: float) -> float:
    """Turn an interval that holds nine of ten into a standard deviation.

    Args:
        half_width: Of the interval.

    Returns:
        That of the normal distribution that has nine tenths within it.
    """
    return max(half_width / 1.6448536, 1e-3)  # its quantile .95


def logistic_scale(half_width: float) -> float:
    """Turn an interval that holds nine of ten into a distribution.

    Args:
        half_width: Of the interval.

    Returns:
        Scale of the logistic distribution that has nine tenths within it.
    """
    return max(half_width / math.log(19), 1e-3)  # its quantile .95 is at log(.95 / .05)
