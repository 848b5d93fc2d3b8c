"""What is kept of a prediction and of a label."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from noria.predictions.ids import new_id
from noria.system.errors import NoriaError

Value = str | int | float | bool | None

SMOKE = "smoke"
"""Variant of the predictions that a deployment makes to test itself: they are kept, but nobody asked for them, so
windows and counts leave them out."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionRecord:
    """One answered row.

    `features` holds the input columns as they were received; `prediction` is a class or, for regression, a number;
    `latency_ms` is the time from the request's arrival until the answer was ready to be recorded, in milliseconds;
    `policy` is the version of the decision policy; `shadow_of`, for a shadow variant, the id of the prediction that was
    answered in its place.
    """

    request_id: str
    model: str
    version: str
    features: Mapping[str, object]
    prediction: str | float
    probability: float | None
    decision: str
    warning: str = ""
    latency_ms: float
    variant: str = "champion"
    policy: str = "1"
    entity: str | None = None
    shadow_of: str | None = None
    id: str = field(default_factory=new_id)
    at: datetime = field(default_factory=_now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """The true label of one prediction (`id`), or of the case that was predicted (`entity`).

    A label is kept once for each `key`, so that it can be sent again after a failure.

    Raises:
        NoriaError: not exactly one of `id` and `entity` is given, or the label is missing.
    """

    label: str | int | float | bool
    id: str | None = None
    entity: str | None = None
    at: datetime = field(default_factory=_now)
    key: str = field(default_factory=new_id)

    def __post_init__(self) -> None:
        if (self.id is None) == (self.entity is None):
            raise NoriaError("a label belongs to a prediction or to a case", fix="give either `id` or `entity`")
        if self.label is None or (isinstance(self.label, float) and not math.isfinite(self.label)):
            raise NoriaError(f"{self.label!r} is not a label", fix="leave out the cases whose label is not known yet")


@dataclass(frozen=True, slots=True)
class StoreCounts:
    """What the store holds; times are UTC."""

    requests: int
    predictions: int
    labelled: int
    unmatched_labels: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class EntityRecords:
    """How many rows there are, or were."""

    predictions: int = 0
    labels: int = 0
    events: int = 0

    def __add__(self, other: "EntityRecords") -> "EntityRecords":
        return EntityRecords(
            self.predictions + other.predictions, self.labels + other.labels, self.events + other.events
        )

    def __bool__(self) -> bool:
        return bool(self.predictions or self.labels or self.events)


@dataclass(frozen=True, slots=True)
class VariantStatistics:
    """How one variant has done since a moment; for comparing a canary with the champion.

    `latencies_ms` has one element per request, `labels`, `predictions` and `probabilities` one per labelled
    prediction, in the same order; each holds the newest ones up to a limit, in no stated order.
    """

    variant: str
    answers: int
    errors: int
    latencies_ms: list[float]
    labels: list[Value]
    predictions: list[Value]
    probabilities: list[float | None]

    def latency_ms(self, quantile: float) -> float | None:
        """The quantile (0 to 1, nearest rank) of the latencies in milliseconds; None if there are none."""
        if not self.latencies_ms:
            return None
        ordered = sorted(self.latencies_ms)
        return ordered[max(math.ceil(quantile * len(ordered)), 1) - 1]
