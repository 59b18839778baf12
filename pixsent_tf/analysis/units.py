"""What does one unit of a network look for?

Which pictures excite it most, where in them, and how far it can see.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from sklearn.manifold import TSNE

from pixsent_tf.errors import ConfigError


@dataclass(frozen=True)
class ReceptiveField:
    """The pixels that one cell of a layer depends on.

    Attributes:
        size: Side of the square, in pixels.
        stride: Pixels between the squares of neighboring cells.
        start: Left and top of the first cell's square, in pixels; negative where it
            begins in the padding.
    """

    size: int
    stride: int
    start: int

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Locate the square of a cell.

        Args:
            row: Of the cell.
            column: Of the cell.

        Returns:
            Left, top, right and bottom in pixels, the last two exclusive; it may reach
            over the borders.
        """
        left, top = (self.start + self.stride * i for i in (column, row))
        return left, top, left + self.size, top + self.size


def receptive_field(model: keras.Model, layer: str) -> ReceptiveField:
    """Compute how far a layer's cells see, from kernels, strides and padding.

    Args:
        model: Functional model that takes images.
        layer: Name of a layer with a height and a width.

    Returns:
        The receptive field; where branches meet, the square that holds all of theirs.

    Raises:
        ConfigError: If there is no such layer, or it has no height and width.
    """
    names = [known.name for known in model.layers]
    if layer not in names:
        raise ConfigError(f"{model.name} has no layer {layer!r}; it has {names}.")
    if len(model.get_layer(layer).output.shape) != 4:
        raise ConfigError(f"{layer} has no height and width, so it sees everything.")
    return _field(model.get_layer(layer), {})


def _field(layer: keras.Layer, known: dict[str, ReceptiveField]) -> ReceptiveField:
    if layer.name in known:
        return known[layer.name]
    if isinstance(layer, keras.layers.InputLayer):
        return ReceptiveField(1, 1, 0)
    inputs = keras.tree.flatten(layer.input)
    fields = [_field(x._keras_history.operation, known) for x in inputs]
    start = min(field.start for field in fields)
    end = max(field.start + field.size for field in fields)
    before = ReceptiveField(end - start, fields[0].stride, start)
    known[layer.name] = _through(layer, before, inputs[0].shape[1])
    return known[layer.name]


def _through(
    layer: keras.Layer, before: ReceptiveField, side: int | None
) -> ReceptiveField:
    """See one layer further back."""
    if isinstance(layer, keras.layers.ZeroPadding2D):
        shift = layer.padding[0][0] * before.stride
        return ReceptiveField(before.size, before.stride, before.start - shift)
    window = getattr(layer, "pool_size", None) or getattr(layer, "kernel_size", None)
    if window is None:
        return before
    kernel, stride = (int(np.ravel(x)[0]) for x in (window, layer.strides))
    padded = 0
    if getattr(layer, "padding", "valid") == "same" and side is not None:
        cells = -(-side // stride)
        padded = max((cells - 1) * stride + kernel - side, 0) // 2
    return ReceptiveField(
        size=before.size + (kernel - 1) * before.stride,
        stride=before.stride * stride,
        start=before.start - padded * before.stride,
    )


def top_images(
    activations: np.ndarray, unit: int, *, count: int = 5
) -> list[tuple[int, float, tuple[int, int] | None]]:
    """Find the pictures that excite one unit most.

    Args:
        activations: Of one layer, float [N, h, w, C] or [N, F].
        unit: Channel or feature.
        count: Number of pictures.

    Returns:
        Position of the picture, its activation, and row and column of the cell; the
        strongest first. The cell is None where the layer has no height and width.
    """
    of_unit = activations[..., unit]
    if of_unit.ndim == 1:
        order = np.argsort(-of_unit, kind="stable")[:count]
        return [(int(i), float(of_unit[i]), None) for i in order]
    flat = of_unit.reshape(len(of_unit), -1)
    strongest = flat.max(axis=1)
    found: list[tuple[int, float, tuple[int, int] | None]] = []
    for i in np.argsort(-strongest, kind="stable")[:count]:
        row, column = divmod(int(flat[i].argmax()), of_unit.shape[2])
        found.append((int(i), float(strongest[i]), (row, column)))
    return found


def tsne(features: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Lay pictures out on a plane, alike ones side by side.

    Args:
        features: float [N, F].
        seed: Of the layout.

    Returns:
        float32 [N, 2].

    Raises:
        ConfigError: If there are fewer than four pictures.

    Reference:
        van der Maaten and Hinton, "Visualizing Data using t-SNE", JMLR 9 (2008).
    """
    if len(features) < 4:
        raise ConfigError(
            f"{len(features)} pictures make no layout; give four or more."
        )
    perplexity = min(30.0, (len(features) - 1) / 3)
    layout = TSNE(perplexity=perplexity, init="pca", random_state=seed)
    return layout.fit_transform(features).astype("float32")
