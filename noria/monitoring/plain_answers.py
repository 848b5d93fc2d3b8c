"""The five answers at the head of the monitoring page, for people who read no statistics.

Is it fine? Since when not? Why? What was done? What next?
"""

from collections.abc import Sequence
from dataclasses import dataclass

from noria.config import UseCase
from noria.monitoring.causes import LEVELS
from noria.monitoring.loop_news import LoopNews
from noria.monitoring.results import DailyWorth
from noria.monitoring.verdict import MonitoringVerdict
from noria.reporting import count, number, plural

FINE = {
    "ok": "Yes.",
    "watch": "Not quite: something has changed, and a person should have a look.",
    "retrain": "No: the model should be trained again.",
    "fix_data": "No: the delivered data look broken.",
}
_EARLY = "It is too early to tell."
_PLAIN = {
    "data_fault": "The delivered data look broken.",
    "feed_stopped": "No new data come in.",
    "input_drift": "What the service is asked about differs from what the model has learned from.",
    "answer_drift": "The model's answers have changed.",
    "quality": "The model is right less often than it promised.",
    "worth": "Its decisions bring in less than they promised.",
    "worse_than_rules": "The rules that decided before would do better.",
    "disqualified": "The use case has changed so that this model must not answer any more.",
    "labels_missing": "The true answers have not come, so it is not known how often the model is right.",
}
_NUMBERS = {"quality": "The model is further off than it promised."}
_OF_ROWS = {"data_fault", "feed_stopped", "input_drift"}
"""Causes whose `since` tells when the rows began to look different; of the others it is where the judged rows begin."""
_SHOWN_CAUSES = 3


@dataclass(frozen=True)
class Reason:
    """One answer to “Why?”."""

    plain: str
    """In words that need no statistics."""
    detail: str
    """The sentence with its figures; empty: it says no more."""


@dataclass(frozen=True)
class PlainAnswers:
    """What the head of the page says."""

    fine: str
    since: str
    why: list[Reason]
    worth: str
    """What the decisions brought in, beside the rules and doing nothing; empty: not known."""
    news: LoopNews


def plain_answers(
    verdict: MonitoringVerdict, history: Sequence[MonitoringVerdict], use_case: UseCase, news: LoopNews
) -> PlainAnswers:
    """The five answers.

    Args:
        verdict: the newest verdict.
        history: all verdicts, oldest first, this one included.
        use_case: names the task and the unit.
        news: what the loop has done.
    """
    return PlainAnswers(
        fine=FINE[verdict.verdict] if _is_sure(verdict) else _EARLY,
        since=since_when(history),
        why=_reasons(verdict, use_case),
        worth="" if verdict.daily_worth is None else worth_sentence(verdict.daily_worth, use_case),
        news=news,
    )


def since_when(history: Sequence[MonitoringVerdict]) -> str:
    """Since when it has not been fine, or has been.

    Args:
        history: all verdicts of a use case, oldest first, at least one.
    """
    last = history[-1]
    same = 0
    for verdict in reversed(history):
        if _state(verdict) != _state(last):
            break
        same += 1
    first, before = history[-same], history[-same - 1] if same < len(history) else None
    when = f"{first.at:%d %B %Y, %H:%M} UTC"
    if _state(last) == "early":
        return "Nothing speaks against it so far."
    if _state(last) == "fine":
        checks = f", in {plural(same, 'check')} in a row" if same > 1 else ""
        return f"It has been fine since {when}{checks}."
    since = f"Since the check of {when}"
    if before is None:
        since += ", which was the first one"
    elif _state(before) == "fine":
        since += f"; at the one before, on {before.at:%d %B %Y, %H:%M} UTC, it was fine"
    else:
        since += "; before that it was too early to tell"
    starts = [
        cause.since
        for cause in last.causes
        if cause.kind in _OF_ROWS and cause.severity == last.verdict
        if cause.since is not None and cause.since != last.since
    ]
    rows = f" The rows look so since {min(starts):%d %B %Y, %H:%M} UTC." if starts else ""
    return f"{since}.{rows}"


def worth_sentence(worth: DailyWorth, use_case: UseCase) -> str:
    """What the decisions of all its days brought in, beside the rules and doing nothing."""
    cases = sum(day.rows for day in worth.days)
    model = sum(day.model for day in worth.days)
    nothing = sum(day.nothing for day in worth.days)
    with_rules = [day.rules for day in worth.days if day.rules is not None]
    rules = sum(with_rules) if len(with_rules) == len(worth.days) else None
    costs = max(model, nothing, model if rules is None else rules) <= 0

    def amount(value: float) -> str:
        return f"{number(-value if costs else value)} {worth.unit}"

    others = [] if rules is None else [f"by the rules it would have been {amount(rules)}"]
    usual = "doing nothing" if use_case.problem.task == "binary" else "the same usual answer for all"
    others.append(f"with {usual} {amount(nothing)}")
    period = f"{worth.days[0].day} to {worth.days[-1].day}" if len(worth.days) > 1 else worth.days[0].day
    verb = "cost" if costs else "brought in"
    sampled = "" if worth.share == 1 else ", estimated from a sample"
    known = f"{plural(cases, use_case.problem.case)} whose outcome is known"
    return f"{period}: {known}{sampled}. The decisions {verb} {amount(model)}; {', '.join(others)}."


def _reasons(verdict: MonitoringVerdict, use_case: UseCase) -> list[Reason]:
    causes = [cause for cause in verdict.causes if cause.severity == verdict.verdict and verdict.verdict != "ok"]
    found: dict[str, Reason] = {}
    for cause in causes:
        words = _NUMBERS.get(cause.kind) if use_case.problem.task == "regression" else None
        found.setdefault(cause.kind, Reason(words or _PLAIN[cause.kind], cause.sentence))
    if found:
        return list(found.values())[:_SHOWN_CAUSES]
    if not _is_sure(verdict):
        needed = use_case.monitoring
        known = (
            f"{plural(verdict.performance.labels, 'true answer')} known, {count(needed.min_labels)} needed to judge."
        )
        return [Reason("There are too few cases to judge.", known)]
    if verdict.verdict == "ok":
        return [Reason("Nothing that counts has changed: the model keeps what it promised.", "")]
    return [Reason(reason, "") for reason in verdict.reasons[:1]]


def _is_sure(verdict: MonitoringVerdict) -> bool:
    return verdict.confident or verdict.verdict != LEVELS[0]


def _state(verdict: MonitoringVerdict) -> str:
    if verdict.verdict != LEVELS[0]:
        return "not fine"
    return "fine" if verdict.confident else "early"
