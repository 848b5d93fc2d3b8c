"""Which role a column has: identifier, time, group, excluded, or a feature."""

from dataclasses import dataclass, field

from noria.profiling.scaffold import name_hints
from noria.profiling.scaffold.column_summary import (
    MAX_CATEGORIES,
    ColumnSummary,
    is_identifier,
    is_repeated_identifier,
)

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


def assign_roles(facts: dict[str, ColumnSummary], target: str) -> ColumnRoles:
    """Give every column a role by its name and values; leakage is detected elsewhere."""
    others = [fact for fact in facts.values() if fact.name != target]
    identifiers = sorted(filter(is_identifier, others), key=lambda fact: not name_hints.is_id(fact.name))
    moments = sorted(
        filter(_is_event_time, others), key=lambda fact: (not name_hints.is_event_time(fact.name), -fact.distinct)
    )
    id_ = identifiers[0].name if identifiers else None
    time = moments[0].name if moments else None
    group = next((fact.name for fact in others if is_repeated_identifier(fact)), None)
    exclude = {fact.name: why for fact in others if fact.name not in {id_, time} and (why := _why_excluded(fact))}
    features = [fact for fact in others if fact.name not in {id_, time, *exclude}]
    categorical = [fact.name for fact in features if _is_name_in_digits(fact)]
    return ColumnRoles(id_, time, group, exclude, features, categorical)


def _is_event_time(fact: ColumnSummary) -> bool:
    return (
        fact.type == "datetime"
        and fact.missing <= _MOST_MISSING_TIMES
        and fact.distinct >= _FEWEST_TIMES
        and not name_hints.is_other_date(fact.name)
    )


def _why_excluded(fact: ColumnSummary) -> str:
    if is_identifier(fact) or (is_repeated_identifier(fact) and fact.distinct > MAX_CATEGORIES):
        return "an identifier"
    return fact.training.reason


def _is_name_in_digits(fact: ColumnSummary) -> bool:
    return (
        fact.type == "integer" and fact.distinct > 2 and (name_hints.is_code(fact.name) or is_repeated_identifier(fact))
    )
