"""The events in the spool. A prediction event holds a whole request, so that a request costs one write.

The tags are part of the spool's format: events of earlier versions must stay readable, so tags and fields never change.
New fields come last, with a default.
"""

import msgspec

Value = str | float | bool | None


class PredictionEvent(msgspec.Struct, frozen=True, array_like=True, tag="answered"):
    """The n predictions of one variant for one request."""

    at: float
    """When it arrived, in seconds since 1970."""
    request_id: str
    model: str
    version: str
    variant: str
    policy: str
    """Version of the decision policy."""
    latency_ms: float
    """From the request's arrival until its prediction was ready to be recorded."""
    names: list[str]
    """The input columns."""
    features: list[list[Value]]
    """n rows, each in the order of `names`, as they may be kept."""
    ids: list[str]
    entities: list[str | None]
    predictions: list[str | float]
    probabilities: list[float | None]
    decisions: list[str]
    warnings: list[str]
    shadow_of: list[str] | None = None
    """For a shadow variant: the ids of the predictions that were sent instead."""
    is_test: bool = False
    """Somebody tried the service out: stored, but no part of production."""
    event_times: list[float | None] | None = None
    """When each case happens, by the use case's `data.time`, in seconds since 1970; None: as the request arrived."""


class LabelEvent(msgspec.Struct, frozen=True, array_like=True, tag="labelled"):
    """A true label that the store could not take at once."""

    key: str
    """Identifies this label, so that it is stored once."""
    at: float
    id: str | None
    entity: str | None
    label: Value
    given_by: str | None = None
    """Who gave it; None: it came by itself."""
    selected_by: str | None = None
    """Why the case was selected for a label."""
    selection_probability: float | None = None


class AuditEvent(msgspec.Struct, frozen=True, array_like=True, tag="happened"):
    """An event for the record: a failed variant, a change of traffic or of a policy, dropped predictions."""

    key: str
    at: float
    kind: str
    """error, dropped, corrupt, label, traffic, policy, canary or forgotten."""
    variant: str
    version: str
    detail: str
    count: int = 1


Event = PredictionEvent | LabelEvent | AuditEvent
