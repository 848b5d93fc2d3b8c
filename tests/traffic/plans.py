"""Orders and facts for the tests of traffic."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from noria.config.problem import BinaryProblem, BinaryWorth
from noria.config.serving import CanaryConfig
from noria.predictions.records import VariantStatistics
from noria.traffic.activation import CanaryState, PlannedVariant, TrafficPlan

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
PROBLEM = BinaryProblem(
    question="Who leaves in the next month?",
    decided_by="the team",
    needed="daily",
    label_delay_days=1,
    business_figure="customers who stay",
    task="binary",
    positive="Yes",
    worth=BinaryWorth(true_positive=100, false_positive=-40, false_negative=0),
)
PLAN = CanaryConfig(steps=[0.05, 0.25, 0.5], step_minutes=10, min_requests=100, min_labels=50)


def variant(name: str, share: float, version: str = "1", *, shadow: bool = False) -> PlannedVariant:
    return PlannedVariant(name=name, bundle=Path(f"/bundles/{version}"), version=version, share=share, shadow=shadow)


def plan(challenger: float = 0.0, **more: Any) -> TrafficPlan:
    """A champion (version 1) and, with a share, a challenger (version 2)."""
    others = [variant("challenger", challenger, "2")] if challenger else []
    return TrafficPlan(variants=[variant("champion", 1 - challenger), *others], **more)


def state(step: int = 0, *, minutes: float = 0, ready: bool = False, plan: CanaryConfig = PLAN) -> CanaryState:
    """A canary whose step began `minutes` before NOW."""
    since = NOW - timedelta(minutes=minutes)
    return CanaryState(
        variant="challenger",
        plan=plan,
        problem=PROBLEM,
        metric="roc_auc",
        step=step,
        began=since,
        since=since,
        ready=ready,
    )


def facts(
    name: str, *, answers: int = 1000, errors: int = 0, ms: float = 1.0, labels: int = 0, skill: float = 2.0
) -> Any:
    """What a variant did; `skill` parts its scores of leavers from those of the others, in standard deviations."""
    random = np.random.default_rng([*name.encode(), labels])
    leaves = random.random(labels) < 0.4
    scores = 1 / (1 + np.exp(-(random.normal(size=labels) + skill * (leaves - 0.5))))
    return VariantStatistics(
        variant=name,
        answers=answers,
        errors=errors,
        latencies_ms=[ms] * answers,
        labels=["Yes" if each else "No" for each in leaves],
        predictions=["Yes" if each > 0.5 else "No" for each in scores],
        probabilities=scores.tolist(),
    )
