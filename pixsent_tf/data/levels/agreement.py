"""How often would one more annotator agree with the label?

No model can be expected to agree with a label more often than people do. Each picture
has a share of people who find it positive; across pictures the shares follow a beta
distribution, which is fitted to the votes.

Reference:
    Griffiths, "Maximum likelihood estimation for the beta-binomial distribution and
    an application to the household distribution of the total number of cases of a
    disease", Biometrics 29 (1973).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln


def fit_beta(votes: np.ndarray) -> tuple[float, float] | None:
    """Fit how the share of positive votes is distributed across pictures.

    Args:
        votes: Votes against and for, int [N, 2], of pictures that were not selected by
            how much their annotators agree.

    Returns:
        The two parameters of the beta distribution; None where nobody disagrees, so
        that the votes tell nothing about disagreement.
    """
    against, in_favor = votes.T
    if not ((against > 0) & (in_favor > 0)).any():
        return None

    def loss(logs: np.ndarray) -> float:
        a, b = np.exp(logs)
        return -float((betaln(a + in_favor, b + against) - betaln(a, b)).mean())

    a, b = np.exp(minimize(loss, np.zeros(2), method="Nelder-Mead").x)
    return float(a), float(b)


def expected_agreement(
    *, votes: np.ndarray, labels: np.ndarray, beta: tuple[float, float]
) -> float:
    """Expect how often one more annotator gives the label.

    Args:
        votes: Votes against and for, int [N, 2].
        labels: Class indices, int [N].
        beta: What `fit_beta` found.

    Returns:
        The mean over the pictures, 0…1.
    """
    in_favor = (beta[0] + votes[:, 1]) / (sum(beta) + votes.sum(axis=1))
    return float(np.where(labels == 1, in_favor, 1 - in_favor).mean())
