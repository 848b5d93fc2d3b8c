"""Is a column a key (of a case, or of a group of cases) or a measure? A name raises the question, the values decide."""

from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from noria.profiling.order_relation import Floats, OrderRelation, group_effect, order_relation
from noria.profiling.scaffold import name_hints
from noria.profiling.scaffold.column_summary import ColumnSummary

_CHANCE = 0.01
_SURE = 0.001
_STRONG = 0.5
"""Numbers that are given out in time drift along with the target; a measure called an identifier does more."""
_DENSE = 1.1
_FEWEST_GROUPS = 20
_MOST_DIFFERENT = 0.9
_REPEATS_BY_CHANCE = 10.0
"""So many pairs of equal values, expected and none seen, do not come about by chance (Poisson: p below 0.0001)."""


@dataclass(frozen=True)
class KeyVerdict:
    """What a column that may be a key is."""

    role: Literal["identifier", "group", "feature"]
    why: str
    """The evidence, in words."""
    asks: bool = False
    """Whether the evidence is thin or divided, so that a person should confirm it."""


def judge_key(fact: ColumnSummary, values: "pd.Series[Any]", target: str, outcome: Floats) -> KeyVerdict | None:
    """Decide whether a column is a key.

    Args:
        fact: its summary.
        values: its n values.
        target: the name of the target.
        outcome: (n, k) the target as numbers.

    Returns:
        None if nothing speaks for a key.
    """
    if fact.type not in {"integer", "text"}:
        return None
    if fact.distinct == round((1 - fact.missing) * fact.rows) and fact.distinct > 1:
        return _judge_different(fact, values, target, outcome)
    if fact.missing > 0 or fact.distinct < _FEWEST_GROUPS:
        return None
    return _judge_repeated(fact, values, target, outcome)


def _judge_different(fact: ColumnSummary, values: "pd.Series[Any]", target: str, outcome: Floats) -> KeyVerdict | None:
    """All present values are different: a key of the case, unless they measure something."""
    is_named = name_hints.is_id(fact.name) or name_hints.is_running_number(fact.name)
    different = f"all {fact.distinct:,} values are different"
    if fact.type == "text":
        is_key = is_named or (fact.is_unique and fact.training.unusable == "free text" and not fact.prose)
        return KeyVerdict("identifier", f"{different}, and text") if is_key else None
    span = int(values.max()) - int(values.min()) + 1
    is_counter = fact.is_unique and span <= _DENSE * fact.rows
    relation = order_relation(values, outcome)
    shown = f"strength {relation.strength:.2f}, p {relation.p_value:.2g}"
    if not (is_named or is_counter):
        return _unnamed(fact, relation, span, f"{different} whole numbers, unrelated to `{target}` ({shown})")
    if relation.p_value >= _CHANCE:
        return KeyVerdict("identifier", f"{different}, and their order does not go along with `{target}` ({shown})")
    along = f"their order goes along with `{target}` ({shown})"
    if is_named and is_counter:
        why = f"{different} and count the rows; {along}, as if the table were sorted"
        return KeyVerdict("identifier", why, asks=True)
    if name_hints.is_id(fact.name) and not _is_measure(relation):
        return KeyVerdict("identifier", f"{different} and it is called one; but {along}", asks=True)
    hint = "its name could be that of an identifier" if is_named else f"{different} and count the rows"
    return KeyVerdict("feature", f"{hint}, but {along}, as a measure does", asks=True)


def _unnamed(fact: ColumnSummary, relation: OrderRelation, span: int, why: str) -> KeyVerdict | None:
    """Whole numbers that are all different, though nothing but their values speaks for a key.

    A measure repeats: n values that are spread over a span of numbers have at least n(n - 1) / 2 / span equal pairs to
    be expected, as many as that where all numbers are equally likely (the birthday problem).
    """
    if relation.p_value < _CHANCE or not fact.is_unique:
        return None
    expected = fact.rows * (fact.rows - 1) / 2 / span
    if expected >= _REPEATS_BY_CHANCE:
        return KeyVerdict(
            "identifier", f"{why}; by chance about {expected:,.0f} pairs of them would be equal", asks=True
        )
    return KeyVerdict("feature", f"{why}, as those of an identifier are; kept as a feature", asks=True)


def _judge_repeated(fact: ColumnSummary, values: "pd.Series[Any]", target: str, outcome: Floats) -> KeyVerdict | None:
    """Some values repeat: a key of a group, such as the patient of several visits, unless they measure something."""
    is_id = name_hints.is_id(fact.name)
    if not is_id and fact.distinct > _MOST_DIFFERENT * fact.rows:
        return None
    if not is_id and not name_hints.is_running_number(fact.name):
        return _unnamed_group(fact, values, target, outcome)
    several = f"its name says so, and it has {fact.distinct:,} different values in {fact.rows:,} rows"
    relation = order_relation(values, outcome) if fact.type == "integer" else None
    if relation is None:
        asks, order = False, ""
    else:
        shown, asks = f"(strength {relation.strength:.2f}, p {relation.p_value:.2g})", relation.p_value < _CHANCE
        if asks and (not is_id or _is_measure(relation)):
            why = f"its name could be that of an identifier, but its order goes along with `{target}` {shown}"
            return KeyVerdict("feature", f"{why}, as a measure does", asks=True)
        order = f"; but its order goes along with `{target}` {shown}" if asks else ""
        order = order or f", whose order does not go along with `{target}` {shown}"
    if not is_id and group_effect(values, outcome) >= _CHANCE:
        return None
    return KeyVerdict("group", several + order, asks)


def _unnamed_group(fact: ColumnSummary, values: "pd.Series[Any]", target: str, outcome: Floats) -> KeyVerdict | None:
    """Whole numbers that repeat and mean something each, but not by their order: names of groups, or categories."""
    if fact.type != "integer" or name_hints.is_code(fact.name):
        return None
    effect = group_effect(values, outcome, in_ranges=True)
    if effect >= _SURE or order_relation(values, outcome).p_value < _CHANCE:
        return None
    why = f"its {fact.distinct:,} numbers go along with `{target}` one by one (p {effect:.2g}), not by their order"
    why += ", as those of a person or a machine with several rows do; kept as a feature. If new cases come from others"
    return KeyVerdict("feature", f"{why}, `split: {{method: group, group: {fact.name}}}`", asks=True)


def _is_measure(relation: OrderRelation) -> bool:
    return relation.p_value < _SURE and relation.strength >= _STRONG
