"""Does what a verb tells have the keys, and the types, of its definition?"""

from __future__ import annotations

import types
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

from pixsent_tf.results.verbs import VERBS


def assert_told(verb: str, told: Any, *, case: int = 0) -> None:
    """Hold what a verb printed to its definition.

    Args:
        verb: Its name.
        told: What its `--json` printed, read back.
        case: Which of its definitions, where it has several.
    """
    faults = list(find_faults(told, VERBS[verb][case], verb))
    assert not faults, "; ".join(faults)


def find_faults(value: Any, hint: Any, where: str):
    """Name every place where a value is not what its type says."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return
    if is_typeddict(hint):
        yield from _find_faults_of_keys(value, hint, where)
    elif origin in (Union, types.UnionType):
        faults = [list(find_faults(value, one, where)) for one in arguments]
        if all(faults):
            yield from min(faults, key=len)
    elif origin is list and isinstance(value, list):
        for i, item in enumerate(value):
            yield from find_faults(item, arguments[0], f"{where}[{i}]")
    elif origin is dict and isinstance(value, dict):
        for key, item in value.items():
            yield from find_faults(key, arguments[0], f"{where}, a key")
            yield from find_faults(item, arguments[1], f"{where}.{key}")
    elif not _is_a(value, origin or hint):
        yield f"{where} is {value!r}, no {hint}"


def _find_faults_of_keys(value: Any, hint: Any, where: str):
    if not isinstance(value, dict):
        yield f"{where} is {value!r}, no object"
        return
    if missing := hint.__required_keys__ - set(value):
        yield f"{where} lacks {', '.join(sorted(missing))}"
    hints = get_type_hints(hint)
    for key, item in value.items():
        if key in hints:
            yield from find_faults(item, hints[key], f"{where}.{key}")
        else:
            yield f"{where} has {key}, which is not defined"


def _is_a(value: Any, kind: type) -> bool:
    if kind is float:  # JSON writes 1.0 and 1 alike
        kind = (int, float)
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, kind)
