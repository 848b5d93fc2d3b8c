"""How far chance may reach, so that looks without end seldom lead to a false alarm.

The chance of a false alarm is spent over the looks: look t gets the share 6 / (π t)² of it, and these shares add up to
one. So the chance that any look of all ever raises one stays below 5 %, shared by six kinds of findings (Bonferroni),
however the looks depend on one another and whenever one stops.
"""

import math
from statistics import NormalDist

from noria.bundle import MetricValue
from noria.monitoring.results import MetricChange

_ALPHA = 0.05
_KINDS = 6
"""Quality, worth, rules, the model before, the answers of the newest batch, and drift."""
_USUAL = 2.576
"""Standard deviations behind the limits of `null_distribution`, which are exceeded in 1 of 100 looks at one column."""


def look_scores(look: int, tests: int = 1) -> float:
    """How many standard deviations chance may reach at a look, on one side.

    Args:
        look: which look at this model it is, from 1.
        tests: findings of one kind that are tested at each look, such as columns.

    >>> [round(look_scores(look), 2) for look in (1, 52, 8_760)]
    [2.57, 4.62, 6.42]
    """
    share = 6 / (math.pi * look) ** 2
    return -NormalDist().inv_cdf(_ALPHA / _KINDS / tests * share)


def drift_stretch(look: int, columns: int) -> float:
    """By how much the limits of drift by chance grow, at a look at so many columns."""
    return max(look_scores(look, 2 * max(columns, 1)) / _USUAL, 1.0)


def proven(
    change: MetricChange | None, look: int, confidence: float, promised: MetricValue | None
) -> MetricChange | None:
    """The change, with `beyond_chance` as this look may say it; the promised value is uncertain, too.

    Standard errors come from the widths of the bootstrap intervals.

    Args:
        change: a figure beside its promised value.
        look: which look at this model it is, from 1.
        confidence: of the intervals.
        promised: the promised value with its interval.
    """
    if change is None:
        return None
    errors = [standard_error(change.low, change.high, confidence)]
    if promised is not None:
        errors.append(standard_error(promised.low, promised.high, confidence))
    far = change.worse_by > look_scores(look) * math.hypot(*errors)
    return change.model_copy(update={"beyond_chance": bool(far and change.worse_by > 0)})


def is_beaten(lead: float, low: float, high: float, look: int, confidence: float) -> bool:
    """Whether a rival leads beyond what chance reaches at this look.

    Args:
        lead: by how much the rival is better.
        low: lower end of the interval of the difference.
        high: upper end of it.
        look: which look at this model it is, from 1.
        confidence: of the interval.
    """
    return lead > 0 and lead > look_scores(look) * standard_error(low, high, confidence)


def standard_error(low: float, high: float, confidence: float) -> float:
    """The standard error behind an interval at that confidence."""
    return (high - low) / (2 * NormalDist().inv_cdf((1 + confidence) / 2))
