"""What is kept of a prediction and of a label."""

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from noria.errors import NoriaError

Value = str | int | float | bool | None

SMOKE = "smoke"
"""Variant of the predictions that a deployment makes to test itself: they are kept, but nobody asked for them, so
windows and counts leave them out."""


def new_id() -> str:
    """A random identifier (UUID 4, 32 hexadecimal digits)."""
    return uuid.uuid4().hex


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionRecord:
    """One answered row.

    `features` holds the input columns as they were received; `prediction` is a class or, for regression, a number;
    `latency_ms` is the time from the request's arrival until the answer was ready to be recorded, in milliseconds.
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
    entity: str | None = None
    id: str = field(default_factory=new_id)
    at: datetime = field(default_factory=_now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """The true label of one prediction (`id`), or of the case that was predicted (`entity`).

    Raises:
        NoriaError: not exactly one of `id` and `entity` is given, or the label is missing.
    """

    label: str | int | float | bool
    id: str | None = None
    entity: str | None = None
    at: datetime = field(default_factory=_now)

    def __post_init__(self) -> None:
        if (self.id is None) == (self.entity is None):
            raise NoriaError("a label belongs to a prediction or to a case", fix="give either `id` or `entity`")
        if self.label is None or (isinstance(self.label, float) and not math.isfinite(self.label)):
            raise NoriaError(f"{self.label!r} is not a label", fix="leave out the cases whose label is not known yet")


@dataclass(frozen=True, slots=True)
class Counts:
    """What the store holds; times are UTC."""

    requests: int
    predictions: int
    labelled: int
    unmatched_labels: int
    first_at: datetime | None
    last_at: datetime | None
