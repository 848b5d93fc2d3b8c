"""After training: `serving`."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from noria.config.section import Section

_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]?")
_PORT = re.compile(r"[^:]+:[0-9]{1,5}")


def _host_name(value: str) -> str:
    if not _HOST.fullmatch(value) or _PORT.fullmatch(value):
        raise ValueError(f"`{value[:100]}` is no host; write a name or an address alone, such as predict.example.com")
    return value.lower().rstrip(".")


HostName = Annotated[str, AfterValidator(_host_name)]


class SpoolConfig(Section):
    """Where answers wait on this machine's disk until the prediction store has them."""

    durability: Literal["interval", "strict"] = "interval"
    """`strict`: an answer is on the disk before it is sent. `interval`: it is with the operating system before it is
    sent, which a killed worker survives, and on the disk `sync_interval_ms` later, which a power cut survives."""
    sync_interval_ms: int = Field(default=100, ge=1, le=10_000)
    """Longest time between an answer and its being on the disk, in milliseconds, for `interval`."""
    flush_interval_ms: int = Field(default=500, ge=10, le=60_000)
    """How often waiting answers are moved to the prediction store, in milliseconds."""
    max_mb: float = Field(default=1024, ge=1, le=1_000_000)
    """Most that may wait on the disk, in megabytes (10^6 bytes); from there on `when_full` applies."""
    when_full: Literal["refuse", "drop"] = "refuse"
    """`refuse`: requests get 503 until there is room. `drop`: they are answered, but not kept, and counted."""


class LimitsConfig(Section):
    """What one request, and all of them together, may ask for."""

    max_body_mb: float = Field(default=16, gt=0, le=1024)
    """Longest body, in megabytes (10^6 bytes)."""
    max_bulk_rows: int = Field(default=100_000, ge=1, le=10_000_000)
    """Most rows in one Arrow or Parquet body."""
    max_text: int = Field(default=10_000, ge=255, le=1_000_000)
    """Longest text in a request, in characters."""
    max_columns: int = Field(default=2_000, ge=1, le=100_000)
    """Most columns of one Arrow or Parquet body; the inputs of a model with more are always taken."""
    max_concurrent: int = Field(default=256, ge=1, le=100_000)
    """Most requests of one kind that one worker works on at once; more get 503. Predictions of rows, those of tables,
    explanations, labels and administration are such kinds. A request takes its place when its body has arrived."""
    max_connections: int = Field(default=512, ge=1, le=100_000)
    """Most open connections of one client to one worker. For a further one, the connection that has waited longest
    for its client is closed."""
    header_timeout_s: float = Field(default=10.0, gt=0, le=3_600)
    """How long a client may take to send a request's headers, in seconds; then it gets 408."""
    body_timeout_s: float = Field(default=30.0, gt=0, le=3_600)
    """How long a client may take to send a body, in seconds, and one more for each 10 kB that have arrived; then it
    gets 408."""
    requests_per_second: float | None = Field(default=None, gt=0)
    """Most requests per second from one client to one worker (empty: no limit); more get 429."""


class PrivacyConfig(Section):
    """What of a case is kept with its prediction, and for how long."""

    hash: list[str] = []
    """Columns of which only a keyed hash is kept; `NORIA_PRIVACY_KEY` holds the key."""
    drop: list[str] = []
    """Columns that are not kept."""
    truncate: dict[str, int] = {}
    """Columns of which only the first characters are kept: column → how many."""
    keep_days: float | None = Field(default=None, gt=0)
    """Predictions and their labels are erased after this many days (empty: never)."""

    @model_validator(mode="after")
    def _one_treatment(self) -> Self:
        named = [*self.hash, *self.drop, *self.truncate]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ValueError(f"column `{twice[0]}` is treated in two ways; name it once in hash, drop or truncate")
        if any(length < 1 for length in self.truncate.values()):
            raise ValueError("truncate keeps at least one character; use drop to keep none")
        return self


class VariantConfig(Section):
    """One of the models that answer."""

    model: str = "champion"
    """`champion`, `challenger` (the newest version that was not promoted), `rules`, or a version's number."""
    share: float = Field(default=0.0, ge=0, le=1)
    """Share of the cases that it answers; those of all variants add up to 1."""
    shadow: bool = False
    """It predicts every case and is logged, but its answers are not sent."""


class CanaryConfig(Section):
    """A challenger whose share grows by steps while it does well, and which is taken back otherwise."""

    steps: list[float] = [0.01, 0.05, 0.25, 0.5]
    """Shares, growing; after the last one has gone well it is ready to be promoted."""
    step_minutes: float = Field(default=30, gt=0)
    """How long each step lasts at least, in minutes."""
    min_requests: int = Field(default=200, ge=1)
    """Answers that a step needs before it is judged."""
    max_error_rate: float = Field(default=0.01, ge=0, le=1)
    """Most of its answers that may fail."""
    max_latency_ratio: float = Field(default=2.0, gt=0)
    """Most that its 95th percentile of latency may be, as a multiple of the champion's."""
    min_labels: int = Field(default=50, ge=10)
    """Labels that the metric needs before it counts."""
    metric_drop: float = Field(default=0.02, ge=0)
    """The primary metric may be worse than the champion's by this much, in its own units."""

    @model_validator(mode="after")
    def _growing(self) -> Self:
        if not self.steps or not self.steps[0] > 0 or self.steps[-1] > 1:
            raise ValueError("canary.steps are shares above 0 and at most 1")
        if any(after <= before for before, after in zip(self.steps, self.steps[1:], strict=False)):
            raise ValueError("canary.steps must grow")
        return self


class ServingConfig(Section):
    """Where and how the service listens, and what becomes of its answers."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=3000, ge=1, le=65535)
    """Port to listen on."""
    hosts: list[HostName] = []
    """Names under which the service is asked, besides localhost. Without tokens it answers under no others; its page
    may write under these even if a proxy changes the header `Host`."""
    workers: int = Field(default=1, ge=1, le=64)
    """Server processes."""
    max_rows: int = Field(default=1000, ge=1, le=100_000)
    """Most rows in one request."""
    start_timeout_s: float = Field(default=120.0, gt=0, le=86_400)
    """How long a new server may take until it is ready, in seconds."""
    batch_rows: int = Field(default=50_000, ge=1, le=10_000_000)
    """Rows that batch inference holds in memory at once."""
    limits: LimitsConfig = LimitsConfig()
    """What requests may ask for."""
    spool: SpoolConfig = SpoolConfig()
    """How answers reach the prediction store."""
    privacy: PrivacyConfig = PrivacyConfig()
    """What of a case is kept."""
    examples: Literal["synthetic", "real", "none"] = "synthetic"
    """Which rows the page, `GET /model` and the API's document show. `synthetic`: each column is drawn by itself, so
    that a row belongs to no real case. `real`: training rows. `none`: no row. `privacy` applies to all of them."""
    variants: dict[str, VariantConfig] = {}
    """Name → model, when several answer side by side; without any, the champion answers alone."""
    canary: CanaryConfig = CanaryConfig()
    """How a challenger grows; `run.py traffic --canary NAME` starts it."""

    @model_validator(mode="after")
    def _shares_add_up(self) -> Self:
        if not self.variants:
            return self
        for name, variant in self.variants.items():
            if variant.shadow and variant.share:
                raise ValueError(f"variants.{name} is a shadow, whose answers are not sent: it takes no share")
        total = sum(variant.share for variant in self.variants.values())
        if abs(total - 1) > 1e-9:
            raise ValueError(f"the shares of variants add up to {total:g}; they must add up to 1")
        return self
