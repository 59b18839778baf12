"""What is searched, and what does each trial start from?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pixsent_tf.config import Recipe, Strategy, override, with_strategy
from pixsent_tf.config.networks import read_backbone
from pixsent_tf.config.use import changed, settings_made_idle
from pixsent_tf.config.values import Checked, Count, Range
from pixsent_tf.errors import ConfigError

Tuner = Literal["random", "hyperband", "bayesian"]
MAX_INNER_FOLDS = 5
InnerFolds = Annotated[int, Range(least=1, most=MAX_INNER_FOLDS)]
DEFAULT_TRIALS = 12


@dataclass(frozen=True)
class SearchConfig(Checked):
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

    tuner: Tuner = "random"
    trials: Count | None = None
    backbones: tuple[str, ...] = ("efficientnet_lite0", "efficientnet_lite0@320")
    strategies: tuple[Strategy, ...] = ("head",)
    num_inner_folds: InnerFolds | None = None
    nested: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tuner == "hyperband" and self.trials is not None:
            raise ConfigError(
                "Hyperband counts its own trials, by the epochs of the longest; leave "
                "--trials out and set --epochs."
            )
        for backbone in self.backbones:
            read_backbone(backbone)
        if not self.backbones or not self.strategies:
            raise ConfigError("A search needs a backbone and a strategy to try.")

    @property
    def max_trials(self) -> int:
        """Trials of a search that does not count its own."""
        return self.trials or DEFAULT_TRIALS

    @property
    def scored_folds(self) -> int:
        """Inner folds that score a trial."""
        all_or_one = MAX_INNER_FOLDS if self.strategies == ("head",) else 1
        return self.num_inner_folds or all_or_one


def trial_recipe(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """Make the recipe of a trial.

    Args:
        recipe: What every trial starts from; what the trial's strategy does not use is
            taken back.
        settings: What the trial changes, its strategy as a rule among them.

    Returns:
        What to train.

    Raises:
        ConfigError: If a setting does not exist or does not fit.
    """
    strategy = settings.get("training.strategy", recipe.training.strategy)
    return override(with_strategy(recipe, strategy), settings)


def refuse_unsearched(config: SearchConfig, recipe: Recipe) -> None:
    """Refuse a start that says what no trial does.

    Args:
        config: Names the strategies.
        recipe: What a trial starts from.

    Raises:
        ConfigError: If a setting was changed that none of the strategies uses.
    """
    idle = [
        set(changed(recipe, settings_made_idle(recipe, strategy)))
        for strategy in config.strategies
    ]
    for name in sorted(set.intersection(*idle)):
        raise ConfigError(
            f"{name} does nothing in a search over the strategies "
            f"{', '.join(config.strategies)}; add one that uses it to --strategies."
        )


def name_loss(recipe: Recipe) -> str:
    """Say what decides between trials.

    Args:
        recipe: What a trial starts from.

    Returns:
        A few words.
    """
    return "RMSE in deviations" if recipe.data.target else "log loss"
