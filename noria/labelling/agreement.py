"""Where people disagree on a label, how much, and how it is settled."""

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from noria.labelling.answers import UNNAMED, Answer, Label

Rule = Literal["majority", "newest"]


@dataclass(frozen=True)
class Disagreement:
    """A prediction that got several labels."""

    prediction_id: str
    labels: dict[str, Label]
    """Who → their label. A person who gave two at once is named with a number."""


@dataclass(frozen=True)
class PairAgreement:
    """How far two people agree on the cases that both have labelled."""

    first: str
    second: str
    cases: int
    kappa: float | None
    """Cohen's kappa: 1 is full agreement, 0 what chance gives; None for numbers, and where both always said the same
    one thing."""


@dataclass(frozen=True)
class Settled:
    """Which answers count."""

    answers: list[Answer]
    """One per prediction: the newest of those that agree, or what the rule has chosen."""
    open: list[Disagreement]
    """Predictions whose answers differ, and no rule has settled it."""
    pairs: list[PairAgreement]


def settle(answers: Sequence[Answer], rule: Rule | None = None) -> Settled:
    """One answer per prediction.

    The last answer of a person counts, if it was given later than their others; two at the same time contradict each
    other. Of several people none wins by itself: only `rule` lets the majority, or the newest answer, count.

    Args:
        answers: n answers; several per prediction are allowed.
        rule: None: predictions with different labels stay open. A majority is more than half of the people.
    """
    cases: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        cases[answer.prediction_id].append(answer)
    latest = {prediction: _latest_of_each(given) for prediction, given in cases.items()}
    chosen: list[Answer] = []
    still_open: list[Disagreement] = []
    for prediction, given in latest.items():
        one: Answer | None = given[-1] if len({each.label for each in given}) == 1 else _by_rule(given, rule)
        if one is not None:
            chosen.append(one)
        else:
            still_open.append(Disagreement(prediction, _named(given)))
    return Settled(chosen, still_open, _pairs(latest))


def _latest_of_each(given: Sequence[Answer]) -> list[Answer]:
    """What each person said last, the newest at the end; several, if they differ and came at the same time.

    Answers without a name may be of several people, so none replaces another one.
    """
    people: dict[tuple[str, int], list[Answer]] = defaultdict(list)
    for place, answer in enumerate(given):
        people[answer.given_by, place if answer.given_by == UNNAMED else 0].append(answer)
    found: list[Answer] = []
    for answers in people.values():
        last = max(each.at for each in answers)
        found += {each.label: each for each in answers if each.at == last}.values()
    return sorted(found, key=lambda each: each.at)


def _by_rule(given: Sequence[Answer], rule: Rule | None) -> Answer | None:
    if rule == "newest":
        newest = [each for each in given if each.at == given[-1].at]
        return newest[0] if len({each.label for each in newest}) == 1 else None
    if rule == "majority":
        label, votes = Counter(each.label for each in given).most_common(1)[0]
        return [each for each in given if each.label == label][-1] if 2 * votes > len(given) else None
    return None


def _named(given: Sequence[Answer]) -> dict[str, Label]:
    times = Counter(each.given_by for each in given)
    seen: Counter[str] = Counter()
    labels = {}
    for each in given:
        seen[each.given_by] += 1
        name = each.given_by if times[each.given_by] == 1 else f"{each.given_by} ({seen[each.given_by]})"
        labels[name] = each.label
    return labels


def _pairs(latest: dict[str, list[Answer]]) -> list[PairAgreement]:
    """Every two people with at least two cases in common (J. Cohen, A coefficient of agreement for nominal scales,
    Educational and Psychological Measurement 20, 1960)."""
    said: dict[str, dict[str, Label]] = defaultdict(dict)
    for prediction, given in latest.items():
        for answer in given:
            said[answer.given_by][prediction] = answer.label
    found = []
    for first, second in itertools.combinations(sorted(said), 2):
        both = sorted(said[first].keys() & said[second].keys())
        if len(both) > 1:
            labels = [(said[first][each], said[second][each]) for each in both]
            found.append(PairAgreement(first, second, len(both), cohens_kappa(labels)))
    return found


def cohens_kappa(labels: Sequence[tuple[Label, Label]]) -> float | None:
    """Cohen's kappa of n pairs of labels; None for numbers, and where both gave the same label everywhere.

    >>> cohens_kappa([("Yes", "Yes"), ("Yes", "No"), ("No", "No"), ("No", "No")])
    0.5
    """
    if any(isinstance(each, float) for pair in labels for each in pair):
        return None
    from sklearn.metrics import cohen_kappa_score

    if len({each for pair in labels for each in pair}) == 1:
        return None
    kappa = float(cohen_kappa_score(*zip(*labels, strict=True)))
    return None if math.isnan(kappa) else round(kappa, 12)
