"""How is a recipe changed, written and read again? By the names of its settings."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pixsent_tf.config.recipe import Recipe
from pixsent_tf.config.use import settings_made_idle, value_of, without_effect
from pixsent_tf.config.values import Checked, Kind, kinds_of, nearest
from pixsent_tf.errors import ConfigError

Part = TypeVar("Part", bound=Checked)


def override(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """Change a recipe by dotted names, all at once.

    Args:
        recipe: The recipe to start from.
        settings: Values by name, such as `{"training.strategy": "all"}`; a text is
            read as the type of the setting.

    Returns:
        A new recipe; the old one is unchanged.

    Raises:
        ConfigError: If a name does not exist, a value does not fit, or the changed
            recipe would not use it.

    Example:
        >>> changes = {"training.strategy": "all", "training.epochs": "3"}
        >>> override(Recipe(), changes).training.epochs
        3
    """
    tree: dict[str, Any] = {}
    for name, value in settings.items():
        part, _, last = _known(name).rpartition(".")
        branch = tree.setdefault(part, {}) if part else tree
        if isinstance(value, Checked):
            value = dict(vars(value))
        if isinstance(branch, dict):  # else it is refused for what it is
            branch[last] = _Text(value) if isinstance(value, str) else value
    return _apply(recipe, tree, "")


def with_strategy(recipe: Recipe, strategy: str) -> Recipe:
    """Change the strategy, and take back what the new one does not use.

    Args:
        recipe: The recipe to start from.
        strategy: One of `STRATEGIES`.

    Returns:
        The recipe of that strategy; settings without effect have their defaults.

    Raises:
        ConfigError: If there is no such strategy.
    """
    idle = settings_made_idle(recipe, strategy)
    return override(recipe, {**idle, "training.strategy": strategy})


def to_json(recipe: Recipe) -> str:
    """Write a recipe as JSON, every setting included.

    Args:
        recipe: Any recipe.

    Returns:
        Text that `from_json` reads back to an equal recipe.
    """
    return json.dumps(dataclasses.asdict(recipe), indent=2) + "\n"


def from_json(text: str) -> Recipe:
    """Read a recipe that `to_json` wrote.

    What does nothing in a recipe that was written whole was not chosen: it had its
    default, which may have been another then, and has today's.

    Args:
        text: The JSON text; settings that are left out take their defaults.

    Returns:
        The recipe.

    Raises:
        ConfigError: If the text is no JSON object, names an unknown setting, or holds
            a value that does not fit or has no effect.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"The recipe is not JSON: {error}.") from None
    if not isinstance(values, dict):
        raise ConfigError(f"A recipe is a JSON object; this one is {values!r:.40}.")
    return _apply(Recipe(), _without_idle(values), "")


def _without_idle(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what has no effect, where every part is there: it was written whole."""
    if not values.keys() >= kinds_of(Recipe).keys():
        return values

    def value(name: str) -> Any:
        part, _, last = name.rpartition(".")
        owner = values.get(part) if part else values
        usual = value_of(Recipe(), name)
        return owner.get(last, usual) if isinstance(owner, dict) else usual

    idle = set(without_effect(value))
    return {
        part: {last: owner[last] for last in owner if f"{part}.{last}" not in idle}
        if isinstance(owner, dict)
        else owner
        for part, owner in values.items()
    }


def differences(there: Recipe, here: Recipe) -> list[str]:
    """Name the settings in which two recipes differ.

    Args:
        there: The one.
        here: The other.

    Returns:
        A text for each, such as `training.epochs: 5 there, 6 here`.
    """
    found = []
    for name in setting_names():
        one, other = (
            functools.reduce(getattr, name.split("."), r) for r in (there, here)
        )
        if one != other:
            found.append(f"{name}: {one!r} there, {other!r} here")
    return found


@functools.cache
def setting_names() -> tuple[str, ...]:
    """List the settings of a recipe.

    Returns:
        Their dotted names, in order.
    """
    return tuple(_names(Recipe, ""))


def kind_of_setting(name: str) -> Kind:
    """Tell what a setting may hold.

    Args:
        name: One of `setting_names()`.

    Returns:
        Its kind.
    """
    kinds, (*parts, last) = kinds_of(Recipe), name.split(".")
    for part in parts:
        kinds = kinds_of(kinds[part].type)
    return kinds[last]


@dataclasses.dataclass(frozen=True)
class _Text:
    """A value that was typed, not made: it is still to be read."""

    text: str


def _apply(part: Part, values: Mapping[str, Any], prefix: str) -> Part:
    """Replace fields of a part; an object stands for the fields of a part in it."""
    kinds, changes = kinds_of(type(part)), {}
    for name, value in values.items():
        if name not in kinds:
            raise _unknown(prefix + name)
        if isinstance(value, Mapping) and issubclass(kinds[name].type, Checked):
            value = _apply(getattr(part, name), value, f"{prefix}{name}.")
        changes[name] = kinds[name].read(value.text) if _is_text(value) else value
    return dataclasses.replace(part, **changes)  # type: ignore[type-var]


def _is_text(value: Any) -> bool:
    return isinstance(value, _Text)


def _known(name: str) -> str:
    """Refuse a name that is neither a setting's nor a part's."""
    parts = {one.rpartition(".")[0] for one in setting_names()}
    if name not in (*setting_names(), *parts):
        raise _unknown(name)
    return name


def _names(cls: type, prefix: str) -> Iterator[str]:
    for name, kind in kinds_of(cls).items():
        if issubclass(kind.type, Checked):
            yield from _names(kind.type, f"{prefix}{name}.")
        else:
            yield prefix + name


def _unknown(name: str) -> ConfigError:
    by_last = {known.rpartition(".")[2]: known for known in setting_names()}
    meant = by_last.get(name.rpartition(".")[2])
    hint = f"; the nearest is {meant!r}" if meant else nearest(name, setting_names())
    return ConfigError(f"No setting {name!r}{hint}.")
