"""What is one experiment, as plain data that cannot lie?

values     types, ranges and choices, checked where a value is made
networks   what the name of a backbone says, and of a surgery
prompts    which words stand for which class
recipe     `Recipe` and its parts
use        which settings have an effect, and which would do nothing
changes    by dotted names; to JSON and back
"""

from __future__ import annotations

from pixsent_tf.config.changes import (
    differences,
    from_json,
    override,
    to_json,
    with_strategy,
)
from pixsent_tf.config.recipe import (
    CLASS_NAMES,
    LEVELS,
    PROB,
    STRATEGIES,
    Balance,
    DataConfig,
    EvaluationConfig,
    Level,
    ModelConfig,
    PreprocessConfig,
    Recipe,
    Strategy,
    TrainingConfig,
)

__all__ = [
    "CLASS_NAMES",
    "LEVELS",
    "PROB",
    "STRATEGIES",
    "Balance",
    "DataConfig",
    "EvaluationConfig",
    "Level",
    "ModelConfig",
    "PreprocessConfig",
    "Recipe",
    "Strategy",
    "TrainingConfig",
    "differences",
    "from_json",
    "override",
    "to_json",
    "with_strategy",
]
