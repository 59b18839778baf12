"""Recipes by name, as data."""

from __future__ import annotations

from pixsent_tf.config import Recipe
from pixsent_tf.errors import ConfigError
from pixsent_tf.recipes.starters import BEST, DEFAULT, FINETUNED, SHIPPED, SHIPPED_BEST

_ALL = (DEFAULT, BEST, FINETUNED, SHIPPED, SHIPPED_BEST)
RECIPES = {recipe.name: recipe for recipe in _ALL}


def find_recipe(name: str) -> Recipe:
    """Look a recipe up.

    Args:
        name: A key of `RECIPES`.

    Returns:
        The recipe.

    Raises:
        ConfigError: If there is none of this name.
    """
    if name not in RECIPES:
        raise ConfigError(f"Unknown recipe {name!r}; there are {', '.join(RECIPES)}.")
    return RECIPES[name]
