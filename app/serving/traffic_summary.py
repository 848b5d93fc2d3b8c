"""Variants and traffic plans in words."""

from datetime import UTC, datetime

from app.command_result import Facts
from noria.deployment import PlanChange, ServiceStatus, VariantSummary
from noria.models.decision_policy import DecisionPolicy
from noria.traffic import plan_transforms
from noria.traffic.activation import CanaryState, TrafficPlan
from noria.traffic.canary_metrics import MetricGap

TRAFFIC_HELP = "python run.py traffic --help"


def describe_traffic(service: ServiceStatus) -> Facts:
    """A line for each variant, and one for the canary if there is one."""
    facts: Facts = [(f"variant {each.variant.name}", _variant(each)) for each in service.variants]
    return facts if service.canary is None else [*facts, ("canary", _canary(service.canary))]


def variant_facts(plan: TrafficPlan) -> Facts:
    """Which variant answers which share, where the champion is not alone."""
    return [("variants", plan_transforms.describe_plan(plan))] if len(plan.variants) > 1 else []


def change_facts(changed: PlanChange) -> Facts:
    """What answered before a change, and what answers now."""
    return [
        ("before", plan_transforms.describe_plan(changed.before)),
        ("now", plan_transforms.describe_plan(changed.after)),
        ("service", changed.deployment.url),
    ]


def canary_facts(plan: TrafficPlan) -> Facts:
    """How the canary of a plan will grow, if it has one."""
    if plan.canary is None:
        return []
    steps, minutes = ", ".join(f"{share:g}" for share in plan.canary.plan.steps), plan.canary.plan.step_minutes
    return [("canary", f"{plan.canary.variant} grows by {steps}, each for at least {minutes:g} minutes")]


def describe_with_policies(plan: TrafficPlan) -> str:
    """A plan in words, with every decision policy that differs from the model's own."""
    policies = [
        f"{each.name} policy {each.policy_version}: {_keys(each.policy)}" for each in plan.variants if each.policy
    ]
    return "; ".join([plan_transforms.describe_plan(plan), *policies])


def _keys(policy: DecisionPolicy) -> str:
    return ", ".join(f"{key} {value:g}" for key, value in policy.model_dump(exclude_defaults=True).items())


def _variant(summary: VariantSummary) -> str:
    variant = summary.variant
    part = "shadow" if variant.shadow else f"{variant.share:.1%} of the cases"
    failed = "" if summary.error_rate is None else f", {summary.error_rate:.2%} failed"
    latency = "" if summary.p95_ms is None else f", 95 % within {summary.p95_ms:.2f} ms"
    return (
        f"{part}, version {variant.version}, policy {variant.policy_version}: "
        f"{summary.answers:,} answers{failed}{latency}, {summary.labelled:,} labels{_gap(summary.gap)}"
    )


def _gap(gap: MetricGap | None) -> str:
    """How a challenger compares with the champion, where there are enough labels."""
    if gap is None:
        return ""
    return f"; {gap.metric} {gap.challenger:.4f} against {gap.champion:.4f}, {gap.state}"


def _canary(state: CanaryState) -> str:
    if state.ready:
        return f"{state.variant} has passed its last step: it can be promoted"
    minutes = (datetime.now(UTC) - state.since).total_seconds() / 60
    return (
        f"{state.variant} is at step {state.step + 1} of {len(state.plan.steps)} for {minutes:.0f} minutes; each takes "
        f"at least {state.plan.step_minutes:g} minutes and {state.plan.min_requests:,} answers"
    )
