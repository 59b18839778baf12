"""How are ratings said to people? Names and values, in the order of reading."""

from __future__ import annotations

from collections.abc import Sequence

from pixsent_tf.cli.words import Rows
from pixsent_tf.results.adaptations import RatingAdaptResults
from pixsent_tf.results.intervals import Interval
from pixsent_tf.results.ratings import (
    MEASURES,
    RatingCompareResults,
    RatingEvaluateResults,
    RatingMetrics,
    RatingPair,
    RatingStudyResults,
    TargetMetrics,
)


def describe_ratings(
    results: RatingStudyResults, *, more: Sequence[tuple[str, str]] = ()
) -> Rows:
    """Put what a training on ratings and its test found into words.

    Args:
        results: The numbers.
        more: Rows that only this study has.

    Returns:
        Pairs of a name and its value.
    """
    unread = len(results["unreadable"])
    return [
        *_targets(results),
        *_differences(results),
        *_counts(results, unread),
        *more,
        ("seconds", f"{results['seconds']:.1f}"),
        ("out", results["out"]),
    ]


def describe_rating_evaluation(results: RatingEvaluateResults) -> Rows:
    """Put an evaluation of a model of ratings into words.

    Args:
        results: The numbers.

    Returns:
        Pairs of a name and its value.
    """
    unread = len(results["unreadable"])
    rows = [*_targets(results), *_differences(results), *_counts(results, unread)]
    return [*rows, ("report", results["report"])]


def describe_rating_comparison(results: RatingCompareResults) -> Rows:
    """Put a comparison of models of ratings into words.

    Args:
        results: The numbers.

    Returns:
        Pairs of a name and its value.
    """
    rows = [("pictures", str(results["num_examples"]))]
    for pair in results["pairs"]:
        rows += _pair(pair, several=len(results["pairs"]) > 1)
    return rows


def describe_rating_adaptation(results: RatingAdaptResults) -> Rows:
    """Put into words what a few ratings made of a model.

    Args:
        results: The numbers.

    Returns:
        Pairs of a name and its value.
    """
    rows = [
        ("labels", str(results["num_labels"])),
        ("choice", results["choice"]),
        ("chosen by", results["why"]),
    ]
    both = zip(results["before"]["targets"], results["after"]["targets"], strict=True)
    for pair, (before, after) in zip(results["differences"], both, strict=True):
        rows += [(pair["target"], "after – before"), *_pair(pair, several=False)[1:]]
        ccc = f"{before['ccc']:.3f} before, {after['ccc']:.3f} after"
        rows += [("  CCC", ccc), *_coverage(after)]
    return [*rows, ("seconds", f"{results['seconds']:.1f}"), ("out", results["out"])]


def _targets(results: RatingMetrics) -> Rows:
    over = " over groups" if results["interval_unit"] == "group" else ""
    rows: Rows = []
    for one in results["targets"]:
        rows.append((one["target"], f"(in brackets 95 % intervals{over})"))
        rows += _target(one)
    return rows


def _differences(results: RatingMetrics) -> Rows:
    """The picture on which two groups of raters differ most, of each pair."""
    rows: Rows = []
    told: set[tuple[str, str]] = set()
    for row in results["group_differences"]:
        if (row["first"], row["second"]) in told:
            continue
        told.add((row["first"], row["second"]))
        bounds = row["raters_interval"]
        interval = f" ({bounds[0]:+.2f} to {bounds[1]:+.2f})" if bounds else ""
        text = f"{row['raters']:+.2f}{interval}, answers {row['answers']:+.2f}"
        rows.append((f"{row['first']} – {row['second']}", f"{text}: {row['id']}"))
    return rows


def _target(one: TargetMetrics) -> Rows:
    values, ceiling = dict(one), one["ceiling"]
    best = {} if ceiling is None else dict(ceiling)
    notes = {"rmse": f"always the mean: {one['rating_sd']:.3f}"}
    low, high = one["pearson_r_null_band"]
    notes["pearson_r"] = f"of shuffled ratings: {low:.3f} to {high:.3f}"
    rows: Rows = []
    for title, name in MEASURES:
        text = _number(values[name], one["bootstrap_intervals"][name])
        after = [notes[name]] if name in notes else []
        if name in best:
            after.append(f"another panel: {best[name]:.3f}")
        rows.append((f"  {title}", f"{text}{'  ' if after else ''}{'; '.join(after)}"))
    if len(one["per_fold_r"]) > 1:
        each = ("none" if r is None else f"{r:.3f}" for r in one["per_fold_r"])
        rows.append(("  r of each fold", "  ".join(each)))
    return [*rows, *_coverage(one)]


def _coverage(one: TargetMetrics) -> Rows:
    found = one["coverage"]
    if found is None:
        return []
    low, high = found["observed_interval"]
    held = f"{found['observed']:.3f} held ({low:.3f} to {high:.3f})"
    text = f"{found['nominal']:.2f} promised, {held}; {found['mean_width']:.2f} wide"
    return [("  intervals", text)]


def _number(value: object, bounds: Interval | None) -> str:
    if not isinstance(value, float):
        return "none: all answers are the same"
    return f"{value:.3f}" + (f" ({_range(bounds)})" if bounds else "")


def _counts(results: RatingMetrics, unread: int) -> Rows:
    count = results["num_examples"]
    said = f"{count} of {count + unread}; {unread} unreadable" if unread else f"{count}"
    low, high = results["scale"]
    return [("pictures", said), ("scale", f"{low:g} to {high:g}")]


def _pair(pair: RatingPair, *, several: bool) -> Rows:
    rows = [(f"{pair['first']} – {pair['second']}", pair["target"])]
    r, difference = pair["pearson_r"], pair["pearson_r_difference"]
    bounds, p = pair["pearson_r_difference_interval"], pair["williams_p"]
    if difference is not None and bounds and p is not None:
        holm = pair["williams_p_holm"] if several else None
        text = f"p = {p:.4f}" if p >= 1e-4 else f"p = {p:.1e}"
        rows += [
            ("  Pearson r", _difference(r, difference, bounds)),
            ("  Williams", text if holm is None else f"{text}, by Holm {holm:.4f}"),
        ]
    rmse = _difference(
        pair["rmse"], pair["rmse_difference"], pair["rmse_difference_interval"]
    )
    return [*rows, ("  RMSE", rmse)]


def _difference(
    values: Sequence[float | None], difference: float, bounds: Interval
) -> str:
    first, second = values
    low, high = bounds
    return (
        f"{first:.3f} – {second:.3f} = {difference:+.3f}  "
        f"(95 % interval {low:+.3f} to {high:+.3f})"
    )


def _range(bounds: Interval) -> str:
    low, high = bounds
    return f"{low:.3f} to {high:.3f}"
