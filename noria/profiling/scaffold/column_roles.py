"""Which role a column has: identifier, time, group, excluded, or a feature."""

from dataclasses import dataclass, field

import pandas as pd

from noria.profiling.order_relation import outcomes
from noria.profiling.scaffold import name_hints
from noria.profiling.scaffold.column_summary import MAX_CATEGORIES, ColumnSummary
from noria.profiling.scaffold.key_evidence import KeyVerdict, judge_key
from noria.tabular.column_decision import ColumnDecision

_FEWEST_TIMES = 10
_MOST_MISSING_TIMES = 0.02


@dataclass(frozen=True)
class ColumnRoles:
    """The role of every column but the target."""

    id: str | None = None
    time: str | None = None
    group: str | None = None
    """Names the group that a row belongs to, where several rows belong together."""
    exclude: dict[str, str] = field(default_factory=dict)
    """Column no model should see → why."""
    features: list[ColumnSummary] = field(default_factory=list)
    """All other columns, dates included."""
    categorical: list[str] = field(default_factory=list)
    """Features whose numbers are names."""
    decisions: dict[str, ColumnDecision] = field(default_factory=dict)
    """Column → why it has its role, where that is a guess which changes what a model sees."""


def assign_roles(facts: dict[str, ColumnSummary], frame: pd.DataFrame, target: str, *, is_number: bool) -> ColumnRoles:
    """Give every column a role by its values; a name only raises the question. Leakage is detected elsewhere.

    Args:
        facts: the summary of every column.
        frame: the table.
        target: the column to predict.
        is_number: whether the target is predicted as a number, not as a class.
    """
    others = [fact for fact in facts.values() if fact.name != target]
    keys = _keys(others, frame, target, is_number=is_number)
    identifiers = [fact for fact in others if fact.is_unique and _has_role(keys, fact, "identifier")]
    identifiers.sort(key=lambda fact: (not name_hints.is_id(fact.name), not name_hints.is_running_number(fact.name)))
    moments = sorted(
        filter(_is_event_time, others), key=lambda fact: (not name_hints.is_event_time(fact.name), -fact.distinct)
    )
    id_ = identifiers[0].name if identifiers else None
    time = moments[0].name if moments else None
    group = next((fact.name for fact in others if _has_role(keys, fact, "group")), None)
    exclude = {fact.name: why for fact in others if fact.name not in {id_, time} and (why := _why_excluded(fact, keys))}
    features = [fact for fact in others if fact.name not in {id_, time, *exclude}]
    categorical = [fact.name for fact in features if _is_name_in_digits(fact, keys)]
    decisions = _decisions(others, keys, moments, categorical) | _key_decisions(keys, id_, group)
    return ColumnRoles(id_, time, group, exclude, features, categorical, decisions)


def _keys(others: list[ColumnSummary], frame: pd.DataFrame, target: str, *, is_number: bool) -> dict[str, KeyVerdict]:
    outcome = outcomes(frame[target], is_number=is_number)
    judged = {fact.name: judge_key(fact, frame[fact.name], target, outcome) for fact in others}
    return {name: verdict for name, verdict in judged.items() if verdict is not None}


def _has_role(keys: dict[str, KeyVerdict], fact: ColumnSummary, role: str) -> bool:
    return fact.name in keys and keys[fact.name].role == role


def _is_date(fact: ColumnSummary) -> bool:
    is_full = fact.missing <= _MOST_MISSING_TIMES
    return fact.type == "datetime" and is_full and fact.distinct >= _FEWEST_TIMES


def _is_event_time(fact: ColumnSummary) -> bool:
    return _is_date(fact) and not name_hints.is_other_date(fact.name)


def _why_excluded(fact: ColumnSummary, keys: dict[str, KeyVerdict]) -> str:
    if _has_role(keys, fact, "identifier") or (_has_role(keys, fact, "group") and fact.distinct > MAX_CATEGORIES):
        return f"an identifier: {keys[fact.name].why}"
    return fact.training.reason


def _is_name_in_digits(fact: ColumnSummary, keys: dict[str, KeyVerdict]) -> bool:
    is_name = name_hints.is_code(fact.name) or _has_role(keys, fact, "group")
    return fact.type == "integer" and fact.distinct > 2 and is_name


def _key_decisions(keys: dict[str, KeyVerdict], id_: str | None, group: str | None) -> dict[str, ColumnDecision]:
    found = {}
    for name, key in keys.items():
        if name == id_:
            text, line = f"identifies a case, so no model sees it: {key.why}", f"remove `id: {name}` from `data`"
        elif name == group:
            text = f"names a group whose rows stay together, so no model sees it: {key.why}"
            line = "`split.method: stratified` without `split.group`"
        elif key.role == "feature":
            text, line = f"is a feature: {key.why}", f"`features.exclude: [{name}]`"
        else:
            continue
        found[name] = ColumnDecision(name, text, asks=key.asks, line=line)
    return found


def _decisions(
    others: list[ColumnSummary],
    keys: dict[str, KeyVerdict],
    moments: list[ColumnSummary],
    categorical: list[str],
) -> dict[str, ColumnDecision]:
    found = {}
    for fact in moments[:1]:
        also = f"; other dates: {', '.join(f'`{other.name}`' for other in moments[1:])}" if moments[1:] else ""
        text = f"tells when a case happened: {fact.distinct:,} different dates{also}"
        line = f"remove `time: {fact.name}` from `data`, or name another column there"
        found[fact.name] = ColumnDecision(fact.name, text, asks=len(moments) > 1, line=line)
    for fact in others:
        if _is_date(fact) and name_hints.is_other_date(fact.name):
            text = "a date that, by its name, is not when the case happened"
            found[fact.name] = ColumnDecision(fact.name, text, line=f"`data.time: {fact.name}`")
        elif fact.name in categorical:
            why = "it repeats like an identifier" if fact.name in keys else "its name says so"
            text = f"its {fact.distinct:,} different numbers are names, not amounts: {why}"
            found[fact.name] = ColumnDecision(fact.name, text, line="remove it from `features.categorical`")
    return found
