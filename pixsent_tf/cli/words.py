"""How are results said to people? Names and values, in the order of reading."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev

from pixsent_tf.cli.distribution_words import describe_distribution
from pixsent_tf.results.adaptations import AdaptResults
from pixsent_tf.results.answers import CompareResults, Pair
from pixsent_tf.results.intervals import Interval
from pixsent_tf.results.looks import (
    Faithfulness,
    LayerProbe,
    MapCheckResults,
    Pointing,
    ProbeResults,
)
from pixsent_tf.results.studies import (
    Abstaining,
    EvaluateResults,
    Metrics,
    SourceMetrics,
    StudyResults,
)
from pixsent_tf.results.unreadable import Unreadable

Rows = list[tuple[str, str]]


def describe_study(results: StudyResults, *, more: Rows | None = None) -> Rows:
    """Put what a training and its test found into words.

    Args:
        results: The numbers.
        more: What only this study tells.

    Returns:
        Pairs of a name and its value.
    """
    return [
        *_accuracies(results),
        *_others(results),
        *_counts(results, results["unreadable"]),
        *_sources(results["per_source"]),
        *describe_distribution(results["distribution"]),
        ("seconds", f"{results['seconds']:.1f}"),
        *(more or []),
        ("out", results["out"]),
    ]


def describe_evaluation(results: EvaluateResults) -> Rows:
    """Put an evaluation into words.

    Args:
        results: The numbers.

    Returns:
        Pairs of a name and its value.
    """
    rows = _accuracies(results)
    if (ten_crop := results["ten_crop"]) is not None:
        interval = f" ({_range(ten_crop['accuracy_interval'])})"
        rows.append(("with ten crops", f"{ten_crop['accuracy']:.3f}{interval}"))
    rows += _others(results)
    if (ceiling := results["label_ceiling"]) is not None:
        rows.append(("label ceiling", f"{ceiling:.3f}  (agreement of another person)"))
    rows += [
        (f"answering at {row['target']:.2f}", _abstaining(row))
        for row in results["abstention"]
    ]
    rows += _counts(results, results["unreadable"])
    rows += _sources(results["per_source"])
    rows += describe_distribution(results["distribution"])
    if (rolled := results["polarity"]) is not None:
        rows += [(f"rolled up: {name}", text) for name, text in _accuracies(rolled)]
        rows += [(f"rolled up: {name}", text) for name, text in _others(rolled)]
    if (tried := results["settings_tried"]) is not None:
        rows.append(("settings tried", f"{tried}"))
    return [*rows, ("report", results["report"])]


def describe_adaptation(results: AdaptResults) -> Rows:
    """Put into words what a few labels made of a model.

    Args:
        results: The numbers.

    Returns:
        Pairs of a name and its value.
    """
    before, after, both = results["before"], results["after"], results["difference"]
    low, high = both["accuracy_difference_interval"]
    rows = [
        ("labels", str(results["num_labels"])),
        ("choice", results["choice"]),
        ("chosen by", results["why"]),
        ("accuracy", f"{before['accuracy']:.3f} before, {after['accuracy']:.3f} after"),
        (
            "difference",
            f"{both['accuracy_difference']:+.3f} (95 % interval {low:+.3f} to "
            f"{high:+.3f})",
        ),
    ]
    for name, key in (
        ("balanced accuracy", "balanced_accuracy"),
        ("AUC", "auc"),
        ("log loss", "log_loss"),
        ("calibration error", "ece"),
    ):
        first, second = (dict(one)[key] for one in (before, after))
        if isinstance(first, float) and isinstance(second, float):
            rows.append((name, f"{first:.3f} before, {second:.3f} after"))
    return [*rows, ("seconds", f"{results['seconds']:.1f}"), ("out", results["out"])]


def _accuracies(results: Metrics) -> Rows:
    over = " over groups" if results["interval_unit"] == "group" else ""
    interval = f" (95 % interval{over} {_range(results['accuracy_interval'])})"
    rows = [("accuracy", f"{results['accuracy']:.3f}{interval}")]
    folds = results["per_fold"]
    if len(folds) > 1:
        rows.append(("mean over folds", f"{fmean(folds):.3f} ± {stdev(folds):.3f}"))
    return rows


def _others(results: Metrics) -> Rows:
    rows = [
        ("majority rate", f"{results['majority_rate']:.3f}"),
        ("balanced accuracy", f"{results['balanced_accuracy']:.3f}"),
    ]
    if results["auc"] is not None:
        bounds = results["auc_interval"]
        interval = f" ({_range(bounds)})" if bounds else ""
        rows.append(("AUC", f"{results['auc']:.3f}{interval}"))
    return [
        *rows,
        ("log loss", f"{results['log_loss']:.3f}"),
        ("Brier score", f"{results['brier']:.3f}"),
        ("calibration error", _calibration(results)),
    ]


def _calibration(results: Metrics) -> str:
    low, high = results["ece_null_band"]
    # to the digits that are printed: 0.000 is no evidence against 0.000
    verdict = "no evidence of" if results["ece"] <= high + 0.0005 else "shows"
    return (
        f"{results['ece']:.3f}  (a calibrated model: {low:.3f} to {high:.3f}; "
        f"{verdict} miscalibration)"
    )


def _abstaining(row: Abstaining) -> str:
    return f"{row['coverage']:.3f} of the pictures, right on {row['precision']:.3f}"


def _counts(results: Metrics, unreadable: Sequence[Unreadable]) -> Rows:
    count, unread = results["num_examples"], len(unreadable)
    said = f"{count} of {count + unread}; {unread} unreadable" if unread else f"{count}"
    rows = [("pictures", said)]
    folds = results["per_fold"]
    if len(folds) > 1:
        rows.append(("each fold", "  ".join(f"{fold:.3f}" for fold in folds)))
    return rows


def _sources(per_source: Sequence[SourceMetrics]) -> Rows:
    """Two lines for each source."""
    rows = []
    for row in per_source:
        recalls = ", ".join(
            f"{name} {recall:.3f}" for name, recall in row["recalls"].items()
        )
        ranked = "" if row["auc"] is None else f", AUC {row['auc']:.3f}"
        count = row["num_examples"]
        rows += [
            (
                f"on {row['source']}",
                f"{row['accuracy']:.3f} of {count} ({_range(row['accuracy_interval'])}"
                f"), majority rate {row['majority_rate']:.3f}",
            ),
            ("", f"balanced {row['balanced_accuracy']:.3f} ({recalls}){ranked}"),
        ]
        if (answering := row["answering"]) is not None:
            rows.append(
                (
                    "",
                    f"calibration error {row['ece']:.3f}; at .95 answering "
                    f"{answering['coverage']:.3f}, right on "
                    f"{answering['precision']:.3f}",
                )
            )
    return rows


def describe_comparison(results: CompareResults) -> Rows:
    """Put a comparison into words.

    Args:
        results: The numbers.

    Returns:
        Pairs of a name and its value.
    """
    rows = [("pictures", str(results["num_examples"]))]
    for pair in results["pairs"]:
        rows += _describe_pair(pair, several=len(results["pairs"]) > 1)
    return rows


def _describe_pair(pair: Pair, *, several: bool) -> Rows:
    rows = [
        (f"{pair['first']} – {pair['second']}", ""),
        (
            "  accuracy",
            _difference(
                pair["accuracies"],
                pair["accuracy_difference"],
                pair["accuracy_difference_interval"],
            ),
        ),
        (
            "  only one is right",
            f"{pair['only_first_right']} : {pair['only_second_right']}",
        ),
        (
            "  McNemar",
            _p(pair["mcnemar_p"], pair["mcnemar_p_holm"] if several else None),
        ),
    ]
    aucs, difference = pair["aucs"], pair["auc_difference"]
    interval, p = pair["auc_difference_interval"], pair["delong_p"]
    if aucs and difference is not None and interval and p is not None:
        holm = pair["delong_p_holm"] if several else None
        rows += [
            ("  AUC", _difference(aucs, difference, interval)),
            ("  DeLong", _p(p, holm)),
        ]
    return rows


def _difference(values: Sequence[float], difference: float, bounds: Interval) -> str:
    first, second = values
    low, high = bounds
    return (
        f"{first:.3f} – {second:.3f} = {difference:+.3f}  "
        f"(95 % interval {low:+.3f} to {high:+.3f})"
    )


def _p(value: float, holm: float | None) -> str:
    text = f"p = {value:.4f}" if value >= 1e-4 else f"p = {value:.1e}"
    return text if holm is None else f"{text}, by Holm {holm:.4f}"


def describe_map_check(results: MapCheckResults) -> Rows:
    """Put into words whether maps show what the model uses.

    Args:
        results: The numbers.

    Returns:
        Pairs of a name and its value.
    """
    correlation = results["correlation_with_random_weights"]
    rows = [
        ("pictures", str(results["num_examples"])),
        ("maps", results["kind"]),
        ("deletion", _gain(results["deletion"])),
        ("insertion", _gain(results["insertion"])),
        ("random weights", f"correlation of the maps {correlation:+.3f}"),
    ]
    if (game := results["pointing"]) is not None:
        rows += [
            ("peak in the face", _pointing(game["face"])),
            ("peak in the mouth", _pointing(game["mouth"])),
        ]
    return rows


def _gain(found: Faithfulness) -> str:
    low, high = found["gain_over_random_interval"]
    return (
        f"{found['map']:.3f}, random {found['random']:.3f}, center "
        f"{found['center']:.3f}; gain over random {found['gain_over_random']:+.3f} "
        f"(95 % interval {low:+.3f} to {high:+.3f})"
    )


def _pointing(found: Pointing) -> str:
    interval = _range(found["interval"])
    return f"{found['hits']:.3f} ({interval}), chance {found['chance']:.3f}"


def describe_probe(results: ProbeResults) -> Rows:
    """Put what each layer knows into words.

    Args:
        results: The numbers.

    Returns:
        Pairs of a name and its value.
    """
    rows = [(row["name"], _probe(row)) for row in results["layers"]]
    rate = ("majority rate", f"{results['majority_rate']:.3f}")
    return [*rows, rate, ("out", results["out"])]


def _probe(row: LayerProbe) -> str:
    return (
        f"{row['mean']:.3f} ± {row['std']:.3f}  (pooled {row['accuracy']:.3f}, 95 % "
        f"interval {_range(row['accuracy_interval'])}; {row['num_features']} features)"
    )


def _range(bounds: Interval) -> str:
    low, high = bounds
    return f"{low:.3f} to {high:.3f}"
