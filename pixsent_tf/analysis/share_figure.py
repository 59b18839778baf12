"""How do shares of a class look, cell by cell, with their intervals?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from pixsent_tf.analysis.figures import ACCENT, FAINT, NEGATIVE, POSITIVE
from pixsent_tf.results.shares import Cell

PALE = 0.35  # opacity of what is not corrected
WIDTHS = (4.4, 12.0)  # inches, least and most
COLORS = {"negative": NEGATIVE, "positive": POSITIVE}


def draw(cells: Sequence[Cell]) -> Figure:
    """Draw shares: a panel for each class, one only where the second is the rest.

    Args:
        cells: In the order in which they stand from left to right.

    Returns:
        The figure: corrected shares with their intervals, plain ones pale beside them.
    """
    classes = list(cells[0]["shares"])
    shown = classes[:1] if len(classes) == 2 else classes
    width = min(max(1.6 + 0.55 * len(cells), WIDTHS[0]), WIDTHS[1])
    style: Any = {"axes.spines.top": False, "axes.spines.right": False, "font.size": 10}
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(width, 3.2 * len(shown)), layout="constrained")
        panels = figure.subplots(len(shown), squeeze=False)[:, 0]
        for axes, name in zip(panels, shown, strict=True):
            _panel(axes, cells, name)
    return figure


def _panel(axes: Axes, cells: Sequence[Cell], name: str) -> None:
    color = COLORS.get(name, ACCENT)
    positions = range(len(cells))
    shares = [cell["shares"][name] for cell in cells]
    for x, cell, share in zip(positions, cells, shares, strict=True):
        if share["plain"] is not None:
            axes.plot(x - 0.12, share["plain"], "o", color=color, alpha=PALE, mew=0)
        if share["corrected"] is not None and share["interval"] is not None:
            low, high = share["interval"]
            axes.vlines(x + 0.12, low, high, color=color, lw=2)
            inside = "white" if cell["borrowed"] else color
            axes.plot(x + 0.12, share["corrected"], "o", color=color, mfc=inside)
    axes.plot([], [], "o", color=color, alpha=PALE, mew=0, label="plain count")
    if any(share["corrected"] is not None for share in shares):
        axes.plot([], [], "o-", color=color, label="corrected, 95 % interval")
    if any(cell["borrowed"] for cell in cells):
        axes.plot([], [], "o-", color=color, mfc="white", label="labels borrowed")
    labels = [", ".join(cell["by"].values()) or "all" for cell in cells]
    step = max(1, len(cells) // 24)
    axes.set_xticks(positions[::step], labels[::step])
    axes.tick_params(axis="x", rotation=0 if len("".join(labels)) < 50 else 45)
    for tick in axes.get_xticklabels():
        tick.set_horizontalalignment("right" if tick.get_rotation() else "center")
    axes.set(ylim=(0, 1), xlim=(-0.5, len(cells) - 0.5), ylabel=f"share {name}")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid(axis="y", color=FAINT, alpha=0.25, lw=0.6)
    axes.legend(
        fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3
    )  # above: a share may lie anywhere below
