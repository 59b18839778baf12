"""Which array of a file becomes which variable of a network?

Files of every kind move by rules that are data. Nothing is guessed: an array or a
variable left over, or a shape that does not fit, is an error, and nothing has changed
then.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from pixsent_tf.errors import WeightsError

Shape = tuple[int, ...]
_AT_MOST = 5  # misfits that a message lists


@dataclass(frozen=True)
class Rule:
    """Where an array goes.

    Attributes:
        source: Regular expression that its whole "layer/name" matches.
        target: The variable's "layer/name", with the groups of `source`.
        axes: The array's axes in the variable's order. Four speak of a kernel
            [out, in, h, w] and fit dense weights too, where what a map [in, h, w] was
            flattened to runs in this order. None: as they come.
    """

    source: str
    target: str
    axes: tuple[int, ...] | None = None


def place(
    model: keras.Model,
    arrays: Iterable[tuple[str, np.ndarray]],
    rules: Sequence[Rule],
    *,
    origin: str,
    skip: Sequence[str] = (),
) -> None:
    """Put arrays where they belong.

    Args:
        model: The network; it keeps its old weights if anything is raised.
        arrays: "layer/name" with the layer called as in `model`, and the numbers.
        rules: The first that fits a name counts.
        origin: What the arrays come from, as messages call it.
        skip: Layers left as they are, whatever `arrays` holds for them.

    Raises:
        WeightsError: If an array has no place, a variable gets none or several, a
            shape does not fit, or numbers are none.
    """
    places = {name: at for name, at in _places(model) if _layer(name) not in skip}
    placed: dict[str, np.ndarray] = {}
    misfits: dict[str, Shape] = {}
    left_over: dict[str, Shape] = {}
    for source, array in arrays:
        name, axes = _target(source, rules)
        if _layer(name or source) in skip:
            continue
        if name not in places:
            left_over[source] = array.shape
        elif name in placed or name in misfits:
            raise WeightsError(f"{origin} holds two arrays for {name}.")
        elif (turned := _turned(array, axes, *places[name])) is None:
            misfits[name] = array.shape
        else:
            placed[name] = turned
    wrong = [
        f"{name} expects {tuple(variable.shape)}, got {misfits.get(name, 'nothing')}"
        for name, (_, variable) in places.items()
        if name not in placed
    ]
    wrong += [f"{n} expects nothing, got {shape}" for n, shape in left_over.items()]
    _refuse(origin, wrong, placed)
    for name, (_, variable) in places.items():
        variable.assign(placed[name])


def _layer(name: str) -> str:
    return name.split("/")[0]


def _target(source: str, rules: Sequence[Rule]) -> tuple[str, Shape | None]:
    """Translate a name by the first rule that fits it whole; "" if none does."""
    for rule in rules:
        if match := re.fullmatch(rule.source, source):
            return match.expand(rule.target), rule.axes
    return "", None


def _places(
    model: keras.Model,
) -> Iterator[tuple[str, tuple[keras.layers.Layer, keras.Variable]]]:
    """Yield every weight by its "layer/name", those of models inside a model too."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _places(layer)
        else:
            yield from ((f"{layer.name}/{v.name}", (layer, v)) for v in layer.weights)


def _turned(
    array: np.ndarray,
    axes: Shape | None,
    layer: keras.layers.Layer,
    variable: keras.Variable,
) -> np.ndarray | None:
    """Turn an array's axes into Keras' order, if it fits.

    Files may write kernels flat, [out, in * h * w], and legacy ones write all shapes
    with four sides, the first of them one.
    """
    shape = tuple(variable.shape)
    if axes is None:
        return array if array.shape == shape else None
    if len(axes) == 4 and len(shape) == 2:
        shape = (*_flattened(layer), shape[1])
    if len(axes) != len(shape):
        return None
    seen = tuple(shape[axes.index(axis)] for axis in range(len(axes)))
    for sides in (seen, (seen[0], math.prod(seen[1:]))):
        if array.shape == (1,) * (array.ndim - len(sides)) + sides:
            return array.reshape(seen).transpose(axes).reshape(variable.shape)
    return None


def _flattened(layer: keras.layers.Layer) -> Shape:
    """Give the map [h, w, C] that a dense layer sees flattened, or [1, 1, F]."""
    before = layer.input._keras_history.operation
    while isinstance(before, keras.layers.Dropout):
        before = before.input._keras_history.operation
    if isinstance(before, keras.layers.Flatten) and len(before.input.shape) == 4:
        return tuple(before.input.shape[1:])
    return 1, 1, layer.input.shape[-1]


def _refuse(origin: str, wrong: list[str], placed: dict[str, np.ndarray]) -> None:
    """Refuse what does not fit, and numbers that are none."""
    if wrong:
        more = f"; and {len(wrong) - _AT_MOST} more" if len(wrong) > _AT_MOST else ""
        raise WeightsError(
            f"{origin} fits another network: {'; '.join(wrong[:_AT_MOST])}{more}. "
            "Name layers that should stay as they are in `skip`."
        )
    for name, array in placed.items():
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise WeightsError(f"{origin}: {name} holds values that are no numbers.")
