"""The status of a service and its variants."""

from datetime import UTC, datetime

from noria.client import Client
from noria.config import UseCase
from noria.config.section import Section
from noria.deployment.deployment_state import Deployment, read_state
from noria.deployment.metrics_scrape import parse_metrics
from noria.deployment.plan_change import current_plan
from noria.predictions import PredictionStore
from noria.predictions.records import VariantStatistics
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace
from noria.traffic.activation import CanaryState, PlannedVariant, TrafficPlan
from noria.traffic.canary_metrics import MetricGap, compare_labels


class VariantSummary(Section):
    """The statistics of one variant since the plan was last changed."""

    variant: PlannedVariant
    answers: int
    error_rate: float | None
    """Share of its rows that it failed to answer; None without any."""
    p95_ms: float | None
    """95 % of its requests took no longer, in milliseconds."""
    labelled: int
    gap: MetricGap | None = None
    """The primary metric beside the champion's, by labels; None for the champion, and while labels are too few."""


class ServiceStatus(Section):
    """The status of a service. Counts from the store cover all servers that this use case has had."""

    deployment: Deployment | None
    """The running server, if there is one."""
    ready: bool
    """Whether it answers."""
    uptime_s: float | None
    """Seconds since the server was started."""
    requests: int
    predictions: int
    predictions_of_version: int | None
    """Predictions by the version that answers now."""
    variants: list[VariantSummary]
    """The champion first; empty if no server runs."""
    canary: CanaryState | None
    labelled: int
    waiting_labels: int
    """Labels whose prediction is not known (yet)."""
    last_prediction_at: datetime | None
    served: int | None
    """Requests since the server was started, including refused ones; None if unknown."""
    refused: int | None
    """Of those, the ones that were not answered with 200."""


def service_status(workspace: Workspace, use_case: UseCase | None = None) -> ServiceStatus:
    """The status of the service of a use case; given `use_case`, with how its variants compare on its metric.

    Raises:
        NoriaError: the prediction store cannot be read.
    """
    deployment = read_state(workspace)
    store = PredictionStore(workspace.predictions_url)
    try:
        counts = store.counts()
        of_version = None if deployment is None else store.counts(deployment.version).predictions
        plan = None if deployment is None else current_plan(workspace, deployment)
        variants = [] if deployment is None or plan is None else _variants(store, deployment, plan, use_case)
    finally:
        store.close()
    served, refused = (None, None) if deployment is None else _served(deployment)
    return ServiceStatus(
        deployment=deployment,
        ready=served is not None,
        uptime_s=None if deployment is None else (datetime.now(UTC) - deployment.started_at).total_seconds(),
        requests=counts.requests,
        predictions=counts.predictions,
        predictions_of_version=of_version,
        variants=variants,
        canary=None if plan is None else plan.canary,
        labelled=counts.labelled,
        waiting_labels=counts.unmatched_labels,
        last_prediction_at=counts.last_at,
        served=served,
        refused=refused,
    )


def _variants(
    store: PredictionStore, deployment: Deployment, plan: TrafficPlan, use_case: UseCase | None
) -> list[VariantSummary]:
    since = deployment.rolled_at or deployment.started_at
    facts = store.variant_statistics(since, [variant.name for variant in plan.variants])
    summaries = []
    for variant in plan.variants:
        its = facts[variant.name]
        asked = its.answers + its.errors
        summaries.append(
            VariantSummary(
                variant=variant,
                answers=its.answers,
                error_rate=its.errors / asked if asked else None,
                p95_ms=its.latency_ms(0.95),
                labelled=len(its.labels),
                gap=_gap(use_case, its, facts[plan.champion.name]),
            )
        )
    return summaries


def _gap(use_case: UseCase | None, its: VariantStatistics, champion: VariantStatistics) -> MetricGap | None:
    if use_case is None or its.variant == champion.variant:
        return None
    limits = use_case.monitoring
    return compare_labels(use_case.problem, use_case.evaluation.metric, its, champion, at_least=limits.min_labels)


def _served(deployment: Deployment) -> tuple[int, int] | tuple[None, None]:
    try:
        with Client.with_tokens(deployment.url, timeout_s=5.0) as client:
            metrics = parse_metrics(client.metrics())
    except NoriaError:
        return None, None
    return metrics.served, metrics.refused
