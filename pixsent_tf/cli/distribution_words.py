"""How are distances of distributions said to people?"""

from __future__ import annotations

from pixsent_tf.results.distributions import DISTANCES, DistributionMetrics


def describe_distribution(results: DistributionMetrics | None) -> list[tuple[str, str]]:
    """Put into words how far answers are from the shares of the votes.

    Args:
        results: The numbers; None where shares were not learnt.

    Returns:
        Pairs of a name and its value.
    """
    if results is None:
        return []
    parts = {
        "mean shares": dict(results["mean_baseline"]),
        "majority": dict(results["majority_baseline"]),
    }
    if results["ceiling"] is not None:
        parts["true shares"] = dict(results["ceiling"])
    votes = results["mean_votes"]
    counted = (
        "how many voted is not known"
        if votes is None
        else f"{votes:.1f} votes a picture"
    )
    rows = [("shares of votes", counted)]
    for title, name in DISTANCES:
        bounds = results["bootstrap_intervals"][name]
        interval = f" ({bounds[0]:.3f} to {bounds[1]:.3f})" if bounds else ""
        beside = ", ".join(f"{k} {_text(part[name])}" for k, part in parts.items())
        text = f"{_text(dict(results)[name])}{interval}; {beside}"
        rows.append((f"  {title}", text))
    return rows


def _text(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "infinite"
