"""How are results said to people? Names and values, in the order of reading."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean, stdev
from typing import Any


def describe_metrics(results: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Put results into words.

    Args:
        results: Numbers of a study; an evaluation adds `ten_crop`, `abstention`,
            `label_ceiling` and `settings_tried`, which are told where they are there.

    Returns:
        Pairs of a name and its value, in the order of reading.
    """
    rows = [("accuracy", _with_interval(results, "accuracy", " (95 % interval {})"))]
    folds = results["per_fold"]
    if len(folds) > 1:
        spread = f"{fmean(folds):.3f} ± {stdev(folds):.3f}"
        rows.append(("mean over folds", spread))
    if ten_crop := results.get("ten_crop"):
        rows.append(
            ("with ten crops", _with_interval(ten_crop, "accuracy", " ({})")),
        )
    rows += [
        ("majority rate", f"{results['majority_rate']:.3f}"),
        ("balanced accuracy", f"{results['balanced_accuracy']:.3f}"),
    ]
    if results.get("auc") is not None:
        rows.append(("AUC", _with_interval(results, "auc", " ({})")))
    rows += [
        ("log loss", f"{results['log_loss']:.3f}"),
        ("Brier score", f"{results['brier']:.3f}"),
        ("calibration error", _calibration(results)),
    ]
    if ceiling := results.get("label_ceiling"):
        rows.append(("label ceiling", f"{ceiling:.3f}  (agreement of another person)"))
    for row in results.get("abstention", ()):
        rows.append((f"answering at {row['target']:.2f}", _abstention(row)))
    rows.append(("pictures", _coverage(results)))
    if len(folds) > 1:
        rows.append(("each fold", "  ".join(f"{fold:.3f}" for fold in folds)))
    if tried := results.get("settings_tried"):
        rows.append(("settings tried", f"{tried}"))
    return rows


def _with_interval(results: Mapping[str, Any], name: str, form: str) -> str:
    """Write a number and, where it is known, its interval at the braces of `form`."""
    bounds = results.get(f"{name}_interval")
    text = f"{results[name]:.3f}"
    if not bounds:
        return text
    return text + form.format(f"{bounds[0]:.3f} to {bounds[1]:.3f}")


def _calibration(results: Mapping[str, Any]) -> str:
    low, high = results["ece_null_band"]
    # to the digits that are printed: 0.000 is no evidence against 0.000
    verdict = "no evidence of" if results["ece"] <= high + 0.0005 else "shows"
    return (
        f"{results['ece']:.3f}  (a calibrated model: {low:.3f} to {high:.3f}; "
        f"{verdict} miscalibration)"
    )


def _abstention(row: Mapping[str, Any]) -> str:
    return f"{row['coverage']:.3f} of the pictures, right on {row['precision']:.3f}"


def _coverage(results: Mapping[str, Any]) -> str:
    count = results["num_examples"]
    unread = len(results.get("unreadable", ()))
    return f"{count} of {count + unread}; {unread} unreadable" if unread else f"{count}"


def describe_comparison(results: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Put a comparison into words.

    Args:
        results: Numbers of `compare`.

    Returns:
        Pairs of a name and its value.
    """
    rows = [("pictures", str(results["num_examples"]))]
    several = len(results["pairs"]) > 1
    for pair in results["pairs"]:
        low, high = pair["accuracy_difference_interval"]
        first, second = pair["accuracies"]
        rows += [
            (f"{pair['first']} – {pair['second']}", ""),
            (
                "  accuracy",
                f"{first:.3f} – {second:.3f} = {pair['accuracy_difference']:+.3f}  "
                f"(95 % interval {low:+.3f} to {high:+.3f})",
            ),
            (
                "  only one is right",
                f"{pair['only_first_right']} : {pair['only_second_right']}",
            ),
            ("  McNemar", _p(pair, "mcnemar_p", several)),
        ]
        if pair["aucs"] is not None:
            low, high = pair["auc_difference_interval"]
            first, second = pair["aucs"]
            rows += [
                (
                    "  AUC",
                    f"{first:.3f} – {second:.3f} = {pair['auc_difference']:+.3f}  "
                    f"(95 % interval {low:+.3f} to {high:+.3f})",
                ),
                ("  DeLong", _p(pair, "delong_p", several)),
            ]
    return rows


def _p(pair: Mapping[str, Any], test: str, several: bool) -> str:
    text = f"p = {pair[test]:.4f}" if pair[test] >= 1e-4 else f"p = {pair[test]:.1e}"
    if not several:
        return text
    return f"{text}, by Holm {pair[f'{test}_holm']:.4f}"
