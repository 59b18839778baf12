"""How good are answers that are shares, where annotators gave shares too?

Reference:
    Geng, "Label Distribution Learning", IEEE TKDE 28 (2016), table 2.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import gammaln, rel_entr

from pixsent_tf.evaluation.intervals import bootstrap_means, percentile_interval
from pixsent_tf.results.distributions import Distances, DistributionMetrics

_MEANS = ("kl", "chebyshev", "clark", "canberra", "cosine", "intersection", "top1")
NAMES = (*_MEANS, "macro_f1")
_DRAWS = 20  # of true shares, for the ceiling


def summarize(
    *,
    votes: np.ndarray,
    probs: np.ndarray,
    folds: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> DistributionMetrics:
    """Compute the numbers, beside two baselines and the ceiling.

    Args:
        votes: Of each picture, int [N, K], one or more; or their shares, float, which
            no ceiling can be told of.
        probs: What the model answers, float [N, K]; rows sum to one.
        folds: Test fold of each picture, int [N]; None for a single part, whose own
            mean the baselines then take.
        groups: Group of each picture, int [N], which intervals draw whole.

    Returns:
        The numbers.
    """
    counts, is_counted = votes.sum(axis=1), votes.dtype.kind == "i"
    shares = votes / counts[:, None]
    found = measure(shares=shares, probs=probs)
    sums = bootstrap_means(_columns(shares, probs), groups=groups)
    drawn = {name: sums[:, i] for i, name in enumerate(_MEANS)}
    drawn["macro_f1"] = _macro_f1(sums[:, len(_MEANS) :])
    return {
        **found,
        "bootstrap_intervals": {
            name: list(percentile_interval(drawn[name]))
            if np.isfinite(drawn[name]).all()
            else None
            for name in NAMES
        },
        "mean_baseline": measure(shares=shares, probs=_means(shares, folds)),
        "majority_baseline": measure(shares=shares, probs=_majorities(shares, folds)),
        "ceiling": ceiling(votes) if is_counted else None,
        "num_examples": len(shares),
        "mean_votes": float(counts.mean()) if is_counted else None,
    }


def measure(*, shares: np.ndarray, probs: np.ndarray) -> Distances:
    """Compute the distances of answers from shares.

    Args:
        shares: Of the votes, float [N, K]; rows sum to one.
        probs: What is answered, likewise.

    Returns:
        Their means over the pictures.
    """
    columns = _columns(shares, probs).mean(axis=0)
    found = dict(zip(_MEANS, columns[: len(_MEANS)].tolist(), strict=True))
    kl = found["kl"]
    return {
        "kl": kl if np.isfinite(kl) else None,
        "chebyshev": found["chebyshev"],
        "clark": found["clark"],
        "canberra": found["canberra"],
        "cosine": found["cosine"],
        "intersection": found["intersection"],
        "top1": found["top1"],
        "macro_f1": float(_macro_f1(columns[None, len(_MEANS) :])[0]),
    }


def ceiling(votes: np.ndarray, *, seed: int = 0) -> Distances:
    """Expect the distances of who knows the true shares: votes are few, and differ.

    True shares are drawn from what the votes leave open: a Dirichlet distribution
    around the shares of all pictures, as tight as the votes themselves say, updated by
    the votes of the picture.

    Args:
        votes: Of each picture, [N, K]; one or more.
        seed: Of the draws.

    Returns:
        Means over pictures and draws.
    """
    prior = _prior(votes)
    generator = np.random.default_rng(seed)
    drawn = generator.gamma(votes + prior, size=(_DRAWS, *votes.shape)) + 1e-300
    true = drawn / drawn.sum(axis=2, keepdims=True)
    shares = votes / votes.sum(axis=1, keepdims=True)
    return measure(
        shares=np.tile(shares, (_DRAWS, 1)), probs=true.reshape(-1, shares.shape[1])
    )


def _prior(votes: np.ndarray) -> np.ndarray:
    """The Dirichlet distribution under which such votes are likeliest, [K]."""
    mean = votes.sum(axis=0) + 0.5
    mean /= mean.sum()
    totals = votes.sum(axis=1)

    def loss(log_strength: float) -> float:
        """Minus the logarithm of the votes' probability, but for a constant."""
        prior = np.exp(log_strength) * mean
        whole = prior.sum()
        each = gammaln(votes + prior).sum(axis=1) - gammaln(totals + whole)
        return -float((each + gammaln(whole) - gammaln(prior).sum()).sum())

    best = minimize_scalar(loss, bounds=(-4.0, 8.0), method="bounded").x
    return np.exp(best) * mean


def _columns(shares: np.ndarray, probs: np.ndarray) -> np.ndarray:
    """What is averaged: the distances, and the counts behind F1, [N, 7 + 3K]."""
    shares, probs = np.asarray(shares, "float64"), np.asarray(probs, "float64")
    off, both = np.abs(shares - probs), shares + probs
    relative = np.divide(off, both, out=np.zeros_like(off), where=both > 0)
    lengths = np.linalg.norm(shares, axis=1) * np.linalg.norm(probs, axis=1)
    answers, rows = probs.argmax(axis=1), np.arange(len(probs))
    # where several classes have the most votes, any of them is right
    wins = shares >= shares.max(axis=1, keepdims=True) - 1e-12
    is_right = wins[rows, answers]
    labels = np.where(is_right, answers, shares.argmax(axis=1))
    eye = np.eye(shares.shape[1])
    return np.column_stack(
        [
            rel_entr(shares, probs).sum(axis=1),
            off.max(axis=1),
            np.sqrt((relative**2).sum(axis=1)),
            relative.sum(axis=1),
            (shares * probs).sum(axis=1) / lengths,
            np.minimum(shares, probs).sum(axis=1),
            is_right,
            eye[labels] * is_right[:, None],
            eye[answers],
            eye[labels],
        ]
    )


def _macro_f1(columns: np.ndarray) -> np.ndarray:
    """Mean F1 of the classes that are answered or most voted for, [R]."""
    right, answered, labelled = np.split(columns, 3, axis=1)
    total = answered + labelled
    f1 = np.divide(2 * right, total, out=np.zeros_like(total), where=total > 0)
    return f1.sum(axis=1) / (total > 0).sum(axis=1)


def _means(shares: np.ndarray, folds: np.ndarray | None) -> np.ndarray:
    """The mean shares of the pictures in other folds, [N, K]."""
    found = np.empty_like(shares, dtype="float64")
    for tested, others in _parts(len(shares), folds):
        found[tested] = shares[others].mean(axis=0)
    return found


def _majorities(shares: np.ndarray, folds: np.ndarray | None) -> np.ndarray:
    """The class that wins most often in other folds, and no other, [N, K]."""
    found = np.zeros_like(shares, dtype="float64")
    for tested, others in _parts(len(shares), folds):
        wins = np.bincount(shares[others].argmax(axis=1), minlength=shares.shape[1])
        found[tested, int(wins.argmax())] = 1
    return found


def _parts(count: int, folds: np.ndarray | None) -> list[tuple[np.ndarray, np.ndarray]]:
    everything = np.ones(count, dtype=bool)
    if folds is None or len(np.unique(folds)) < 2:
        return [(everything, everything)]
    return [(folds == fold, folds != fold) for fold in np.unique(folds)]
