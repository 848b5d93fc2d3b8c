"""Tests and intervals that stay valid however often one looks, and whenever one stops.

A test of fixed size that is looked at each day is wrong far more often than it says. The tools here rest on e-values:
an e-value is a non-negative number whose mean is at most 1 while the null hypothesis holds, and an e-process keeps that
at every time at which one may stop. By Ville's inequality an e-process ever reaches 1/α with a chance of at most α.
Evidence is returned as the natural logarithm of an e-value, so that it can neither overflow nor vanish.

Sources: A. Ramdas, P. Grünwald, V. Vovk and G. Shafer, Game-theoretic statistics and safe anytime-valid inference,
Statistical Science 38, 2023; each module names its own.

>>> import numpy as np
>>> right = np.random.default_rng(0).random(2_000) < 0.8  # answers that were right
>>> low, high = mean_interval(right, confidence=0.95)  # holds at all times at once, also when this is the tenth look
>>> low < 0.8 < high
True
>>> bool(log_e_value(right, 0.75, side="greater") > np.log(1 / 0.01))  # more than 3 in 4 are right, at 1 %
True
"""

from noria.metrics.sequential.betting import Side, log_e_process, log_e_value, mean_interval
from noria.metrics.sequential.blocks import auc_differences, closed_blocks, mean_differences
from noria.metrics.sequential.category_change import log_e_change, log_e_rate
from noria.metrics.sequential.comparison import Comparison, compare, planned_cases
from noria.metrics.sequential.large_samples import log_e_large_sample, mean_interval_large_sample
from noria.metrics.sequential.multiple_tests import OnlineFdr, e_bh, log_e_from_p

__all__ = [
    "Comparison",
    "OnlineFdr",
    "Side",
    "auc_differences",
    "closed_blocks",
    "compare",
    "e_bh",
    "log_e_change",
    "log_e_from_p",
    "log_e_large_sample",
    "log_e_process",
    "log_e_rate",
    "log_e_value",
    "mean_differences",
    "mean_interval",
    "mean_interval_large_sample",
    "planned_cases",
]
