"""How do numbers become pictures? Arrays in, SVG text out.

The SVG is meant to stand inside a web page: its text and lines take the color of the
page's text, and the two classes take the page's `--negative` and `--positive`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import matplotlib.patches
import matplotlib.ticker
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Placeholders that no other color equals, and what the page puts in their place.
INK, NEGATIVE, POSITIVE, ACCENT, FAINT = (
    *("#010203", "#d1495b", "#2a9d6f", "#3b6fd4", "#808182"),
)
_ON_PAGE = {
    INK: "currentColor",
    NEGATIVE: "var(--negative, #d1495b)",
    POSITIVE: "var(--positive, #2a9d6f)",
    ACCENT: "var(--accent, #3b6fd4)",
    FAINT: "var(--faint, #808182)",
}
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "pixsent-tf",
    "font.family": "sans-serif",
    "font.size": 10,
    **{f"{part}.color": INK for part in ("text", "xtick", "ytick")},
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "legend.frameon": False,
}
SIZE = (4.4, 3.6)  # inches
_FEW = 3  # classes whose names have room beside each other
_MOST = 12  # whose counts have room in their cells


def confusion(matrix: np.ndarray, class_names: Sequence[str]) -> str:
    """Draw how often each class got each answer.

    Args:
        matrix: Counts, int [K, K]; rows are the truth.
        class_names: Names by class index.

    Returns:
        SVG text.
    """
    with matplotlib.rc_context(STYLE):
        figure, axes = new_axes()
        matrix, is_many = np.asarray(matrix), len(class_names) > _FEW
        shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        for (row, column), share in np.ndenumerate(shares):
            corner = (column - 0.48, row - 0.48)
            axes.add_patch(
                matplotlib.patches.Rectangle(
                    corner, 0.96, 0.96, color=ACCENT, alpha=0.06 + 0.6 * share, lw=0
                )
            )
            text = f"{matrix[row, column]}"
            if not is_many:
                text += f"\n{share:.1%}"
            if len(class_names) <= _MOST and (matrix[row, column] or not is_many):
                axes.text(column, row, text, ha="center", va="center", color=INK)
        ticks = range(len(class_names))
        axes.set(
            xticks=ticks,
            yticks=ticks,
            xlabel="answer",
            ylabel="truth",
            xlim=(-0.5, len(class_names) - 0.5),
            ylim=(len(class_names) - 0.5, -0.5),
        )
        if is_many:
            axes.set_xticklabels(
                class_names, rotation=45, ha="right", rotation_mode="anchor"
            )
            axes.set_yticklabels(class_names)
        else:
            axes.set_xticklabels(class_names)
            axes.set_yticklabels(class_names, rotation=90, va="center")
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        return to_svg(figure, "confusion")


def roc(
    false_positive_rate: np.ndarray, true_positive_rate: np.ndarray, *, area: float
) -> str:
    """Draw a ROC curve.

    Args:
        false_positive_rate: Float [T], 0…1.
        true_positive_rate: Float [T], 0…1.
        area: What lies under it, 0…1.

    Returns:
        SVG text.
    """
    with matplotlib.rc_context(STYLE):
        figure, axes = new_axes()
        axes.plot([0, 1], [0, 1], color=FAINT, lw=1, ls="--")
        axes.plot(false_positive_rate, true_positive_rate, color=ACCENT, lw=2)
        axes.text(0.96, 0.06, f"AUC {area:.3f}", ha="right", color=INK)
        axes.set(
            xlabel="negatives called positive",
            ylabel="positives called positive",
            xlim=(-0.01, 1.01),
            ylim=(-0.01, 1.01),
        )
        return to_svg(figure, "roc")


def reliability(predicted: np.ndarray, observed: np.ndarray, counts: np.ndarray) -> str:
    """Draw predicted against observed probability, and how often each occurs.

    Args:
        predicted: Mean probability of each bin, float [bins]; NaN where it is empty.
        observed: Share of pictures for which it came true, float [bins].
        counts: Pictures in each bin, int [bins].

    Returns:
        SVG text. A bar spans two standard errors each way of a calibrated model.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=SIZE, layout="constrained")
        axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        filled = counts > 0
        error = np.sqrt(predicted * (1 - predicted) / np.maximum(counts, 1))[filled]
        axes.plot([0, 1], [0, 1], color=FAINT, lw=1, ls="--")
        axes.errorbar(
            predicted[filled],
            predicted[filled],
            yerr=2 * error,
            fmt="none",
            ecolor=FAINT,
            elinewidth=5,
            alpha=0.35,
        )
        axes.plot(predicted[filled], observed[filled], "o-", color=ACCENT, ms=4, lw=1.5)
        axes.set(ylabel="came true", xlim=(-0.01, 1.01), ylim=(-0.05, 1.05))
        width = 1 / len(counts)
        left = np.arange(len(counts)) * width
        below.bar(left, counts, width * 0.9, align="edge", color=ACCENT, alpha=0.6)
        below.set(xlabel="predicted probability", ylabel="pictures")
        below.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(2, integer=True))
        figure.align_ylabels()
        return to_svg(figure, "reliability")


def history(rows: Sequence[Mapping[str, float]]) -> str:
    """Draw what was measured while the model was trained.

    Args:
        rows: Numbers by column. The first column among `epoch`, `step` and
            `inverse_penalty` is the horizontal axis, `fold` parts the curves, and every
            other column is drawn; accuracies apart from losses.

    Returns:
        SVG text.
    """
    across = next(
        (name for name in ("epoch", "step", "inverse_penalty") if name in rows[0]), None
    )
    names = [name for name in rows[0] if name not in (across, "fold", "phase")]
    groups = [
        [name for name in names if ("accuracy" in name) == wanted]
        for wanted in (False, True)
    ]
    groups = [[n for n in group if "rate" not in n] for group in groups]
    groups = [group for group in groups if group]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=SIZE, layout="constrained")
        panels = np.atleast_1d(figure.subplots(len(groups), 1, sharex=True))
        for axes, group in zip(panels, groups, strict=True):
            _curves(axes, rows, across, group)
        if across == "inverse_penalty":
            panels[-1].set_xscale("log")
        panels[-1].set_xlabel((across or "row").replace("_", " "))
        return to_svg(figure, "history")


def _curves(
    axes: Axes,
    rows: Sequence[Mapping[str, float]],
    across: str | None,
    group: list[str],
) -> None:
    folds = list(dict.fromkeys(row.get("fold", 0) for row in rows))
    for name, color in zip(group, (ACCENT, NEGATIVE, POSITIVE, FAINT), strict=False):
        for number, fold in enumerate(folds):
            part = [row for row in rows if row.get("fold", 0) == fold]
            xs = [row[across] if across else i for i, row in enumerate(part)]
            label = name.replace("_", " ") if number == 0 else None
            axes.plot(
                xs,
                [row[name] for row in part],
                color=color,
                lw=1.5,
                alpha=1 if len(folds) == 1 else 0.6,
                label=label,
                marker="o" if len(part) == 1 else None,
            )
    axes.legend(fontsize=8)


def scatter(points: np.ndarray, labels: np.ndarray, class_names: Sequence[str]) -> str:
    """Draw pictures as points of a plane, colored by class.

    Args:
        points: Float [N, 2].
        labels: Class indices, int [N].
        class_names: Names by class index.

    Returns:
        SVG text.
    """
    with matplotlib.rc_context(STYLE):
        figure, axes = new_axes()
        colors = (NEGATIVE, POSITIVE, ACCENT, FAINT)
        for label, name in enumerate(class_names):
            x, y = points[labels == label].T
            color = colors[label % len(colors)]
            axes.scatter(x, y, s=9, color=color, alpha=0.7, lw=0, label=name)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        axes.legend(fontsize=8)
        return to_svg(figure, "scatter")


def new_axes() -> tuple[Figure, Axes]:
    """Make a figure with one pair of axes, within `rc_context(STYLE)`.

    Returns:
        Both.
    """
    figure = Figure(figsize=SIZE, layout="constrained")
    return figure, figure.subplots()


def to_svg(figure: Figure, name: str) -> str:
    """Write a figure as SVG that stands inside a page.

    Args:
        figure: Drawn with the placeholder colors above.
        name: Unique among the page's figures; keeps their ids apart.

    Returns:
        The `<svg>` element, without XML prologue, width or height.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\b(id="|url\(#|href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    for color, on_page in _ON_PAGE.items():
        text = text.replace(color, on_page)
    return text.replace("<svg", f'<svg role="img" aria-label="{name}"', 1)
