"""How did a search go? Each trial, the best so far, and what each setting did."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pixsent_tf.analysis.figures import ACCENT, FAINT, POSITIVE, SIZE, STYLE, to_svg

COLUMNS = 3
LOG_RATIO = 20  # a setting that spans more than this is drawn on a logarithmic axis


def search(rows: Sequence[Mapping[str, Any]]) -> str:
    """Draw the trials of all searches of a run.

    Args:
        rows: Completed trials, each with `fold`, `loss`, `is_winner` and
            `settings`, in the order of their start.

    Returns:
        SVG text: on top the inner loss of each trial and the best so far, one line
        for each search; below, the loss against each setting that took several values.
    """
    names = [
        name
        for name in dict.fromkeys(key for row in rows for key in row["settings"])
        if len({row["settings"].get(name) for row in rows} - {None}) > 1
    ]
    height = 1 + math.ceil(len(names) / COLUMNS)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(2 * SIZE[0], 2.4 * height), layout="constrained")
        grid = figure.add_gridspec(height, COLUMNS)
        _course(figure.add_subplot(grid[0, :]), rows)
        for number, name in enumerate(names):
            row, column = divmod(number, COLUMNS)
            _setting(figure.add_subplot(grid[1 + row, column]), rows, name)
        return to_svg(figure, "search")


def _course(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    for fold in dict.fromkeys(row["fold"] for row in rows):
        losses = [row["loss"] for row in rows if row["fold"] == fold]
        best = [min(losses[: i + 1]) for i in range(len(losses))]
        order = range(1, len(losses) + 1)
        axes.plot(order, losses, "o", color=FAINT, ms=4)
        axes.step(order, best, where="post", color=ACCENT, lw=1.5)
    axes.set(xlabel="trial", ylabel="inner loss")


def _setting(axes: Axes, rows: Sequence[Mapping[str, Any]], name: str) -> None:
    tried = [row for row in rows if name in row["settings"]]
    values = [row["settings"][name] for row in tried]
    is_number = all(
        isinstance(value, (int, float)) and not isinstance(value, bool)
        for value in values
    )
    if is_number:
        places, least = values, min(values)
        if least > 0 and max(values) / least > LOG_RATIO:
            axes.set_xscale("log")
    else:
        labels = sorted({str(value) for value in values})
        places = [labels.index(str(value)) for value in values]
        axes.set_xticks(range(len(labels)), labels, fontsize=7)
        axes.set_xlim(-0.5, len(labels) - 0.5)
    for row, place in zip(tried, places, strict=True):
        color = POSITIVE if row["is_winner"] else FAINT
        size = 6 if row["is_winner"] else 4
        axes.plot([place], [row["loss"]], "o", color=color, ms=size)
    axes.set(xlabel=name)
