"""Records of the prediction store."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from noria.predictions.ids import new_id
from noria.system.errors import NoriaError

Value = str | int | float | bool | None

CLOCK_SKEW = timedelta(minutes=5)
"""How far the clocks of two machines may differ: a label that is dated later than that comes from the future."""

SMOKE = "smoke"
"""Variant of the predictions of a deployment's smoke test: they are recorded, but windows and counts leave them out."""

RANDOM = "random"
"""`selected_by` of a case that was drawn at random, so that its label may judge a model."""

REVIEW = "review"
"""`selected_by` of a case whose decision is `ask`: it lies near the threshold, so it is no fair sample."""


class LabelsUnknown(NoriaError):  # noqa: N818 - describes a state
    """No label belongs to a prediction that the store has; none is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """The true label of one prediction (`id`), or of a case (`entity`).

    A label is stored once per `key`, so that it can be sent again after a failure. `at` is when the label became
    known; without a zone it is UTC.

    Raises:
        NoriaError: not exactly one of `id` and `entity` is given, or the label is missing.
    """

    label: str | int | float | bool
    id: str | None = None
    entity: str | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    key: str = field(default_factory=new_id)
    given_by: str | None = None
    """Who gave it; None: it came by itself."""
    selected_by: str | None = None
    """Why the case was selected for a label, see `noria.labelling.WantedLabel`; None: it was not."""
    selection_probability: float | None = None
    """How likely the case was to be selected."""

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            object.__setattr__(self, "at", self.at.replace(tzinfo=UTC))
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


def is_from_future(at: datetime, now: datetime) -> bool:
    """Whether a label that became known `at` is later than `now` by more than clocks differ; both carry a zone."""
    return at > now + CLOCK_SKEW


def require_past(feedbacks: Sequence[Feedback], now: datetime) -> None:
    """Check that no label is known later than `now`.

    Raises:
        NoriaError: one is, by more than `CLOCK_SKEW`.
    """
    future = [feedback for feedback in feedbacks if is_from_future(feedback.at, now)]
    if future:
        first = future[0]
        named = f"prediction {first.id}" if first.entity is None else f"case {first.entity}"
        raise NoriaError(
            f"{len(future)} of {len(feedbacks)} labels come from the future: the first, of {named}, is dated "
            f"{first.at:%Y-%m-%d %H:%M} UTC, and it is {now:%Y-%m-%d %H:%M} UTC now; none was kept",
            code="predictions.label_from_future",
            fix="correct `at`, the time when the label became known, or the clock of this machine",
        )


@dataclass(frozen=True, slots=True)
class GivenLabel:
    """A label in the store that a person gave to a prediction."""

    prediction_id: str
    label: Value
    given_by: str
    at: datetime


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

    `latencies_ms` has one element per request; `labels`, `predictions`, `probabilities` and `labelled_at` have one per
    labelled prediction, in the same order. Each holds the newest ones up to a limit, in no particular order.
    """

    variant: str
    answers: int
    errors: int
    latencies_ms: list[float]
    labels: list[Value]
    predictions: list[Value]
    probabilities: list[float | None]
    labelled_at: list[datetime] = field(default_factory=list)
    """When each label came; empty if that is not known."""

    def latency_ms(self, quantile: float) -> float | None:
        """The quantile (0 to 1, nearest rank) of the latencies in milliseconds; None if there are none."""
        if not self.latencies_ms:
            return None
        ordered = sorted(self.latencies_ms)
        return ordered[max(math.ceil(quantile * len(ordered)), 1) - 1]
