"""What should stand beside a model that others use? Only numbers that were measured."""

from __future__ import annotations

from pixsent_tf.config import Recipe
from pixsent_tf.results.studies import EvaluateResults, Evaluation
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
