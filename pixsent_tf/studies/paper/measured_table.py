"""Did a rerun meet what was printed? Each row beside the number of the paper."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pixsent_tf.evaluation.compare import mcnemar
from pixsent_tf.evaluation.intervals import bootstrap_interval, wilson_interval
from pixsent_tf.results.paper import Measured, PaperRow, PaperTable

VIEW_NAMES = {"center": "center crop", "ten_crop": "ten crops"}
COLUMNS = (
    *("row", "measure", "paper", "ours", "difference", "95 % interval"),
    *("paired p", "same within noise?"),
)


def measure(
    correct: np.ndarray,
    folds: np.ndarray,
    *,
    paper: float | None = None,
    is_comparable: bool = True,
    partner: np.ndarray | None = None,
    partner_name: str | None = None,
) -> Measured:
    """Put one row's numbers together.

    Args:
        correct: Whether each answer is right, bool [N], or of several seeds [S, N].
        folds: Test fold of each picture, int [N].
        paper: The published mean; None where nothing was published.
        is_comparable: Whether this was the paper's protocol on the paper's data; if
            not, no difference is taken.
        partner: The same of another row on the same pictures, for a paired test.
        partner_name: What to call that row.

    Returns:
        The numbers. The interval of the pooled accuracy is Wilson's for one seed, by
        bootstrap over pictures for several; the paired test is of the first seed.
    """
    correct = np.atleast_2d(correct)
    shares = correct.mean(axis=0)
    means = [float(shares[folds == fold].mean()) for fold in np.unique(folds)]
    if len(correct) == 1:
        interval = wilson_interval(int(correct.sum()), correct.size)
    else:
        interval = bootstrap_interval(shares)
    ours = float(np.mean(means))
    compared = paper if is_comparable else None
    p = None
    if partner is not None:
        first, second = correct[0], np.atleast_2d(partner)[0]
        p = mcnemar(int((first & ~second).sum()), int((~first & second).sum()))
    return {
        "paper": paper,
        "ours": ours,
        "std": float(np.std(means, ddof=1)) if len(means) > 1 else None,
        "difference": None if compared is None else ours - compared,
        "interval": list(interval),
        "same_within_noise": None
        if compared is None
        else bool(interval[0] <= compared <= interval[1]),
        "partner": partner_name if partner is not None else None,
        "p": p,
        "num_examples": correct.shape[1],
        "folds": np.unique(folds).tolist(),
        "num_repeats": len(correct),
    }


def majority_rate(labels: np.ndarray) -> float:
    """Give the accuracy of always answering the most frequent class.

    Args:
        labels: Class indices, int [N].

    Returns:
        The rate, 0…1.
    """
    return float(np.bincount(labels).max() / len(labels))


def to_markdown(table: PaperTable) -> str:
    """Write a table for people.

    Args:
        table: The table.

    Returns:
        Markdown text.
    """
    lines = [f"# {table['title']}", ""]
    for note in table["notes"]:
        lines += [f"> **{note}**", ""]
    if table["rows"]:
        lines.append("| " + " | ".join(COLUMNS) + " |")
        lines.append("|---" * len(COLUMNS) + "|")
        lines += ["| " + " | ".join(_cells(row)) + " |" for row in table["rows"]]
        lines.append("")
    for absent in table["missing"]:
        lines.append(f"- {absent['name']} was not run: {absent['reason']}")
    if table["missing"]:
        lines.append("")
    rates = [f"{name} {rate:.3f}" for name, rate in table["majority"].items()]
    if rates:
        lines.append("Always answering the larger class reaches: " + ", ".join(rates))
        lines.append("")
    lines += [f"{line}\n" for line in table["remarks"]]
    return "\n".join(lines)


def _cells(row: PaperRow) -> Sequence[str]:
    low, high = row["interval"]
    same = {None: "–", True: "yes", False: "no"}[row["same_within_noise"]]
    spread = "" if row["std"] is None else f" ± {row['std']:.3f}"
    return (
        row["name"],
        VIEW_NAMES.get(row["view"], row["view"]),
        "–" if row["paper"] is None else f"{row['paper']:.3f}",
        f"{row['ours']:.3f}{spread}",
        "–" if row["difference"] is None else f"{row['difference']:+.3f}",
        f"{low:.3f}–{high:.3f} (n={row['num_examples']})",
        "–" if row["p"] is None else f"{row['p']:.3f} to {row['partner']}",
        same,
    )
