"""May a setting have this value?

The annotation of a setting says its type, its range and its choices; `Checked` holds
every field of a frozen dataclass to its annotation, whoever makes the value. Nothing is
converted but what loses nothing: 1 for 1.0, a list for a tuple.

    @dataclass(frozen=True)
    class Course(Checked, prefix="course."):
        epochs: Count = 10

    Course(epochs=3.7)  ->  course.epochs=3.7 is no whole number of 1 or more.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import math
import numbers
import os
import reprlib
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pixsent_tf.errors import ConfigError

_MISFIT = object()
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80


@dataclass(frozen=True)
class Range:
    """Where a number must lie; a bound that is None does not bind.

    Attributes:
        least: Smallest number that is allowed.
        most: Largest number that is allowed.
        above: Number that every allowed one exceeds.
        below: Number that every allowed one stays under.
    """

    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None

    def __contains__(self, number: float) -> bool:
        return (
            (self.least is None or number >= self.least)
            and (self.most is None or number <= self.most)
            and (self.above is None or number > self.above)
            and (self.below is None or number < self.below)
        )

    def __str__(self) -> str:
        if self.least is not None and self.most is not None:
            return f" from {self.least} to {self.most}"
        words = []
        if self.least is not None:
            words.append(f"of {self.least} or more")
        if self.above is not None:
            words.append(f"above {self.above}")
        if self.most is not None:
            words.append(f"at most {self.most}")
        if self.below is not None:
            words.append(f"below {self.below}")
        return f" {', '.join(words)}" if words else ""


Count = Annotated[int, Range(least=1)]
Whole = Annotated[int, Range(least=0)]
# Keras and scikit-learn take seeds of 32 bits; members of an ensemble count up from it
Seed = Annotated[int, Range(least=0, most=2**31 - 1)]
Fraction = Annotated[float, Range(least=0, most=1)]
Part = Annotated[float, Range(above=0, most=1)]
BelowOne = Annotated[float, Range(least=0, below=1)]
Positive = Annotated[float, Range(above=0)]
NotNegative = Annotated[float, Range(least=0)]


@dataclass(frozen=True)
class Kind:
    """What a setting may hold, as its annotation says it.

    Attributes:
        type: Of the value; `tuple` for a list of `items`.
        range: Of a number.
        options: The texts to choose from; empty where any will do.
        items: What a list holds: one kind for all items, or one for each of them.
        is_open: Whether a list has any number of items.
        is_optional: Whether None will do as well.
    """

    type: type
    range: Range = Range()
    options: tuple[str, ...] = ()
    items: tuple[Kind, ...] = ()
    is_open: bool = False
    is_optional: bool = False

    def fit(self, value: Any, name: str) -> Any:
        """Give a value as the type of the setting.

        Args:
            value: What came.
            name: Of the setting, for the message.

        Returns:
            The value; a whole number where a fraction may stand becomes one.

        Raises:
            ConfigError: If it has another type, is out of range or no choice.
        """
        if value is None and self.is_optional:
            return None
        if self.type is tuple:
            return self._fit_list(value, name)
        found = self._fit_one(value)
        if found is _MISFIT:
            raise ConfigError(f"{name}={_SHORT.repr(value)} is {self.refusal}.")
        return found

    def read(self, text: str) -> Any:
        """Read a text as far as it can be read; `fit` judges what comes out.

        Args:
            text: From a command line; lists are separated by commas.

        Returns:
            A value of the type of the setting, or the text.
        """
        if self.is_optional and text == "None":
            return None
        if self.type is bool:
            return {"true": True, "false": False}.get(text.lower(), text)
        if self.type in (int, float):
            return _read_number(text)
        if self.type is tuple and self.is_open:
            if text == "()":
                return ()
            return tuple(self.items[0].read(part.strip()) for part in text.split(","))
        return text

    def __str__(self) -> str:
        words = {
            bool: "true or false",
            int: f"whole number{self.range}",
            float: f"number{self.range}",
            str: " or ".join(self.options) or "text",
            Path: "path",
            tuple: "list" if self.is_open else f"list of {len(self.items)}",
        }.get(self.type, self.type.__name__)
        return f"{words}, or None" if self.is_optional else words

    @property
    def refusal(self) -> str:
        """What a value is that does not fit, in words."""
        if self.type is bool:
            words = "neither true nor false"
        elif self.options:
            words = f"none of {', '.join(self.options)}"
        else:
            words = f"no {dataclasses.replace(self, is_optional=False)}"
        return f"{words}, nor None" if self.is_optional else words

    def _fit_list(self, value: Any, name: str) -> tuple[Any, ...]:
        is_list = isinstance(value, (list, tuple))
        if not is_list or not (self.is_open or len(value) == len(self.items)):
            raise ConfigError(f"{name}={_SHORT.repr(value)} is {self.refusal}.")
        kinds = self.items * len(value) if self.is_open else self.items
        return tuple(
            kind.fit(item, f"{name}[{number}]")
            for number, (kind, item) in enumerate(zip(kinds, value, strict=True))
        )

    def _fit_one(self, value: Any) -> Any:
        if self.type in (int, float):
            number = _to_number(value, self.type)
            return number if number is not None and number in self.range else _MISFIT
        if self.type is Path and isinstance(value, (str, os.PathLike)):
            return Path(value)
        if not isinstance(value, self.type) or (
            self.options and value not in self.options
        ):
            return _MISFIT
        return value


@functools.cache
def kind_of(hint: Any) -> Kind:
    """Read an annotation.

    Args:
        hint: bool, int, float, str, Path or a class; a `Literal` of texts; one of
            these `Annotated` with a `Range`; a tuple of these; any of them or None.

    Returns:
        The same as a kind.
    """
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return dataclasses.replace(kind_of(parts[0]), range=parts[1])
    if origin is Literal:
        return Kind(str, options=parts)
    if origin in (typing.Union, types.UnionType):
        (one,) = (part for part in parts if part is not type(None))
        return dataclasses.replace(kind_of(one), is_optional=True)
    if origin is tuple:
        items = tuple(kind_of(part) for part in parts if part is not ...)
        return Kind(tuple, items=items, is_open=... in parts)
    return Kind(hint)


def kinds_of(cls: type) -> Mapping[str, Kind]:
    """Read the annotations of a dataclass.

    Args:
        cls: The class.

    Returns:
        What each field may hold, by its name, in order.
    """
    return _kinds_of(cls)


@functools.cache
def _kinds_of(cls: Any) -> Mapping[str, Kind]:
    hints = typing.get_type_hints(cls, include_extras=True)
    return {field.name: kind_of(hints[field.name]) for field in dataclasses.fields(cls)}


class Checked:
    """The root of frozen dataclasses that cannot hold what their annotations forbid.

    `prefix=` of the class statement stands before the names of its fields in messages.
    """

    _prefix: ClassVar[str] = ""

    def __init_subclass__(cls, *, prefix: str = "") -> None:
        super().__init_subclass__()
        cls._prefix = prefix

    def __post_init__(self) -> None:
        for name, kind in kinds_of(type(self)).items():
            value = kind.fit(getattr(self, name), self._prefix + name)
            object.__setattr__(self, name, value)  # frozen, and being made


def nearest(name: str, known: Iterable[str]) -> str:
    """Name what was probably meant.

    Args:
        name: What came.
        known: What there is.

    Returns:
        "; the nearest is X", or nothing where none is near.
    """
    found = difflib.get_close_matches(name, list(known), n=1)
    return f"; the nearest is {found[0]!r}" if found else ""


def _read_number(text: str) -> Any:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _to_number(value: Any, kind: type) -> Any:
    """Give a number as int or float; None where that would lose something."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    try:
        number = kind(value)
        return number if math.isfinite(number) and number == value else None
    except (OverflowError, ValueError):  # infinite, or no number at all
        return None
