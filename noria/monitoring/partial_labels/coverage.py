"""For which decisions labels come, and whether that differs too much to leave it out of account."""

import math
from collections.abc import Collection, Mapping, Sequence

FEWEST = 5
"""Labelled cases that a group needs to stand for cases without a label."""
_FEWEST_TO_COMPARE = 30
"""Cases of a decision that are enough to say how many of its labels come."""
_FAR_LESS = 0.5
"""Labels come for some decisions only where they come this much less often than for another one …"""
_SCORES = 4.0
"""… and by so many standard errors."""


def is_partial(counts: Mapping[tuple[str, bool, bool], int], labels_for: Collection[str]) -> bool:
    """Whether labels come for some cases only, so that they must be weighed.

    Args:
        counts: (decision, whether it has a label, whether somebody was asked for it) → cases.
        labels_for: decisions whose labels come by themselves, as the use case has it.
    """
    own: dict[str, tuple[int, int]] = {}
    for (decision, has_label, was_asked), count in counts.items():
        if has_label and was_asked:
            return True
        came, cases = own.get(decision, (0, 0))
        own[decision] = came + count * has_label, cases + count
    is_known = any(came for came, _ in own.values())
    return is_known and (any(decision not in labels_for for decision in own) or bool(seldom(own)))


def seldom(own: Mapping[str, tuple[int, int]]) -> Sequence[str]:
    """Decisions for which labels come far less often than for another one, beyond chance.

    Args:
        own: decision → cases whose label came by itself, and all its cases.

    >>> seldom({"act": (90, 100), "leave": (20, 900), "ask": (1, 2)})
    ['leave']
    """
    enough = {decision: each for decision, each in own.items() if each[1] >= _FEWEST_TO_COMPARE}
    if len(enough) < 2:
        return []
    most, all_cases = max(enough.values(), key=lambda each: each[0] / each[1])
    highest = most / all_cases
    found = []
    for decision, (came, cases) in enough.items():
        share, pooled = came / cases, (came + most) / (cases + all_cases)
        error = math.sqrt(pooled * (1 - pooled) * (1 / cases + 1 / all_cases))
        if share < _FAR_LESS * highest and highest - share > _SCORES * error:
            found.append(decision)
    return found
