"""How do ratings and answers lie to each other? Arrays in, SVG text out."""

from __future__ import annotations

import matplotlib
import numpy as np

from pixsent_tf.analysis.figures import ACCENT, FAINT, INK, STYLE, new_axes, to_svg


def rating_scatter(
    ratings: np.ndarray,
    answers: np.ndarray,
    *,
    scale: tuple[float, float],
    target: str,
    half_width: float | None = None,
) -> str:
    """Draw answers over ratings.

    Args:
        ratings: What raters said, float [N].
        answers: What the model said, float [N].
        scale: The lowest and the highest rating there can be.
        target: Name of the rating.
        half_width: How far around an answer intervals reach; None for none.

    Returns:
        SVG text. On the dashed line answers are right; the band holds nine of ten.
    """
    low, high = scale
    with matplotlib.rc_context(STYLE):
        figure, axes = new_axes()
        if half_width is not None:
            ends = np.array([low, high])
            band = ends - half_width, ends + half_width
            axes.fill_between(ends, *band, color=ACCENT, alpha=0.1, lw=0)
        axes.plot([low, high], [low, high], color=FAINT, lw=1, ls="--")
        axes.scatter(ratings, answers, s=9, color=ACCENT, alpha=0.6, lw=0)
        margin = 0.02 * (high - low)
        axes.set(
            xlabel=f"{target}, raters",
            ylabel=f"{target}, answer",
            xlim=(low - margin, high + margin),
            ylim=(low - margin, high + margin),
        )
        return to_svg(figure, f"scatter-{target}")


def residuals(ratings: np.ndarray, answers: np.ndarray, *, target: str) -> str:
    """Draw how far answers are off, over the answer.

    Args:
        ratings: What raters said, float [N].
        answers: What the model said, float [N].
        target: Name of the rating.

    Returns:
        SVG text. The line is the mean of a fifth of the pictures; on 0 it shows that
        answers are right in the mean, wherever they lie.
    """
    errors = ratings - answers
    with matplotlib.rc_context(STYLE):
        figure, axes = new_axes()
        axes.axhline(0, color=FAINT, lw=1, ls="--")
        axes.scatter(answers, errors, s=9, color=ACCENT, alpha=0.5, lw=0)
        parts = np.array_split(np.argsort(answers, kind="stable"), min(5, len(answers)))
        axes.plot(
            [answers[part].mean() for part in parts],
            [errors[part].mean() for part in parts],
            color=INK,
            lw=1.5,
            marker="o",
            ms=4,
        )
        axes.set(xlabel=f"{target}, answer", ylabel="raters less answer")
        return to_svg(figure, f"residuals-{target}")
