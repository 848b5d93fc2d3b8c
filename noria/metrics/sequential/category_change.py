"""Evidence that the shares of categories have changed, batch after batch, against a reference of limited size.

The e-process is the ratio of two likelihoods of the counts. Above stands a Dirichlet mixture of all shares (R. E.
Krichevsky and V. K. Trofimov, The performance of universal encoding, 1981), below the shares that suit the reference
and the batches best together: universal inference (L. Wasserman, A. Ramdas and S. Balakrishnan, PNAS 117, 2020). The
shares of the reference are only known up to its sampling, which a fixed amount of evidence pays for: half the quantile
of the chi-squared distribution that their log-likelihood ratio follows (S. S. Wilks, 1938).

A change may come at any batch. The e-process is therefore a mixture of those that begin at each batch, with weights
1 / (s (s + 1)), as for the e-detectors of J. Shin, A. Ramdas and A. Rinaldo, 2023.
"""

import math
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from noria.metrics.sequential.betting import Side

Floats = NDArray[np.float64]
_PRIOR = 0.5
_log_gamma = np.vectorize(math.lgamma, otypes=[np.float64])


def log_e_change(reference: ArrayLike, batches: ArrayLike, *, doubt: float = 0.01) -> Floats:
    """(t,) after each batch, the evidence that the shares differ from the reference's since some batch.

    Numbers are given as counts of bins. Under no change, the chance that it ever reaches log(1 / α) is at most
    α + `doubt`, for independent rows; for m columns divide `doubt` by m.

    Args:
        reference: (k,) counts of the categories in the reference.
        batches: (t, k) counts in each batch, in the order of time.
        doubt: the chance that the reference is further off the truth than is paid for.
    """
    known, came = np.asarray(reference, dtype=np.float64), np.asarray(batches, dtype=np.float64)
    used = (known > 0) | (came > 0).any(axis=0)
    known, came = known[used], came[:, used]
    price = _chi_squared(1 - doubt, max(len(known) - 1, 1)) / 2
    totals = np.vstack([np.zeros(len(known)), came.cumsum(axis=0)])
    found = np.full(len(came), -np.inf)
    for last in range(len(came)):
        starts = np.arange(last + 1)
        evidence = _ratio(known, totals[last + 1] - totals[: last + 1]) - price
        found[last] = np.logaddexp(
            np.logaddexp.reduce(evidence - np.log((starts + 1.0) * (starts + 2.0))), -math.log(last + 2.0)
        )  # what begins later still holds its stake
    return found


def log_e_rate(hits: float, rows: float, rate: float, *, side: Side = "two-sided") -> float:
    """The evidence that the share of hits is not `rate`, or lies on one side of it, as the logarithm of an e-value.

    Args:
        hits: how many of the rows are hits.
        rows: rows so far.
        rate: the known rate (above 0, below 1) of the null hypothesis.
        side: "greater" tests that the rate is at most `rate`.
    """
    fit = hits * math.log(rate) + (rows - hits) * math.log1p(-rate)
    if side == "two-sided":
        return float(_mixture(np.array([[hits, rows - hits]]))[0]) - fit
    # uniform over the rates on one side, on a grid fine enough for the sum to be a mixture in its own right
    steps = (np.arange(400) + 0.5) / 400
    rates = rate + (1 - rate) * steps**2 if side == "greater" else rate * (1 - steps**2)
    logs = hits * np.log(rates) + (rows - hits) * np.log1p(-rates)
    return float(np.logaddexp.reduce(logs)) - math.log(len(rates)) - fit


def _ratio(known: Floats, came: Floats) -> Floats:
    """(s,) log-likelihood of s sums of batches under the mixture, less the best that one set of shares can do for the
    reference and the batches; the reference's own best fit is credited."""
    return np.asarray(_mixture(came) + _fit(known[None, :]) - _fit(known + came), dtype=np.float64)


def _mixture(counts: Floats) -> Any:
    """(s,) log-likelihood of sequences with these counts (s, k) under a Dirichlet(1/2) mixture of shares."""
    kinds, rows = counts.shape[1], counts.sum(axis=1)
    inside = (_log_gamma(counts + _PRIOR) - math.lgamma(_PRIOR)).sum(axis=1)
    return math.lgamma(kinds * _PRIOR) - _log_gamma(rows + kinds * _PRIOR) + inside


def _fit(counts: Floats) -> Any:
    """(s,) the largest log-likelihood of sequences with these counts (s, k)."""
    rows = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, rows, out=np.ones_like(counts), where=counts > 0)
    return (counts * np.log(shares)).sum(axis=1)


def _chi_squared(probability: float, freedom: int) -> float:
    """Quantile of the chi-squared distribution (E. B. Wilson and M. M. Hilferty, 1931; a little too large at most)."""
    part = 2 / (9 * freedom)
    return float(freedom * (1 - part + NormalDist().inv_cdf(probability) * math.sqrt(part)) ** 3)
