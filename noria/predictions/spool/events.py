"""What the spool holds. An entry is one request's worth, so that a request costs one write."""

import msgspec

Value = str | float | bool | None


class PredictionEvent(msgspec.Struct, frozen=True, array_like=True, tag="answered"):
    """The n answers of one variant to one request."""

    at: float
    """When it arrived, in seconds since 1970."""
    request_id: str
    model: str
    version: str
    variant: str
    policy: str
    """Version of the decision policy."""
    latency_ms: float
    """From the request's arrival until its answer was ready to be kept."""
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
    """For a shadow variant: the predictions that were answered in its place."""


class LabelEvent(msgspec.Struct, frozen=True, array_like=True, tag="labelled"):
    """A true label that the store could not take at once."""

    key: str
    """Identifies this label, so that it is kept once."""
    at: float
    id: str | None
    entity: str | None
    label: Value


class AuditEvent(msgspec.Struct, frozen=True, array_like=True, tag="happened"):
    """Something worth knowing later: a variant that failed, a change of traffic or of a policy, dropped answers."""

    key: str
    at: float
    kind: str
    """error, dropped, traffic, policy or canary."""
    variant: str
    version: str
    detail: str
    count: int = 1


Entry = PredictionEvent | LabelEvent | AuditEvent
