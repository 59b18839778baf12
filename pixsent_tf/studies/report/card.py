"""What should stand beside a model that others use? Only numbers that were measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pixsent_tf.config import Recipe
from pixsent_tf.results.ratings import MEASURES
from pixsent_tf.results.studies import EvaluateResults, Evaluation, SourceMetrics
from pixsent_tf.studies.report.page import METRICS, audit_rows, render

CONFIDENCE = 0.95  # of every interval in the results


def model_card(
    *,
    name: str,
    dataset: str,
    how: str,
    results: Evaluation,
    recipe: Recipe | None = None,
    license_name: str = "apache-2.0",
) -> str:
    """Write a model card with the front matter of the Hugging Face Hub.

    Args:
        name: Of the model.
        dataset: Name of the pictures it was measured on.
        how: How pictures of test and training were kept apart, in words without
            numbers.
        results: What an evaluation found; every number of the card is in it.
        recipe: How the model was trained; None where it is not known.
        license_name: Identifier of the license of the weights.

    Returns:
        Markdown.
    """
    return render(
        "model_card.md",
        name=name,
        dataset=dataset,
        how=how,
        results=results,
        metrics=METRICS,
        class_names=[row["name"] for row in results["per_class"]],
        license=license_name,
        backbone=recipe.model.backbone if recipe else None,
        strategy=recipe.training.strategy if recipe else None,
        not_read=len(results["unreadable"]),
    )


def data_card(*, dataset: str, results: EvaluateResults) -> str:
    """Write what an audit found about the pictures.

    Args:
        dataset: Name of the pictures.
        results: What an evaluation found; holds `audit`.

    Returns:
        Markdown.
    """
    rows = audit_rows(results["audit"])
    return render("data_card.md", dataset=dataset, rows=rows, results=results)


def shipped_card(*, name: str, recipe: Recipe, results: dict[str, Any]) -> str:
    """Write the card of a model that comes with the package.

    Args:
        name: Of the model.
        recipe: How it was trained.
        results: What `ship` measured; every number of the card is in it.

    Returns:
        Markdown.
    """
    return render(
        "shipped_card.md",
        name=name,
        recipe=recipe,
        results=results,
        table=_source_table,
        measures=MEASURES,
    )


def _source_table(rows: Sequence[SourceMetrics]) -> str:
    """One column for each source, one row for each number."""
    classes = list(rows[0]["recalls"])
    cells = {
        "": [row["source"] for row in rows],
        "pictures": [f"{row['num_examples']}" for row in rows],
        "accuracy": [_with_interval(row) for row in rows],
        "always the larger class": [f"{row['majority_rate']:.3f}" for row in rows],
        "balanced accuracy": [f"{row['balanced_accuracy']:.3f}" for row in rows],
        **{
            f"recall of {name}": [f"{row['recalls'][name]:.3f}" for row in rows]
            for name in classes
        },
        "AUC": ["" if row["auc"] is None else f"{row['auc']:.3f}" for row in rows],
        "calibration error": [f"{row['ece']:.3f}" for row in rows],
        "answered, right": [_answered(row) for row in rows],
    }
    lines = [" | ".join([name, *values]) for name, values in cells.items()]
    lines.insert(1, "|".join(["---"] * (1 + len(rows))))
    return "\n".join(f"| {line} |" for line in lines)


def _with_interval(row: SourceMetrics) -> str:
    low, high = row["accuracy_interval"]
    return f"{row['accuracy']:.3f} ({low:.3f} to {high:.3f})"


def _answered(row: SourceMetrics) -> str:
    found = row["answering"]
    return "" if found is None else f"{found['coverage']:.3f}, {found['precision']:.3f}"
