"""How does a rerun look beside the paper? Arrays in, PNG bytes out."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pixsent_tf.results.paper import PaperRow

PAPER, OURS, FAINT = "#d1495b", "#3b6fd4", "#808182"
DPI = 110


def rows_figure(
    title: str,
    rows: Sequence[PaperRow],
    majority: Mapping[str, float],
    history: Mapping[str, Sequence[Mapping[str, float]]],
    *,
    note: str = "",
) -> bytes:
    """Draw each row with its interval beside the paper's number, and the training.

    Args:
        title: Stands above.
        rows: The rows of the table.
        majority: Rate of always answering the larger class, by level.
        history: By row: one entry per fold and epoch, with `fold`, `epoch`, `loss`.
        note: Stands below the title.

    Returns:
        A PNG file.
    """
    height = 1.8 + 0.32 * max(len(rows), 6)
    figure = Figure(figsize=(11, height), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    for place, row in enumerate(rows):
        low, high = row["interval"]
        left.plot([low, high], [place, place], color=OURS, lw=2)
        left.plot(row["ours"], place, "o", color=OURS, label=_once("ours", place))
        if row["paper"] is not None:
            left.plot(row["paper"], place, "D", color=PAPER, fillstyle="none")
    left.plot([], [], "D", color=PAPER, fillstyle="none", label="paper")
    for rate in set(majority.values()):
        left.axvline(rate, color=FAINT, ls="--", lw=1)
    left.plot([], [], color=FAINT, ls="--", lw=1, label="larger class")
    names = [f"{row['name']}, {row['view'].replace('_', ' ')}" for row in rows]
    left.set_yticks(range(len(rows)), names)
    left.invert_yaxis()
    left.set_xlabel("accuracy, 95 % interval")
    left.legend(frameon=False, fontsize=8)
    _draw_curves(right, history)
    figure.suptitle(f"{title}\n{note}" if note else title, fontsize=11)
    return _png(figure)


def layers_figure(
    title: str,
    layers: Sequence[str],
    curves: Mapping[str, Sequence[float | None]],
    majority: float,
    *,
    note: str = "",
) -> bytes:
    """Draw accuracy layer by layer.

    Args:
        title: Stands above.
        layers: From the pixels to the head.
        curves: One value for each layer, by name; names that start with "paper" are
            drawn hollow.
        majority: Rate of always answering the larger class.
        note: Stands below the title.

    Returns:
        A PNG file.
    """
    figure = Figure(figsize=(9, 4.8), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    for number, (name, values) in enumerate(curves.items()):
        is_paper = name.startswith("paper")
        axes.plot(
            range(len(layers)),
            [float("nan") if value is None else value for value in values],
            marker="D" if is_paper else "o",
            fillstyle="none" if is_paper else "full",
            ls=":" if is_paper else "-",
            color=f"C{number}",
            label=name,
        )
    axes.axhline(majority, color=FAINT, ls="--", lw=1, label="larger class")
    axes.set_xticks(range(len(layers)), layers, rotation=45)
    axes.set_ylabel("accuracy")
    axes.legend(frameon=False, fontsize=8)
    figure.suptitle(f"{title}\n{note}" if note else title, fontsize=11)
    return _png(figure)


def _once(label: str, place: int) -> str | None:
    return label if place == 0 else None


def _draw_curves(
    axes: Axes, history: Mapping[str, Sequence[Mapping[str, float]]]
) -> None:
    """Draw the training loss, the mean over folds."""
    for number, (name, entries) in enumerate(history.items()):
        by_epoch: dict[int, list[float]] = {}
        for entry in entries:
            if "loss" in entry:
                by_epoch.setdefault(int(entry["epoch"]), []).append(entry["loss"])
        epochs = sorted(by_epoch)
        means = [sum(by_epoch[e]) / len(by_epoch[e]) for e in epochs]
        axes.plot(epochs, means, ".-", color=f"C{number % 10}", label=name)
    axes.set_xlabel("epoch")
    axes.set_ylabel("training loss, mean over folds")
    if history:
        axes.legend(frameon=False, fontsize=7)


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()
