"""The canary: a challenger whose share grows while it does well, and which is taken back by itself otherwise."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from noria.config.section import Section
from noria.predictions.spool.events import AuditEvent
from noria.traffic import activation, plan_transforms
from noria.traffic.activation import CanaryState, TrafficPlan
from noria.traffic.canary_metrics import MetricGap, compare_labels

if TYPE_CHECKING:
    from noria.predictions import PredictionStore
    from noria.predictions.records import VariantStatistics

_QUANTILE = 0.95


class CanaryDecision(Section):
    """What becomes of a canary, and why."""

    action: Literal["grow", "hold", "roll back", "done"]
    why: str


def next_step(
    state: CanaryState,
    challenger: "VariantStatistics",
    champion: "VariantStatistics",
    lead: MetricGap | None,
    now: datetime,
) -> CanaryDecision:
    """What is due.

    Args:
        state: the canary.
        challenger: how it has done since this step began.
        champion: how the champion has done in that time.
        lead: the metric of both where the truth is known, if it is for enough cases.
        now: the time, with a zone.
    """
    fault = _errors(state, challenger) or _latency(state, challenger, champion) or _metric(state, lead)
    if fault:
        return CanaryDecision(action="roll back", why=fault)
    if state.ready:
        return CanaryDecision(action="hold", why="the last step has gone well: it can be promoted")
    waiting = _waiting(state, challenger, now)
    if waiting:
        return CanaryDecision(action="hold", why=waiting)
    judged = _judged(challenger, champion, lead)
    if state.step + 1 < len(state.plan.steps):
        return CanaryDecision(action="grow", why=f"to {state.plan.steps[state.step + 1]:g}: {judged}")
    return CanaryDecision(action="done", why=f"ready to be promoted: {judged}")


def run_canary(service_dir: Path, store: "PredictionStore", now: datetime | None = None) -> CanaryDecision | None:
    """Judge the canary of a service by what the store holds, and give the order that follows; None without one.

    Costs a few reads of the store, so once every few seconds is often enough. The event is kept before the order is
    given, under a key of its own, so that it is kept once even if this process ends in between.

    Raises:
        NoriaError: the store or the order cannot be read or written; the canary stays as it is.
    """
    order, now = activation.read_plan(service_dir), now or datetime.now(UTC)
    if order is None or order.canary is None:
        return None
    decision = _judge(order, order.canary, store, now)
    if decision.action == "hold":
        return decision
    with activation.plan_lock(service_dir):
        standing = activation.read_plan(service_dir)
        if standing is None or standing.serial != order.serial:
            return None  # somebody has changed it meanwhile
        store.keep([_event(order, decision, now)])
        activation.write_plan(service_dir, _next_order(order, order.canary, decision, now))
    return decision


def _judge(order: TrafficPlan, state: CanaryState, store: "PredictionStore", now: datetime) -> CanaryDecision:
    names = [state.variant, order.champion.name]
    recent = store.comparison(state.since, names)
    # labels come late: those of earlier steps count, too
    labelled = recent if state.step == 0 else store.comparison(state.began, names)
    lead = compare_labels(
        state.problem, state.metric, labelled[names[0]], labelled[names[1]], at_least=state.plan.min_labels
    )
    return next_step(state, recent[names[0]], recent[names[1]], lead, now)


def _next_order(order: TrafficPlan, state: CanaryState, decision: CanaryDecision, now: datetime) -> TrafficPlan:
    if decision.action == "roll back":
        return plan_transforms.without(order, state.variant)
    if decision.action == "done":
        return plan_transforms.with_canary(order, state.model_copy(update={"ready": True}))
    return plan_transforms.with_canary(order, state.model_copy(update={"step": state.step + 1, "since": now}))


def _event(order: TrafficPlan, decision: CanaryDecision, now: datetime) -> AuditEvent:
    assert order.canary is not None  # noqa: S101 - for the type checker; the caller has seen it
    variant = order.find(order.canary.variant)
    return AuditEvent(
        key=f"canary-{order.serial}",
        at=now.timestamp(),
        kind="canary",
        variant=order.canary.variant,
        version=variant.version if variant is not None else "",
        detail=f"{decision.action}: {decision.why}",
    )


def _errors(state: CanaryState, challenger: "VariantStatistics") -> str:
    """Too many errors already, even if every answer that the step still waits for went well."""
    asked = challenger.answers + challenger.errors
    if challenger.errors <= state.plan.max_error_rate * max(asked, state.plan.min_requests):
        return ""
    return f"{challenger.errors:,} of {asked:,} failed, more than {state.plan.max_error_rate:.1%}"


def _latency(state: CanaryState, challenger: "VariantStatistics", champion: "VariantStatistics") -> str:
    if min(challenger.answers, champion.answers) < state.plan.min_requests:
        return ""
    slow, usual = challenger.latency_ms(_QUANTILE), champion.latency_ms(_QUANTILE)
    if slow is None or usual is None or slow <= state.plan.max_latency_ratio * usual:
        return ""
    bound = f"more than {state.plan.max_latency_ratio:g} times the champion's {usual:.2f} ms"
    return f"95 % of the requests take up to {slow:.2f} ms, {bound}"


def _metric(state: CanaryState, lead: MetricGap | None) -> str:
    """Worse than allowed, and more than chance explains: with few labels a bound alone would be broken by luck."""
    if lead is None or lead.worse_by <= state.plan.metric_drop or not lead.beyond_chance:
        return ""
    return f"{_compared(lead)}, worse by more than {state.plan.metric_drop:g}"


def _waiting(state: CanaryState, challenger: "VariantStatistics", now: datetime) -> str:
    if challenger.answers < state.plan.min_requests:
        return f"{challenger.answers:,} of {state.plan.min_requests:,} answers that this step needs"
    lasted = now - state.since
    if lasted < timedelta(minutes=state.plan.step_minutes):
        minutes = max(lasted.total_seconds(), 0) / 60
        return f"{minutes:.1f} of {state.plan.step_minutes:g} minutes that this step lasts"
    return ""


def _judged(challenger: "VariantStatistics", champion: "VariantStatistics", lead: MetricGap | None) -> str:
    parts = [f"{challenger.answers:,} answers, {challenger.errors:,} errors"]
    ours, usual = challenger.latency_ms(_QUANTILE), champion.latency_ms(_QUANTILE)
    if ours is not None and usual is not None:
        parts.append(f"95 % within {ours:.2f} ms (champion {usual:.2f} ms)")
    parts.append(_compared(lead) if lead is not None else "too few labels to judge by")
    return "; ".join(parts)


def _compared(lead: MetricGap) -> str:
    return f"{lead.metric} {lead.challenger:.4f} against {lead.champion:.4f}"
