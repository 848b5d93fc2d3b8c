"""After training: `serving` and `monitoring`."""

from typing import Self

from pydantic import Field, model_validator

from noria.config.base import Section


class Serving(Section):
    """Where and how the service listens."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=3000, ge=1, le=65535)
    """Port to listen on."""
    workers: int = Field(default=1, ge=1, le=64)
    """Server processes."""
    max_rows: int = Field(default=1000, ge=1, le=100_000)
    """Most rows in one request."""
    start_timeout_s: float = Field(default=120.0, gt=0, le=86_400)
    """How long a new server may take until it is ready, in seconds."""
    batch_rows: int = Field(default=50_000, ge=1, le=10_000_000)
    """Rows that batch inference holds in memory at once."""


class Monitoring(Section):
    """When a deployed model is well, worth watching, or due for retraining."""

    window_days: float = Field(default=30.0, gt=0, le=36_500)
    """Predictions of this many past days are looked at."""
    min_rows: int = Field(default=100, ge=10)
    """Fewer predictions than this give no verdict on drift."""
    min_labels: int = Field(default=50, ge=10)
    """Fewer labels than this give no verdict on performance."""
    drift_watch: float = Field(default=0.25, ge=0, le=1)
    """Share of drifted columns from which the verdict is at least `watch`."""
    drift_retrain: float = Field(default=0.6, ge=0, le=1)
    """Share of drifted columns from which the verdict is `retrain`."""
    metric_drop: float = Field(default=0.05, ge=0)
    """The primary metric may get worse than on the test rows by this much, in its own units; a drop that is larger
    beyond chance means `retrain`."""
    worth_drop: float = Field(default=0.25, ge=0)
    """What a decision brings in may fall by this share of its value on the test rows before the verdict is `watch`."""
    max_rows: int = Field(default=20_000, ge=100)
    """Most predictions that one check reads; more are sampled."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.drift_watch > self.drift_retrain:
            raise ValueError("`drift_watch` must not exceed `drift_retrain`")
        return self
