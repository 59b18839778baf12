"""How are shares said to those who read a paper, or who should beware?"""

from __future__ import annotations

from collections.abc import Sequence

from pixsent_tf.evaluation.share import FEW_LABELS
from pixsent_tf.results.shares import Cell, ShareResults
from pixsent_tf.studies.shares.answer_tables import AnswerSums
from pixsent_tf.studies.shares.label_tables import LabelTable

FEW_UNITS = 20  # labelled groups, below which intervals may be too narrow


def methods(
    results: ShareResults, sums: AnswerSums, told: LabelTable | None, group: str | None
) -> str:
    """Write the paragraph on methods.

    Args:
        results: The shares.
        sums: Of the answers.
        told: The labels, if there are any.
        group: What the intervals are clustered by.

    Returns:
        Sentences with the numbers filled in.
    """
    cells = results["cells"]
    count = sum(cell["num_examples"] for cell in cells)
    unreadable = sum(cell["num_unreadable"] for cell in cells)
    text = f"A model answered {count:,} pictures ({', '.join(sums.class_names)})"
    text += f"; {unreadable:,} more could not be read. " if unreadable else ". "
    if told is None:
        return (
            text + "Shares are plain counts of its answers, not corrected for its "
            "errors, and have no interval."
        )
    weighted = " with inverse probabilities of sampling as weights," * bool(
        told.probabilities
    )
    votes = " Several annotators of a picture count as votes, in equal parts."
    text += (
        f"{len(sums.labelled):,} of them were labelled. Shares were estimated by "
        f"prediction-powered inference with power tuning (Angelopoulos et al., 2023),"
        f"{weighted} with score intervals and Student's t at 95 %."
    )
    text += votes * told.has_several_votes
    if group:
        text += f" Variances are clustered by {group}."
    if borrowed := sum(cell["borrowed"] for cell in cells):
        text += (
            f" {borrowed} of {len(cells)} cells had fewer than {FEW_LABELS} labels and "
            f"were corrected by the labels of all cells, where Welch's test at .05 did "
            f"not tell their errors apart."
        )
    if results["differences"] or results["trends"]:
        text += " Tests of differences and trends were corrected by Holm's method."
    return text + _one_share(cells)


def _one_share(cells: Sequence[Cell]) -> str:
    """The result itself, where there is a single one to tell."""
    if len(cells) != 1:
        return ""
    parts = []
    for name, share in cells[0]["shares"].items():
        if share["corrected"] is not None and share["interval"] is not None:
            low, high = share["interval"]
            parts.append(
                f"{name} {share['corrected']:.1%} (95 % interval {low:.1%} to "
                f"{high:.1%}; plain count {share['plain']:.1%})"
            )
    return f" Estimated shares: {'; '.join(parts)}." if parts else ""


def notes(
    cells: Sequence[Cell],
    sums: AnswerSums,
    told: LabelTable | None,
    group: str | None,
) -> list[str]:
    """Say what to know before trusting the numbers.

    Args:
        cells: The shares.
        sums: Of the answers.
        told: The labels, if there are any.
        group: What the intervals are clustered by.

    Returns:
        Sentences.
    """
    if told is None:
        return [
            "Shares are uncorrected counts without an interval: they can be off by far "
            "on pictures unlike those of the training. Label a random sample and give "
            "it by --labels."
        ]
    found = []
    if others := len(told.votes) - len(sums.labelled):
        found.append(f"{others} labelled pictures are not in the table, or unreadable.")
    if told.num_skipped:
        found.append(
            f"{told.num_skipped} pictures were skipped by who labelled: shares are of "
            f"pictures that people can judge."
        )
    if not told.probabilities:
        found.append(
            "The labelled pictures are taken for a random sample of the table."
        )
    if told.has_several_votes:
        found.append("A picture with several labels counts by the share of its votes.")
    if any(cell["borrowed"] for cell in cells):
        found.append(
            "Cells marked as borrowed are corrected by the labels of all cells: right "
            "only if the model errs there as elsewhere, which few labels hardly test."
        )
    if group:
        clusters = {name for _, name, _ in sums.labelled.values()}
        if len(clusters) < FEW_UNITS:
            found.append(
                f"Only {len(clusters)} values of {group} are labelled; intervals from "
                f"fewer than {FEW_UNITS} may be too narrow."
            )
    return found
