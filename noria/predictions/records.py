"""Records of the prediction store."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime

from noria.predictions.ids import new_id
from noria.system.errors import NoriaError

Value = str | int | float | bool | None

SMOKE = "smoke"
"""Variant of the predictions of a deployment's smoke test: they are recorded, but windows and counts leave them out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """The true label of one prediction (`id`), or of a case (`entity`).

    A label is stored once per `key`, so that it can be sent again after a failure.

    Raises:
        NoriaError: not exactly one of `id` and `entity` is given, or the label is missing.
    """

    label: str | int | float | bool
    id: str | None = None
    entity: str | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    key: str = field(default_factory=new_id)

    def __post_init__(self) -> None:
        if (self.id is None) == (self.entity is None):
            raise NoriaError(
                "a label belongs to a prediction or to a case",
                code="predictions.label_owner_ambiguous",
                fix="give either `id` or `entity`",
            )
        if self.label is None or (isinstance(self.label, float) and not math.isfinite(self.label)):
            raise NoriaError(
                f"{self.label!r} is not a label",
                code="predictions.label_invalid",
                fix="leave out the cases whose label is not known yet",
            )


@dataclass(frozen=True, slots=True)
class StoreCounts:
    """Counts of what the store holds; times are UTC."""

    requests: int
    predictions: int
    labelled: int
    unmatched_labels: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class EntityRecords:
    """Counts of the rows that belong to an entity."""

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
    """Statistics of one variant since a given time, for comparing a canary with the champion.

    `latencies_ms` has one element per request, `labels`, `predictions` and `probabilities` one per labelled
    prediction, in the same order; each holds the newest ones up to a limit, in no particular order.
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
