"""The canary: a challenger whose share grows while it performs well, and that is rolled back otherwise."""

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
    """The next action for a canary, and its reason."""

    action: Literal["grow", "hold", "roll back", "done"]
    why: str


def next_step(
    state: CanaryState,
    challenger: "VariantStatistics",
    champion: "VariantStatistics",
    gap: MetricGap | None,
    now: datetime,
) -> CanaryDecision:
    """The next action for a canary.

    Args:
        state: the canary.
        challenger: its statistics since this step began.
        champion: the champion's statistics since then.
        gap: the metric of both on labelled predictions, if there are enough of them.
        now: the time, with a zone.
    """
    violation = _errors(state, challenger) or _latency(state, challenger, champion) or _metric(state, gap)
    if violation:
        return CanaryDecision(action="roll back", why=violation)
    if state.ready:
        return CanaryDecision(action="hold", why="the last step has gone well: it can be promoted")
    waiting = _waiting(state, challenger, now)
    if waiting:
        return CanaryDecision(action="hold", why=waiting)
    summary = _summary(challenger, champion, gap)
    if state.step + 1 < len(state.plan.steps):
        return CanaryDecision(action="grow", why=f"to {state.plan.steps[state.step + 1]:g}: {summary}")
    return CanaryDecision(action="done", why=f"ready to be promoted: {summary}")


def run_canary(service_dir: Path, store: "PredictionStore", now: datetime | None = None) -> CanaryDecision | None:
    """Evaluate the canary of a service by the prediction store and write the next plan; None without a canary.

    Costs a few reads of the store, so once every few seconds is often enough. The audit event is stored before the plan
    is written, under its own key, so that it is stored once even if this process ends in between.

    Raises:
        NoriaError: the store or the plan cannot be read or written; the canary stays as it is.
    """
    plan, now = activation.read_plan(service_dir), now or datetime.now(UTC)
    if plan is None or plan.canary is None:
        return None
    decision = _judge(plan, plan.canary, store, now)
    if decision.action == "hold":
        return decision
    with activation.plan_lock(service_dir):
        current = activation.read_plan(service_dir)
        if current is None or current.plan_id != plan.plan_id:
            return None  # it has been changed meanwhile
        store.ingest([_event(plan, decision, now)])
        activation.write_plan(service_dir, _next_plan(plan, plan.canary, decision, now))
    return decision


def _judge(plan: TrafficPlan, state: CanaryState, store: "PredictionStore", now: datetime) -> CanaryDecision:
    names = [state.variant, plan.champion.name]
    recent = store.variant_statistics(state.since, names)
    # labels arrive late: those of earlier steps count, too
    labelled = recent if state.step == 0 else store.variant_statistics(state.began, names)
    gap = compare_labels(
        state.problem, state.metric, labelled[names[0]], labelled[names[1]], at_least=state.plan.min_labels
    )
    return next_step(state, recent[names[0]], recent[names[1]], gap, now)


def _next_plan(plan: TrafficPlan, state: CanaryState, decision: CanaryDecision, now: datetime) -> TrafficPlan:
    if decision.action == "roll back":
        return plan_transforms.without(plan, state.variant)
    if decision.action == "done":
        return plan_transforms.with_canary(plan, state.model_copy(update={"ready": True}))
    return plan_transforms.with_canary(plan, state.model_copy(update={"step": state.step + 1, "since": now}))


def _event(plan: TrafficPlan, decision: CanaryDecision, now: datetime) -> AuditEvent:
    assert plan.canary is not None  # noqa: S101 - for the type checker; the caller has seen it
    variant = plan.find(plan.canary.variant)
    return AuditEvent(
        key=f"canary-{plan.plan_id}",
        at=now.timestamp(),
        kind="canary",
        variant=plan.canary.variant,
        version=variant.version if variant is not None else "",
        detail=f"{decision.action}: {decision.why}",
    )


def _errors(state: CanaryState, challenger: "VariantStatistics") -> str:
    """Too many errors, even if all requests that the step still waits for succeed."""
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


def _metric(state: CanaryState, gap: MetricGap | None) -> str:
    """Worse than allowed and beyond chance: with few labels, chance alone could exceed the bound."""
    if gap is None or gap.worse_by <= state.plan.metric_drop or not gap.beyond_chance:
        return ""
    return f"{_gap_text(gap)}, worse by more than {state.plan.metric_drop:g}"


def _waiting(state: CanaryState, challenger: "VariantStatistics", now: datetime) -> str:
    if challenger.answers < state.plan.min_requests:
        return f"{challenger.answers:,} of {state.plan.min_requests:,} answers that this step needs"
    lasted = now - state.since
    if lasted < timedelta(minutes=state.plan.step_minutes):
        minutes = max(lasted.total_seconds(), 0) / 60
        return f"{minutes:.1f} of {state.plan.step_minutes:g} minutes that this step lasts"
    return ""


def _summary(challenger: "VariantStatistics", champion: "VariantStatistics", gap: MetricGap | None) -> str:
    parts = [f"{challenger.answers:,} answers, {challenger.errors:,} errors"]
    ours, usual = challenger.latency_ms(_QUANTILE), champion.latency_ms(_QUANTILE)
    if ours is not None and usual is not None:
        parts.append(f"95 % within {ours:.2f} ms (champion {usual:.2f} ms)")
    parts.append(_gap_text(gap) if gap is not None else "no labels to judge by")
    return "; ".join(parts)


def _gap_text(gap: MetricGap) -> str:
    return f"{gap.metric} {gap.challenger:.4f} against {gap.champion:.4f} ({gap.state})"
