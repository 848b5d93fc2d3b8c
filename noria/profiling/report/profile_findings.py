"""The findings: what a person should know about the table, in plain words."""

from noria.profiling.report.profile_results import ColumnProfile, ProfileFinding, TableProfile
from noria.profiling.target_association import MISSING, LevelSummary
from noria.reporting.formats import count, number, percent, plural
from noria.schema.column_types import Unusable

NEARLY_NOTHING = 0.005
_SHOWN = 5
_STRONGEST = 3
_RARE = 0.05
_MANY_MISSING = 0.3
_MANY_OUTLIERS = 0.05
_ONE_VALUE = 0.99
_FEWEST_ROWS = 30


def profile_findings(facts: TableProfile) -> list[ProfileFinding]:
    """The sentences at the top of the report, what asks for attention first after the target."""
    return [
        _about_target(facts),
        *_suspects(facts),
        *_unreadable(facts),
        *_useless(facts),
        *_gaps(facts),
        *_set_aside(facts),
        *_repeated(facts),
        *_same(facts),
        *_far_off(facts),
        *_strongest(facts),
        *_silent(facts),
    ]


def describe_association(column: ColumnProfile, facts: TableProfile) -> str:
    """What one column tells about the target, in one or two sentences; empty if that was not measured."""
    if column.strength is None or column.role == "target":
        return ""
    contrast = _contrast(column, facts)
    opening = contrast or f"Alone it tells {describe_strength(column.strength)} about {facts.target}."
    return f"{opening} {_settles(column, facts)}"


def describe_strength(strength: float) -> str:
    """A strength in words."""
    steps = ((0.1, "a lot"), (0.03, "something"), (NEARLY_NOTHING, "a little"))
    return next((words for least, words in steps if strength >= least), "almost nothing")


def _contrast(column: ColumnProfile, facts: TableProfile) -> str:
    """The values with the highest and the lowest answer; empty if they say little, or there are several classes."""
    enough = [level for level in column.levels if level.rows >= _FEWEST_ROWS]
    if (column.strength or 0) < NEARLY_NOTHING or len(enough) < 2 or facts.task == "multiclass":
        return ""
    low, high = min(enough, key=lambda level: level.answer[0]), max(enough, key=lambda level: level.answer[0])
    if facts.task == "binary":
        return (
            f"Of the {_cases(facts)} {_where(column, high)}, {percent(high.answer[0])} have "
            f"{facts.target} = {facts.positive}; {_where(column, low)} it is {percent(low.answer[0])}."
        )
    return (
        f"{facts.target} is {number(high.answer[0], 3)} on average {_where(column, high)}, "
        f"and {number(low.answer[0], 3)} {_where(column, low)}."
    )


def _where(column: ColumnProfile, level: LevelSummary) -> str:
    if level.label == MISSING:
        return f"without {column.name}"
    return (
        f"with {column.name} {'=' if ' to ' not in level.label or column.kind == 'category' else 'from'} {level.label}"
    )


def _about_target(facts: TableProfile) -> ProfileFinding:
    if facts.task == "regression":
        numbers = facts.column(facts.target).numbers
        assert numbers is not None  # noqa: S101 - a validated regression target is a number
        return ProfileFinding(
            text=f"{facts.target} is {number(numbers.mean, 3)} on average over {plural(facts.rows, facts.case)}; "
            f"half of the values lie between {number(numbers.quarter, 3)} and {number(numbers.three_quarters, 3)}, "
            f"the largest is {number(numbers.maximum)}."
        )
    counts = {level.label: level.rows for level in facts.column(facts.target).levels}
    total = sum(counts.values())
    if facts.positive is not None:
        share = counts.get(facts.positive, 0) / total
        rare = " That is rare: a model that always says no is nearly always right." if share < _RARE else ""
        text = f"{percent(share)} of the {plural(facts.rows, facts.case)} have {facts.target} = {facts.positive}.{rare}"
        return ProfileFinding(text=text, tone="watch" if rare else "")
    shown = ", ".join(f"{label} ({percent(counts.get(label, 0) / total)})" for label in facts.classes[:_SHOWN])
    return ProfileFinding(text=f"{facts.target} has {plural(len(facts.classes), 'class')}, most often: {shown}.")


def _suspects(facts: TableProfile) -> list[ProfileFinding]:
    return [
        ProfileFinding(
            tone="bad",
            text=f"{name} is suspected of leakage: {why.replace('`', '')}. "
            "Is it known when the decision is made? If not, list it under data.unavailable_at_prediction.",
        )
        for name, why in (facts.suspects | facts.questioned).items()
    ]


def _unreadable(facts: TableProfile) -> list[ProfileFinding]:
    return [
        ProfileFinding(
            tone="bad",
            text=f"Training will stop at {c.name}: it is to be read as {c.kind}, but {c.unreadable}. Declare "
            f"data.expectations.columns.{c.name}.type, so that such rows are set aside, or exclude the column.",
        )
        for c in _inputs(facts)
        if c.unreadable
    ]


def _useless(facts: TableProfile) -> list[ProfileFinding]:
    nearly = [
        f"{c.name} ({percent(c.most_common_rows / facts.rows)} {c.most_common})"
        for c in _inputs(facts)
        if c.is_feature and c.distinct > 1 and c.most_common_rows >= _ONE_VALUE * facts.rows
    ]
    sentences: list[tuple[list[str], str]] = [
        (_unusable(facts, "empty"), "Dropped in training, because every value is missing: {}."),
        (_unusable(facts, "constant"), "Dropped in training, because every value is the same: {}."),
        (nearly, "Nearly always the same value: {}."),
        (_unusable(facts, "free text"), "Dropped in training as free text or identifiers that hardly repeat: {}."),
        (_unusable(facts, "compound"), "Dropped in training, because the values are not single values: {}."),
        (
            _unusable(facts, "calendar"),
            "Dates that training drops, because features.calendar names no part of them: {}.",
        ),
    ]
    return [ProfileFinding(tone="watch", text=text.format(_listed(names))) for names, text in sentences if names]


def _unusable(facts: TableProfile, why: Unusable) -> list[str]:
    return [c.name for c in _inputs(facts) if c.unusable == why]


def _gaps(facts: TableProfile) -> list[ProfileFinding]:
    partly = [c for c in facts.columns if c.missing and c.kind != "empty"]
    partly.sort(key=lambda c: -c.missing)
    if not partly:
        return (
            [ProfileFinding(tone="good", text="No value is missing.")]
            if all(not c.missing for c in facts.columns)
            else []
        )
    made = [
        ProfileFinding(
            tone="watch" if c.missing_share >= _MANY_MISSING else "",
            text=f"{count(c.missing)} of {plural(facts.rows, facts.case)} "
            f"({percent(c.missing_share)}) {'has' if c.missing == 1 else 'have'} no {c.name}.",
        )
        for c in partly[:_SHOWN]
    ]
    rest = [c.name for c in partly[_SHOWN:]]
    if rest:
        made.append(ProfileFinding(text=f"Smaller gaps are in {plural(len(rest), 'other column')}: {_listed(rest)}."))
    return made


def _set_aside(facts: TableProfile) -> list[ProfileFinding]:
    if not facts.quarantined:
        return [ProfileFinding(tone="good", text="Every row meets the declared expectations.")]
    why = ", ".join(f"{reason} ({count(rows)})" for reason, rows in list(facts.quarantine_reasons.items())[:3])
    verb = "breaks an expectation and was" if facts.quarantined == 1 else "break an expectation and were"
    return [ProfileFinding(tone="watch", text=f"{plural(facts.quarantined, 'row')} {verb} set aside: {why}.")]


def _repeated(facts: TableProfile) -> list[ProfileFinding]:
    if not facts.duplicates:
        return []
    rows, share = plural(facts.duplicates, "row"), facts.duplicates / facts.rows
    verb = "repeats" if facts.duplicates == 1 else "repeat"
    but = " but the identifier" if any(c.role == "identifier" for c in facts.columns) else ""
    text = f"{rows} ({percent(share)}) {verb} an earlier row in every column{but}."
    return [ProfileFinding(tone="watch" if share >= 0.01 else "", text=text)]


def _same(facts: TableProfile) -> list[ProfileFinding]:
    return [
        ProfileFinding(text=f"{p.first} and {p.second} say nearly the same (rank correlation {p.correlation:.2f}).")
        for p in facts.pairs[:_SHOWN]
    ]


def _far_off(facts: TableProfile) -> list[ProfileFinding]:
    found = [c for c in _inputs(facts) if c.numbers and c.numbers.outliers > _MANY_OUTLIERS * facts.rows]
    return [
        ProfileFinding(
            text=f"{c.name} has {plural(c.numbers.outliers, 'value')} far from the rest: half lie between "
            f"{number(c.numbers.quarter)} and {number(c.numbers.three_quarters)}, but it goes from "
            f"{number(c.numbers.minimum)} to {number(c.numbers.maximum)}."
        )
        for c in found[:_SHOWN]
        if c.numbers and c.kind == "number"
    ]


def _strongest(facts: TableProfile) -> list[ProfileFinding]:
    telling = [
        c
        for c in rank_inputs(facts)
        if c.is_feature and (c.strength or 0) >= NEARLY_NOTHING and c.name not in facts.suspects | facts.questioned
    ]
    made = []
    for column in telling[:_STRONGEST]:
        opening = f"{column.name} tells {describe_strength(column.strength or 0)} about {facts.target}."
        sentences = [opening, _contrast(column, facts), _settles(column, facts)]
        made.append(ProfileFinding(tone="good", text=" ".join(filter(None, sentences))))
    return made


def _silent(facts: TableProfile) -> list[ProfileFinding]:
    names = [
        c.name for c in rank_inputs(facts) if c.is_feature and c.strength is not None and c.strength < NEARLY_NOTHING
    ]
    return (
        [ProfileFinding(text=f"Alone these tell almost nothing about {facts.target}: {_listed(names)}.")]
        if names
        else []
    )


def rank_inputs(facts: TableProfile) -> list[ColumnProfile]:
    """The inputs, those that tell most about the target first."""
    return sorted(_inputs(facts), key=lambda c: -(c.strength if c.strength is not None else -1))


def _inputs(facts: TableProfile) -> list[ColumnProfile]:
    return [c for c in facts.columns if c.role == "input"]


def _cases(facts: TableProfile) -> str:
    return plural(2, facts.case).removeprefix("2 ")


def _settles(column: ColumnProfile, facts: TableProfile) -> str:
    if facts.task == "regression":
        return f"It explains {percent(column.strength)} of the variation of {facts.target}."
    return f"Knowing it removes {percent(column.strength)} of the uncertainty about {facts.target}."


def _listed(names: list[str], most: int = 8) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
