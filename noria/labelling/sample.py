"""A choice of rows with the probability of each: most to teach the model, some at random to judge it by."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noria.labelling.asked import RANDOM_SHARE
from noria.labelling.design import Knowledge, Pool, most_informative


@dataclass(frozen=True)
class Sample:
    """k of n rows."""

    rows: NDArray[np.intp]
    """(k,) places in the pool: those that teach most, best first, then those drawn at random."""
    is_random: NDArray[np.bool_]
    """(k,) which of them were drawn at random."""
    probability: NDArray[np.float64]
    """(k,) how likely each one was to be in the sample."""
    unknown: NDArray[np.float64]
    """(n,) how little is known of each row of the pool, see `most_informative`."""


def draw_sample(
    pool: Pool, known: Knowledge, budget: int, *, random_share: float = RANDOM_SHARE, seed: int = 0
) -> Sample:
    """Choose at most `budget` of n rows.

    Those that teach most are certain to be chosen, so their probability is 1. Of the others each one is as likely as
    any. Weighed by 1 / probability, the sample stands for the whole pool without bias: a stratum that is taken
    completely, and a simple random sample of the rest (W. G. Cochran, Sampling techniques, 1977, chapter 5).

    Args:
        pool: n rows.
        known: what the model has learned from.
        budget: how many labels are wanted.
        random_share: share of them drawn at random, 0 to 1.
        seed: of the draw.
    """
    n = len(pool.space)
    wanted = min(budget, n)
    drawn = round(wanted * random_share)
    taught, unknown = most_informative(pool, known, wanted - drawn)
    rest = np.setdiff1d(np.arange(n), taught)
    drawn = min(drawn, len(rest))
    others = np.random.default_rng(seed).choice(rest, drawn, replace=False)
    probability = np.repeat([1.0, drawn / max(len(rest), 1)], [len(taught), drawn])
    is_random = np.repeat([False, True], [len(taught), drawn])
    return Sample(np.concatenate([taught, others]).astype(np.intp), is_random, probability, unknown)
