"""Many columns, and looks without end: which of the findings to believe.

Sources: R. Wang and A. Ramdas, False discovery rate control with e-values, Journal of the Royal Statistical Society B
84, 2022; Z. Xu and A. Ramdas, Online multiple testing with e-values, AISTATS 2024 (e-LOND); V. Vovk and R. Wang,
E-values: calibration, combination and applications, Annals of Statistics 49, 2021. All hold however the tests depend
on one another.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


def e_bh(log_e: ArrayLike, *, alpha: float = 0.05) -> NDArray[np.bool_]:
    """(m,) which of m hypotheses to reject, so that at most a share `alpha` of those is expected to be true.

    Given e-processes, it may be applied at every look: while all hypotheses are true, the chance that any is ever
    rejected is at most `alpha`.

    Args:
        log_e: (m,) logarithms of e-values.
        alpha: the false discovery rate.

    >>> e_bh(np.log([900.0, 70.0, 3.0]), alpha=0.05)
    array([ True,  True, False])
    """
    given = np.asarray(log_e, dtype=np.float64)
    order = np.argsort(-given, kind="stable")
    needed = np.log(len(given) / alpha) - np.log(np.arange(1, len(given) + 1))
    enough = np.flatnonzero(given[order] >= needed)
    rejected = np.zeros(len(given), dtype=bool)
    if enough.size:
        rejected[order[: enough[-1] + 1]] = True
    return rejected


def log_e_from_p(p: float) -> float:
    """The logarithm of an e-value made from a p-value: the mixture of all power calibrators.

    Costs evidence: p = 0.001 becomes an e-value of 21.

    >>> round(math.exp(log_e_from_p(0.001)))
    21
    """
    if p >= 1:
        return math.log(0.5)
    if p <= 0:
        return math.inf
    log_p = math.log(p)
    return math.log(1 - p + p * log_p) - log_p - 2 * math.log(-log_p)


@dataclass
class OnlineFdr:
    """Decides about one hypothesis after another without end, the false discovery rate below `alpha` at all times.

    The t-th test needs an e-value of 1 / (alpha γ(t) (discoveries + 1)), where γ(t) = 6 / (π t)². Between two looks
    only the two counts must be kept.

    >>> fdr = OnlineFdr(alpha=0.05)
    >>> [fdr.test(math.log(e)) for e in (40.0, 100.0, 3.0)]
    [True, True, False]
    """

    alpha: float = 0.05
    tests: int = 0
    """Hypotheses tested so far."""
    discoveries: int = 0
    """Those of them that were rejected."""

    def test(self, log_e: float) -> bool:
        """Whether the next hypothesis is rejected, by the logarithm of its e-value."""
        self.tests += 1
        level = self.alpha * 6 / (math.pi * self.tests) ** 2 * (self.discoveries + 1)
        rejected = log_e >= -math.log(level)
        self.discoveries += rejected
        return rejected
